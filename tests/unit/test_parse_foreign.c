// SPDX-License-Identifier: GPL-2.0-only
/* What does not belong together: it is said, and in no latency. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "trace_fixture.h"

static void one(struct gen *g, uint64_t t)
{
	gen_event(g, GEN_GUEST, 0, t, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 1, 500);
	gen_event(g, GEN_GUEST, 0, t + 100, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 100, 1);
	gen_event(g, 0, 0, t + 300, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, t + 600, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 200, 2);
	gen_event(g, 0, 0, t + 1000, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 200, 0);
	gen_event(g, GEN_GUEST, 0, t + 1500, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 100,
		  0);
}

/* @text with its only @from replaced. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *result = malloc(strlen(text) + strlen(to) + 1);

	assert_non_null(at);
	memcpy(result, text, at - text);
	strcpy(result + (at - text), to);
	strcat(result, at + strlen(from));
	return result;
}

static void add(const struct gen *more, size_t from)
{
	g.data = realloc(g.data, g.len + more->len - from);
	assert_non_null(g.data);
	memcpy(g.data + g.len, more->data + from, more->len - from);
	g.len += more->len - from;
}

/* All that the program says of a trace, with status 1, is one line: @want. */
static void check_said(const char *want)
{
	static char name[] = "/tmp/foreignXXXXXX";
	const char *program = getenv("XBLKPARSE");
	char line[4096], said[4096];
	int fd, status;
	size_t n;
	FILE *f;

	assert_non_null(program);
	strcpy(name + sizeof(name) - 7, "XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, g.data, g.len), g.len);
	close(fd);
	snprintf(line, sizeof(line), "%s -q %s 2>&1", program, name);
	f = popen(line, "r");
	assert_non_null(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	status = pclose(f);
	unlink(name);
	snprintf(line, sizeof(line), "xblkparse: %s\n", want);
	assert_string_equal(said, line);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* Another one begins at @at: that is said, and why, and only the first one is used. */
static void check_first_only(size_t at, const char *why)
{
	struct outcome o;
	char want[256];

	snprintf(want, sizeof(want),
		 "input: another trace begins at byte %zu, and is not used: %s", at, why);
	check_said(want);
	run(&o, g.data, g.len);
	assert_true(o.parse.foreign);
	assert_true(o.parse.problems);
	assert_int_equal(o.parse.reader.damaged, 0);
	assert_int_equal(disk_stats(&o, 3, 0)->requests, 1);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 1);
	parse_deinit(&o.parse);
}

static const char header[] = "a header of its own is there";

/* A whole one is put behind the first. */
static void check_another(void)
{
	const size_t at = g.len;
	struct gen more;

	gen_init(&more);
	one(&more, 20000);
	gen_end(&more, 30000);
	add(&more, 0);
	gen_deinit(&more);
	check_first_only(at, header);
}

/* cat one two */
static void behind_the_end(void **ctx)
{
	(void)ctx;
	one(&g, 1000);
	gen_end(&g, 10000);
	check_another();
}

/* The first one was cut off, at the border of a chunk. */
static void without_an_end(void **ctx)
{
	(void)ctx;
	one(&g, 1000);
	gen_round(&g, 10000);
	check_another();
}

/* Of the other one there is no more than that. */
static void header_alone(void **ctx)
{
	struct gen more;
	size_t at;

	(void)ctx;
	one(&g, 1000);
	gen_end(&g, 10000);
	at = g.len;
	gen_init_bare(&more);
	add(&more, 0);
	gen_deinit(&more);
	check_first_only(at, header);
}

/* The same, without the header between that shows it: what a META says is the same. */
static void without_header(void **ctx)
{
	struct gen more;
	size_t at;

	(void)ctx;
	one(&g, 1000);
	gen_round(&g, 10000);
	at = g.len;
	gen_init(&more);
	one(&more, 20000);
	gen_end(&more, 30000);
	add(&more, sizeof(struct xblk_trace_header));
	gen_deinit(&more);
	check_first_only(at, "time goes back");
}

/* And behind the end of the first one. */
static void without_header_behind_the_end(void **ctx)
{
	size_t at;

	(void)ctx;
	one(&g, 1000);
	gen_end(&g, 10000);
	at = g.len;
	gen_round(&g, 20000);
	check_first_only(at, "it is behind the end of the capture");
}

static void another_host(void **ctx)
{
	char *meta = replaced(gen_meta_text, "\"host\": \"host\"", "\"host\": \"b\"");
	size_t at;

	(void)ctx;
	one(&g, 1000);
	gen_round(&g, 10000);
	at = g.len;
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 20000, meta, strlen(meta));
	one(&g, 30000);
	gen_end(&g, 40000);
	free(meta);
	check_first_only(at, "it is of another host");
}

/* A host that was booted anew: its time begins again. */
static void time_goes_back(void **ctx)
{
	size_t at;

	(void)ctx;
	one(&g, 1000);
	gen_round(&g, 10000);
	at = g.len;
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 9999, gen_meta_text,
		  strlen(gen_meta_text));
	one(&g, 30000);
	gen_end(&g, 40000);
	check_first_only(at, "time goes back");
}

