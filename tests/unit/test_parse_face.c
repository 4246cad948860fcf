// SPDX-License-Identifier: GPL-2.0-only
/* xblk.h as a program sees it: what is told of a trace, however its bytes come. */
#include "test_parse_util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "said.h"

#define MS 1000000ull

/* All that is told, a line each. */
struct told {
	struct xblk *x;
	FILE *out;
	char *text;
	size_t len;
	unsigned int requests, events, stop_at, ends;
};

static void on_request(void *user, const struct xblk_request *r)
{
	struct told *t = user;

	fprintf(t->out, "request %s %s %llu %s %lld\n", r->guest, r->label,
		(unsigned long long)r->sector, bin_names[r->bin],
		(long long)r->stages[STAGE_Q2C]);
	if (++t->requests == t->stop_at)
		xblk_stop(t->x);
}

static void on_event(void *user, const struct xblk_event_record *e)
{
	struct told *t = user;

	t->events++;
	fprintf(t->out, "event %c %u %u %llu %llu %s\n", e->letter, e->domid, e->cpu,
		(unsigned long long)e->sequence, (unsigned long long)e->record->time,
		e->label ? e->label : "-");
}

static void on_interval(void *user, const struct xblk_interval *i)
{
	struct told *t = user;

	fprintf(t->out, "interval %zu %llu %llu\n", i->disk,
		(unsigned long long)(i->to_ns - i->from_ns),
		(unsigned long long)(i->idle + i->done[KIND_READ].ios));
}

static void on_end(void *user, const struct xblk_trace *end)
{
	struct told *t = user;

	t->ends++;
	fprintf(t->out, "end %s %d %d\n", end->reason, end->problems, end->stopped);
}

static void on_message(void *user, const char *text)
{
	struct told *t = user;

	assert_null(strchr(text, '\n'));
	fprintf(t->out, "message %s\n", text);
}

static void told_open(struct told *t, uint64_t interval_ns)
{
	struct xblk_options o = {
		.user = t,
		.on_request = on_request,
		.on_event = on_event,
		.on_end = on_end,
		.on_message = on_message,
		.interval_ns = interval_ns,
	};

	*t = (struct told){0};
	t->out = open_memstream(&t->text, &t->len);
	if (interval_ns)
		o.on_interval = on_interval;
	t->x = open_handle(o);
}

static void told_close(struct told *t)
{
	xblk_close(t->x);
	fclose(t->out);
}

static void one(struct gen *g, uint64_t t, uint64_t sector)
{
	gen_event(g, GEN_GUEST, 0, t, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 1, 500);
	gen_event(g, GEN_GUEST, 0, t + 10, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 100,
		  1);
	gen_event(g, 0, 0, t + 20, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 2,
		  GEN_KTHREAD);
	gen_event(g, 0, 0, t + 30, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 200, 2);
	gen_event(g, 0, 0, t + 40, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8, 200, 0);
	gen_event(g, GEN_GUEST, 0, t + 50, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8, 100,
		  0);
}

/* Rounds, a pack, a chunk that is damaged, and one behind it. */
static void generate(struct gen *g)
{
	size_t at;

	gen_init(g);
	one(g, 1000, 64);
	gen_round(g, 2 * MS);
	at = g->len;
	one(g, 3 * MS, 128);
	gen_round(g, 4 * MS);
	gen_pack(g, at);
	one(g, 5 * MS, 192);
	gen_flush(g, 6 * MS);
	g->data[g->len - 200] ^= 1;
	one(g, 7 * MS, 256);
	gen_end(g, 8 * MS);
}

/* How its bytes come. */
enum way {
	AT_ONCE,
	BY_PIECES,
	AS_FILE,
	BY_PIPE,
};

static void feed_pieces(struct told *t, const struct gen *g, size_t step)
{
	for (size_t at = 0; at < g->len; at += step) {
		size_t n = g->len - at < step ? g->len - at : step;
		uint8_t *piece = malloc(n);

		/* Nothing of it is looked at later. */
		memcpy(piece, g->data + at, n);
		assert_int_equal(xblk_feed(t->x, piece, n), 0);
		free(piece);
	}
	assert_int_equal(xblk_finish(t->x), 0);
}

static void read_fd(struct told *t, const struct gen *g, bool pipe_wanted)
{
	int fds[2], fd = memfd_create("trace", MFD_CLOEXEC);

	if (pipe_wanted) {
		close(fd);
		assert_int_equal(pipe(fds), 0);
		assert_int_equal(write(fds[1], g->data, g->len), g->len);
		close(fds[1]);
		fd = fds[0];
	} else {
		assert_int_equal(pwrite(fd, g->data, g->len, 0), g->len);
	}
	assert_int_equal(xblk_read(t->x, fd), 0);
	close(fd);
}

static char *told_of(const struct gen *g, enum way way, size_t step)
{
	struct told t;

	told_open(&t, MS);
	if (way == AT_ONCE)
		feed_all(t.x, g->data, g->len);
	else if (way == BY_PIECES)
		feed_pieces(&t, g, step);
	else
		read_fd(&t, g, way == BY_PIPE);
	assert_int_equal(t.ends, 1);
	told_close(&t);
	return t.text;
}

