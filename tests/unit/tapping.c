// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "tapped_capture.h"
#include "tapping.h"

/* --- what is in a tap, and in the trace of the capture --- */

/* The time within which a tap's beginning or end is, by what its streams have of it. */
struct edge {
	uint64_t after, until;
};

static size_t place_of(const struct seen *s, const struct xblk_record *rec)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->records[i].time == rec->time)
			return i;
	fail_msg("a record of the tap is not in the capture's trace");
	return 0;
}

static void narrow(struct edge *edge, const struct xblk_record *before,
		   const struct xblk_record *behind)
{
	if (edge->after < before->time)
		edge->after = before->time;
	if (edge->until > behind->time)
		edge->until = behind->time;
}

/*
 * What the tap has of a stream is what the capture has, from one record to another, but
 * for what it says it has lost.
 */
static void check_stream(const struct content *whole, const struct content *tap,
			 unsigned int domid, struct edge *begin, struct edge *end)
{
	const struct seen *all = &whole->streams[domid], *part = &tap->streams[domid];
	uint64_t marks = 0, lost = 0;
	size_t first, at, i = 0;

	/* Names that are told again. */
	for (; i < part->nr && part->records[i].event == XBLK_EV_PROCESS; i++)
		marks++;
	assert_int_equal(marks, domid ? 0 : 2 * NR_DISKS);
	assert_in_range(i, 0, part->nr - 1);
	first = at = place_of(all, &part->records[i]);
	for (; i < part->nr; i++) {
		const struct xblk_record *rec = &part->records[i];

		assert_in_range(at, 0, all->nr - 1);
		if (rec->event != XBLK_EV_LOST) {
			assert_memory_equal(rec, &all->records[at], sizeof(*rec));
			at++;
			continue;
		}
		assert_int_equal(rec->time, all->records[at].time);
		at += rec->lost.count;
		assert_in_range(at, 1, all->nr);
		assert_int_equal(rec->lost.until, all->records[at - 1].time);
		lost += rec->lost.count;
		marks++;
	}
	assert_in_range(first, 1, all->nr);
	narrow(begin, &all->records[first - 1], &all->records[first]);
	if (at < all->nr)
		narrow(end, &all->records[at - 1], &all->records[at]);
	assert_int_equal(content_counter(tap, domid, "marks"), marks);
	assert_int_equal(content_counter(tap, domid, "lost"), lost);
	assert_int_equal(content_counter(tap, domid, "written"), part->nr - marks);
	assert_int_equal(content_counter(tap, domid, "produced"),
			 part->nr - marks + lost);
}

static void drop_other_disks(struct seen *s, unsigned int disk)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr; i++)
		if (s->records[i].disk == disk)
			s->records[nr++] = s->records[i];
	s->nr = nr;
}

void check_tap_of(const struct content *tap, unsigned int domid, int disk)
{
	struct edge begin = {0, UINT64_MAX}, end = {0, UINT64_MAX};
	struct content whole;

	content_of_file(&whole, paths.trace);
	assert_non_null(whole.end);
	assert_non_null(tap->end);
	if (disk >= 0)
		drop_other_disks(&whole.streams[domid], disk);
	check_stream(&whole, tap, domid, &begin, &end);
	check_stream(&whole, tap, 0, &begin, &end);
	assert_true(begin.after < begin.until);
	assert_true(end.after < end.until);
	assert_int_equal(tap->streams[7 - domid].nr, 0);
	assert_int_equal(tap->late, 0);
	assert_in_range(tap->rounds, 2, ~0u);
	assert_non_null(strstr(tap->meta, domid == 3 ? "guest1" : "guest2"));
	assert_null(strstr(tap->meta, domid == 3 ? "guest2" : "guest1"));
	content_forget(&whole);
}

void check_tap(const struct content *tap, unsigned int domid)
{
	check_tap_of(tap, domid, -1);
}

/* --- the asking end --- */

int connect_to(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, paths.socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

char *ask(int fd, const char *request, size_t len)
{
	static char line[1024];
	size_t used = 0;

	send(fd, request, len, MSG_NOSIGNAL);
	while (used < sizeof(line) - 1 && recv(fd, line + used, 1, 0) == 1 &&
	       line[used] != '\n')
		used++;
	line[used] = '\0';
	return line;
}

char *ask_text(int fd, const char *request)
{
	return ask(fd, request, strlen(request));
}

int begin_tap(const char *request)
{
	for (;;) {
		int fd = connect_to();
		const char *line = ask_text(fd, request);

		if (!strncmp(line, "ok ", 3))
			return fd;
		if (!strstr(line, "is only beginning"))
			fail_msg("it is answered by \"%s\"", line);
		close(fd);
		usleep(10000);
	}
}

void read_on(int fd, struct bytes *b, size_t enough)
{
	ssize_t n = 1;

	while (n > 0 && b->len < enough) {
		if (b->room - b->len < 65536) {
			b->room = 2 * b->room + 65536;
			b->data = realloc(b->data, b->room);
		}
		n = recv(fd, b->data + b->len, 65536, 0);
		b->len += n > 0 ? n : 0;
	}
}

static void verify(const char *path)
{
	char command[512];
	size_t len;

	assert_non_null(getenv("XBLKPARSE"));
	snprintf(command, sizeof(command), "%s --verify %s >%s 2>&1", getenv("XBLKPARSE"),
		 path, paths.judged);
	if (system(command))
		fail_msg("%s: %s", command, slurp(paths.judged, &len));
}

void judge(const char *path, bool lossy)
{
	json_int_t joined = 0;
	const char *bin;
	char line[512];
	json_t *root, *n;
	FILE *f;

	verify(path);
	snprintf(line, sizeof(line), "%s -q --json %s", getenv("XBLKPARSE"), path);
	f = popen(line, "r");
	assert_non_null(f);
	root = json_loadf(f, 0, NULL);
	assert_int_equal(pclose(f), 0);
	assert_non_null(root);
	json_object_foreach (json_object_get(root, "bins"), bin, n) {
		if (!strcmp(bin, "joined"))
			joined = json_integer_value(n);
		else if (strcmp(bin, "before_trace") && strcmp(bin, "in_flight") &&
			 (!lossy || strcmp(bin, "lost")) && json_integer_value(n))
			fail_msg("%s: %d %s", path, (int)json_integer_value(n), bin);
	}
	json_decref(root);
	assert_true(joined > 100);
}

static void save(const struct bytes *b)
{
	FILE *f = fopen(paths.tapped, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	fclose(f);
}

void read_out(int fd, struct bytes *b, struct content *content, bool lossy)
{
	read_on(fd, b, SIZE_MAX);
	content_of(content, b->data, b->len);
	save(b);
	judge(paths.tapped, lossy);
	free(b->data);
	close(fd);
}

char *status(void)
{
	static char text[4096];
	int fd = connect_to();
	size_t used = 0;
	ssize_t n;

	send(fd, "status\n", 7, MSG_NOSIGNAL);
	while ((n = recv(fd, text + used, sizeof(text) - 1 - used, 0)) > 0)
		used += n;
	text[used] = '\0';
	close(fd);
	return text;
}

void wait_without_taps(void)
{
	unsigned int i;

	for (i = 0; strstr(status(), " taps since "); i++) {
		assert_in_range(i, 0, 500);
		usleep(10000);
	}
}

void wait_for_bytes(const char *path, off_t bytes)
{
	struct stat st;
	unsigned int i;

	for (i = 0; stat(path, &st) || st.st_size < bytes; i++) {
		assert_in_range(i, 0, 3000);
		usleep(10000);
	}
}