/* Its time goes on as on the same host, but its streams begin again. */
static void streams_begin_again(void **ctx)
{
	struct gen more;
	size_t at;

	(void)ctx;
	one(&g, 1000);
	gen_round(&g, 10000);
	gen_init_bare(&more);
	gen_chunk(&more, XBLK_CHUNK_META, 0, 0, 0, 20000, gen_meta_text,
		  strlen(gen_meta_text));
	/* The metadata are the same as before and say nothing. */
	at = g.len + more.len - sizeof(struct xblk_trace_header);
	gen_process(&more, 0, 0, 20000, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	one(&more, 20000);
	gen_end(&more, 30000);
	add(&more, sizeof(struct xblk_trace_header));
	gen_deinit(&more);
	check_first_only(at, "a stream begins again");
}

/* Metadata come again without harm. */
static void the_same_again(void **ctx)
{
	struct outcome o;

	(void)ctx;
	one(&g, 1000);
	gen_round(&g, 10000);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 10000, gen_meta_text,
		  strlen(gen_meta_text));
	one(&g, 30000);
	run_gen(&o, &g);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 2);
	parse_deinit(&o.parse);
}

/* Another guest has the domain id now; a request of the first one is on its way. */
static void domid_again(void **ctx)
{
	char *first = replaced(gen_meta_text, "\"name\": \"guest1\"",
			       "\"name\": \"guest1\", \"uuid\": \"u1\"");
	char *second = replaced(gen_meta_text, "\"name\": \"guest1\"",
				"\"name\": \"guest2\", \"uuid\": \"u2\"");
	struct disk *was, *is;
	struct outcome o;

	(void)ctx;
	trace_again_bare();
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, first, strlen(first));
	gen_process(&g, 0, 0, 0, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	one(&g, 1000);
	GUEST(5000, QUEUE, READ, 640, 8, 3, 500);
	GUEST(5100, ISSUE, READ, 640, 8, 300, 3);
	gen_round(&g, 10000);
	gen_round(&g, 11000);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 12000, second, strlen(second));
	DOM0(20000, QUEUE, READ, 640, 8, 4, GEN_KTHREAD);
	DOM0(20100, ISSUE, READ, 640, 8, 400, 4);
	DOM0(20200, COMPLETE, READ, 640, 8, 400, 0);
	GUEST(20300, COMPLETE, READ, 640, 8, 300, 0);
	one(&g, 30000);
	run_gen(&o, &g);
	free(first);
	free(second);
	was = o.parse.model.all_disks[3];
	is = domain_disk(model_domain(&o.parse.model, 3), 0);
	assert_ptr_not_equal(was, is);
	assert_string_equal(was->guest, "guest1");
	assert_string_equal(is->guest, "guest2");
	assert_int_equal(stats_of(was)->bins[BIN_JOINED], 1);
	assert_int_equal(stats_of(is)->bins[BIN_JOINED], 1);
	assert_int_equal(stats_of(was)->requests + stats_of(is)->requests, 4);
	parse_deinit(&o.parse);
}