static void same_however_it_comes(void **ctx)
{
	static const size_t steps[] = {1, 7, 31, 33, 64, 1000};
	struct gen g;
	char *want;

	(void)ctx;
	generate(&g);
	want = told_of(&g, AT_ONCE, 0);
	assert_non_null(strstr(want, "request guest1 xvda 64 joined 50\n"));
	assert_non_null(strstr(want, "request guest1 xvda 128 joined 50\n"));
	assert_non_null(strstr(want, "request guest1 xvda 256 joined 50\n"));
	assert_non_null(strstr(want, "cannot be used: data chunk"));
	assert_non_null(strstr(want, "interval 3 "));
	for (size_t i = 0; i < ARRAY_SIZE(steps) + 2; i++) {
		char *got = i < ARRAY_SIZE(steps)
				    ? told_of(&g, BY_PIECES, steps[i])
				    : told_of(&g, AS_FILE + i - ARRAY_SIZE(steps), 0);

		assert_string_equal(got, want);
		free(got);
	}
	free(want);
	gen_deinit(&g);
}

/* Each byte may be the last one that there is. */
static void ends_anywhere(void **ctx)
{
	struct gen g;

	(void)ctx;
	generate(&g);
	for (size_t len = 0; len < g.len; len += len < 300 ? 1 : 61) {
		struct told whole, pieces;

		told_open(&whole, 0);
		told_open(&pieces, 0);
		assert_int_equal(xblk_feed(whole.x, g.data, len),
				 xblk_feed(pieces.x, g.data, len / 2) |
					 xblk_feed(pieces.x, g.data + len / 2,
						   len - len / 2));
		assert_int_equal(xblk_finish(whole.x), xblk_finish(pieces.x));
		assert_string_equal(xblk_strerror(whole.x), xblk_strerror(pieces.x));
		told_close(&whole);
		told_close(&pieces);
		assert_string_equal(whole.text, pieces.text);
		free(whole.text);
		free(pieces.text);
	}
	gen_deinit(&g);
}

/* An error is a value and a text; nothing is printed, and nothing else is told. */
static void no_trace(void **ctx)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} cases[] = {
		{"", 0, "input: it is empty"},
		{"abc", 3, "input: 3 bytes are too short for a trace"},
		{"no trace at all, but long enough for the header of one: it has 64 bytes....",
		 75, "input: not a trace of xblktrace"},
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct said out, err;
		struct told t;
		int ret;

		said_begin(&out, STDOUT_FILENO);
		said_begin(&err, STDERR_FILENO);
		told_open(&t, 0);
		ret = xblk_feed(t.x, cases[i].bytes, cases[i].len);
		ret = ret ? ret : xblk_finish(t.x);
		said_end(&err);
		said_end(&out);
		assert_int_equal(ret, -EBADMSG);
		assert_string_equal(xblk_strerror(t.x), cases[i].text);
		/* and so it stays */
		assert_int_equal(xblk_feed(t.x, "x", 1), i == 2 ? -EBADMSG : -EINVAL);
		told_close(&t);
		assert_string_equal(t.text, "");
		assert_string_equal(err.text, "");
		assert_string_equal(out.text, "");
		free(t.text);
	}
}

/* What a message quotes of a trace drives no terminal, whoever prints it. */
static void printable(void **ctx)
{
	static const char meta[] = "{\"host\": \033]0;x\a\033[2J}";
	struct told t;
	struct gen g;

	(void)ctx;
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, sizeof(meta) - 1);
	gen_end(&g, MS);
	told_open(&t, 0);
	feed_all(t.x, g.data, g.len);
	told_close(&t);
	if (strncmp(t.text, "message metadata: invalid token near '?' (line 1)\n", 50))
		fail_msg("it says: %s", t.text);
	assert_null(strpbrk(t.text, "\033\a"));
	free(t.text);
	gen_deinit(&g);
}

static void bad_arguments(void **ctx)
{
	const struct xblk_options span = {.from_ns = 5, .to_ns = 5},
				  no_length = {.on_interval = on_interval},
				  nobody = {.interval_ns = MS};
	struct xblk *x;
	struct gen g;

	(void)ctx;
	assert_int_equal(xblk_open(NULL, NULL), -EINVAL);
	assert_int_equal(xblk_open(&x, &span), -EINVAL);
	assert_int_equal(xblk_open(&x, &no_length), -EINVAL);
	assert_int_equal(xblk_open(&x, &nobody), -EINVAL);
	assert_int_equal(xblk_feed(NULL, "", 0), -EINVAL);
	assert_int_equal(xblk_finish(NULL), -EINVAL);
	assert_int_equal(xblk_read(NULL, 0), -EINVAL);
	assert_non_null(xblk_strerror(NULL));
	xblk_close(NULL);

	gen_init(&g);
	gen_end(&g, MS);
	assert_int_equal(xblk_open(&x, NULL), 0);
	assert_int_equal(xblk_feed(x, NULL, 1), -EINVAL);
	assert_int_equal(xblk_read(x, -1), -EINVAL);
	feed_all(x, g.data, g.len);
	assert_int_equal(xblk_feed(x, g.data, 1), -EINVAL);
	assert_int_equal(xblk_finish(x), -EINVAL);
	assert_int_equal(xblk_read(x, 0), -EINVAL);
	xblk_close(x);
	/* and one that was not finished */
	assert_int_equal(xblk_open(&x, NULL), 0);
	assert_int_equal(xblk_feed(x, g.data, g.len - 100), 0);
	xblk_close(x);
	/* and one to which nothing was fed */
	assert_int_equal(xblk_open(&x, NULL), 0);
	assert_true(xblk_finish(x) < 0);
	xblk_close(x);
	gen_deinit(&g);
}

