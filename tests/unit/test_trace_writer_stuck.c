// SPDX-License-Identifier: GPL-2.0-only
/* Outputs that are slow, or take nothing more: who writes does not wait for them. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "written.h"

struct slow_reader {
	int fd;
	unsigned char *bytes;
	size_t len;
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;
	ssize_t n;

	do {
		usleep(200);
		n = read(r->fd, r->bytes + r->len, 9999);
		r->len += n > 0 ? n : 0;
	} while (n > 0);
	return NULL;
}

static void test_slow_pipe(void **state)
{
	struct slow_reader r = {.bytes = malloc(8 << 20)};
	struct found found;
	pthread_t thread;
	struct writer w;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	r.fd = fds[0];
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	assert_false(w.out.regular);
	close(fds[1]);
	pthread_create(&thread, NULL, read_slowly, &r);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_true(put_records(&w, 0, 40000, 1));
	assert_true(put_records(&w, 1, 40000, 1));
	assert_int_equal(writer_close(&w), 0);
	pthread_join(thread, NULL);
	close(fds[0]);
	check_bytes(r.bytes, r.len, &found, true);
	assert_int_equal(found.records[0], 40000);
	assert_int_equal(found.records[1], 40000);
	free(r.bytes);
}

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* Records and marks until there is no room: nothing waits.  Return: records. */
static uint64_t fill(struct writer *w)
{
	static const char text[XBLK_CHUNK_MAX_PAYLOAD];
	uint64_t records = 0, before = clock_ms();
	size_t max, i;
	uint64_t *to;

	for (; (to = writer_reserve(w, &max)); records += max) {
		for (i = 0; i < max * 4; i++)
			to[i] = record_word(0, written_streams[0].records + i / 4, i % 4);
		writer_commit(w, &written_streams[0], max, 1);
		assert_int_equal(writer_chunk(w, XBLK_CHUNK_ROUND, NULL, 0, 1), 0);
		writer_flush(w);
	}
	assert_int_equal(writer_error(w), 0);
	assert_true(writer_refused(w) && !writer_refused(w));
	assert_int_equal(writer_chunk(w, XBLK_CHUNK_META, text, sizeof(text), 1),
			 -EAGAIN);
	assert_true(clock_ms() - before < 20000);
	return records;
}

/* What has come through of an output that took nothing more, and what the streams say. */
static void check_stuck(int fd)
{
	unsigned char *bytes = malloc(8 << 20);
	struct found found;
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, bytes + len, (8 << 20) - len)) > 0)
		len += n;
	assert_int_equal(n, 0);
	assert_in_range(len, 4096, 4 << 20);
	check_bytes(bytes, len, &found, false);
	assert_int_equal(found.records[0], written_streams[0].records);
	assert_int_equal(found.records[1], written_streams[1].records);
	free(bytes);
}

static void test_stuck_pipe(void **state)
{
	struct writer w;
	uint64_t out;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	/* All blocks but one are full, whatever the output has taken. */
	assert_in_range(fill(&w), (SINK_BLOCKS / 2 - 1) * 30000, SINK_BLOCKS * 40000);
	assert_int_equal(writer_sync(&w, 50), -ETIMEDOUT);
	assert_false(writer_ready(&w));
	out = writer_bytes_out(&w);
	writer_give_up(&w);
	assert_int_equal(writer_sync(&w, -1), -EINTR);
	assert_int_equal(writer_bytes_out(&w), out);
	assert_true(writer_ready(&w));
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -EINTR);
	assert_int_equal(writer_close(&w), -EINTR);
	check_stuck(fds[0]);
	close(fds[0]);
}

/* C6: the descriptor is also another's, and cannot be made to not block. */
static void test_stuck_socket(void **state)
{
	uint64_t before;
	struct writer w;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	fill(&w);
	/* The end comes in time although nobody gives the output up. */
	before = clock_ms();
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -EINTR);
	assert_in_range(clock_ms() - before, 0, 3 * WRITER_PATIENCE_MS);
	assert_int_equal(writer_close(&w), -EINTR);
	check_stuck(fds[0]);
	close(fds[0]);
}

/* One that is connected, with few blocks: it holds that much of what is not read. */
static void test_own_socket(void **state)
{
	struct writer w;
	uint64_t records;
	unsigned int i;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(writer_open_socket(&w, fds[1], "tap", 3), 0);
	if (written_level)
		assert_int_equal(writer_compress(&w, written_level, 1), 0);
	for (i = 0; i < 2; i++) {
		written_streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(&w, &written_streams[i]);
		assert_int_equal(written_streams[i].nr, i);
	}
	assert_int_equal(writer_header(&w, 0, 0), 0);
	records = fill(&w);
	assert_in_range(records, 2 * 30000, 3 * 40000);
	do {
		assert_int_equal(writer_sync(&w, 50), -ETIMEDOUT);
	} while (!writer_bytes_out(&w));
	writer_give_up(&w);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -EINTR);
	assert_int_equal(writer_close(&w), -EINTR);
	check_stuck(fds[0]);
	close(fds[0]);
}

/* A terminal that was stopped with Ctrl-S. */
static void test_stopped_terminal(void **state)
{
	int master, slave;
	struct writer w;

	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	begin_writing(&w, ptsname(master));
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(writer_sync(&w, 50), -ETIMEDOUT);
	writer_give_up(&w);
	assert_int_equal(writer_close(&w), -EINTR);
	close(slave);
	close(master);
}

/* One that stalls for a while loses what there was no room for, and nothing else. */
static void test_stalled_pipe(void **state)
{
	struct slow_reader r = {.bytes = malloc(32 << 20)};
	struct found found;
	pthread_t thread;
	struct writer w;
	uint64_t filled;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	r.fd = fds[0];
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	filled = fill(&w);
	pthread_create(&thread, NULL, read_slowly, &r);
	assert_true(put_records(&w, 1, 5, 2));
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), 0);
	assert_int_equal(writer_close(&w), 0);
	pthread_join(thread, NULL);
	close(fds[0]);
	check_bytes(r.bytes, r.len, &found, true);
	assert_int_equal(found.records[0], filled);
	assert_int_equal(found.records[0], written_streams[0].records);
	assert_int_equal(found.records[1], 5);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
	free(r.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_pipe),
		cmocka_unit_test(test_stuck_pipe),
		cmocka_unit_test(test_stuck_socket),
		cmocka_unit_test(test_own_socket),
		cmocka_unit_test(test_stopped_terminal),
		cmocka_unit_test(test_stalled_pipe),
	};

	return cmocka_run_group_tests_name("plain", tests, begin_plain, end_file) +
	       cmocka_run_group_tests_name("compressed", tests, begin_compressed,
					   end_file);
}