/* One side alone: dom0's records or the guest's are not in the trace. */
static void one_side(void **ctx)
{
	struct outcome o;

	(void)ctx;
	trace_again_bare();
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, gen_meta_text, strlen(gen_meta_text));
	GUEST(1000, QUEUE, READ, 640, 8, 3, 500);
	GUEST(1100, ISSUE, READ, 640, 8, 300, 3);
	GUEST(1200, COMPLETE, READ, 640, 8, 300, 0);
	gen_end(&g, 40000);
	check_said("dom0: the trace has no record of it, so no request can be "
		   "followed");
	run(&o, g.data, g.len);
	assert_true(o.parse.problems);
	assert_int_equal(disk_stats(&o, 3, 0)->bins[BIN_JOINED], 0);
	parse_deinit(&o.parse);

	trace_again();
	DOM0(20000, QUEUE, READ, 640, 8, 4, GEN_KTHREAD);
	DOM0(20100, ISSUE, READ, 640, 8, 400, 4);
	DOM0(20200, COMPLETE, READ, 640, 8, 400, 0);
	gen_end(&g, 40000);
	check_said("domain 3: dom0 served its xvda, but the trace has no record of it");
}

/* The metadata know no guest: nothing can be told of what dom0 did. */
static void no_guest(void **ctx)
{
	static const char meta[] =
		"{\"host\": \"host\", \"backend\": {\"domid\": 0, \"disks\": "
		"[{\"index\": 0, \"name\": \"nvme0n1\"}]}, \"guests\": []}";

	(void)ctx;
	trace_again_bare();
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, strlen(meta));
	DOM0(20000, QUEUE, READ, 640, 8, 4, GEN_KTHREAD);
	DOM0(20100, ISSUE, READ, 640, 8, 400, 4);
	DOM0(20200, COMPLETE, READ, 640, 8, 400, 0);
	gen_end(&g, 40000);
	check_said("metadata: there is no guest in them, and dom0's records alone "
		   "tell of no request");
}

/* Of a later version than this reader's, whatever is in it. */
static void next_version(void **ctx)
{
	struct xblk_trace_header *h;
	char want[128];

	(void)ctx;
	one(&g, 1000);
	gen_end(&g, 10000);
	h = (void *)g.data;
	h->version = XBLK_TRACE_VERSION + 1;
	h->checksum = XXH3_64bits(h, offsetof(struct xblk_trace_header, checksum));
	snprintf(want, sizeof(want),
		 "input: format %u is newer than this xblkparse, which knows %u",
		 XBLK_TRACE_VERSION + 1, XBLK_TRACE_VERSION);
	check_said(want);
}

/* dom0 was traced a little before the guest, which then did nothing: nothing is missing. */
static void idle_side(void **ctx)
{
	struct outcome o;

	(void)ctx;
	DOM0(20000, QUEUE, READ, 640, 8, 4, GEN_KTHREAD);
	gen_process(&g, GEN_GUEST, 0, 0, 500, "fio", 0);
	g.streams[1].nr = g.streams[1].produced = 0;
	run_gen(&o, &g);
	assert_int_equal(disk_counts(&o, 3, 0)->backend.bios, 1);
	parse_deinit(&o.parse);

	trace_again();
	DOM0(20000, QUEUE, READ, 640, 8, 4, 1);
	run_gen(&o, &g);
	parse_deinit(&o.parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRACE_TEST(behind_the_end),
		TRACE_TEST(without_an_end),
		TRACE_TEST(header_alone),
		TRACE_TEST(without_header),
		TRACE_TEST(another_host),
		TRACE_TEST(time_goes_back),
		TRACE_TEST(streams_begin_again),
		TRACE_TEST(the_same_again),
		TRACE_TEST(domid_again),
		TRACE_TEST(one_side),
		TRACE_TEST(idle_side),
		TRACE_TEST(without_header_behind_the_end),
		TRACE_TEST(no_guest),
		TRACE_TEST(next_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