/* A folder is no trace: what reading says. */
static void cannot_be_read(void **ctx)
{
	FILE *folder = fopen("/", "re");
	struct xblk *x = open_handle((struct xblk_options){0});

	(void)ctx;
	assert_non_null(folder);
	assert_int_equal(xblk_read(x, fileno(folder)), -EISDIR);
	assert_string_equal(xblk_strerror(x), "input: Is a directory");
	xblk_close(x);
	fclose(folder);
}

/* What was read by then is finished, and nothing more is read. */
static void stopped(void **ctx)
{
	struct told t;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 10; i++) {
		one(&g, (i + 1) * 2 * MS, 64);
		gen_round(&g, (i + 1) * 2 * MS + MS);
		gen_round(&g, (i + 1) * 2 * MS + MS);
	}
	gen_end(&g, 40 * MS);
	told_open(&t, 0);
	t.stop_at = 3;
	assert_int_equal(xblk_feed(t.x, g.data, g.len), -ECANCELED);
	assert_int_equal(xblk_feed(t.x, g.data, g.len), -ECANCELED);
	assert_int_equal(xblk_finish(t.x), 0);
	assert_int_equal(t.requests, 3);
	told_close(&t);
	assert_non_null(strstr(t.text, "end  0 1\n"));
	free(t.text);
	gen_deinit(&g);
}

/* Only requests that began in it, and events that were in it. */
static void span_of_time(void **ctx)
{
	struct told t = {0};
	struct gen g;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < 10; i++)
		one(&g, (i + 1) * MS, 64 * i);
	gen_end(&g, 40 * MS);
	t.out = open_memstream(&t.text, &t.len);
	t.x = open_handle((struct xblk_options){.user = &t,
						.on_request = on_request,
						.on_event = on_event,
						.from_ns = 3 * MS,
						.to_ns = 5 * MS});
	feed_all(t.x, g.data, g.len);
	assert_int_equal(t.requests, 2);
	assert_int_equal(t.events, 12);
	told_close(&t);
	free(t.text);
	gen_deinit(&g);
}

/* What there is: domains, disks and streams, by their numbers. */
static void what_it_says(void **ctx)
{
	struct xblk_domain dom;
	struct xblk_stream s;
	struct xblk_trace t;
	struct xblk_disk d;
	struct xblk *x;
	size_t at = 0, guests = 0, streams = 0;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	one(&g, MS, 64);
	gen_end(&g, 2 * MS);
	x = open_handle((struct xblk_options){0});
	xblk_get_trace(x, &t);
	assert_int_equal(t.version, 0);
	assert_false(xblk_next_domain(x, &at, &dom));
	feed_all(x, g.data, g.len);
	xblk_get_trace(x, &t);
	assert_int_equal(t.start_ns, GEN_START);
	assert_int_equal(xblk_start_ns(x), GEN_START);
	assert_int_equal(t.bytes, g.len);
	assert_string_equal(t.host, "host");
	assert_true(t.ended && t.conserved && !t.problems && !t.foreign && !t.partial);
	for (at = 0; xblk_next_domain(x, &at, &dom);)
		guests += !dom.backend;
	assert_int_equal(guests, 1);
	at = 3;
	assert_true(xblk_next_disk(x, &at, &d));
	assert_int_equal(at, 4);
	assert_int_equal(d.nr, 3);
	assert_string_equal(d.label, "xvda");
	assert_string_equal(d.guest, "guest1");
	at = d.backing;
	assert_true(xblk_next_disk(x, &at, &d));
	assert_true(d.backend);
	assert_string_equal(d.label, "nvme0n1");
	assert_string_equal(d.scheduler, "none");
	at = XBLK_NO_DISK_NR;
	assert_false(xblk_next_disk(x, &at, &d));
	for (at = 0; xblk_next_stream(x, &at, &s); streams++)
		assert_true(s.accounted && s.produced == s.records);
	assert_int_equal(streams, 2);
	xblk_close(x);
	gen_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_however_it_comes),
		cmocka_unit_test(ends_anywhere),
		cmocka_unit_test(no_trace),
		cmocka_unit_test(printable),
		cmocka_unit_test(bad_arguments),
		cmocka_unit_test(cannot_be_read),
		cmocka_unit_test(stopped),
		cmocka_unit_test(span_of_time),
		cmocka_unit_test(what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
