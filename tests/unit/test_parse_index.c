// SPDX-License-Identifier: GPL-2.0-only
/*
 * -w of a file with an index: what is said of a span is what reading everything says,
 * to the byte, and little more than the span is read.
 */
#include "filter-args.h"
#include "test_parse_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sinks/output.h"
#include "sinks/requests.h"

#define MS  1000000ull
#define SEC 1000000000ull

static struct filter filter;

/* A reading of a trace in memory, and what it printed. */
struct reading {
	struct xblk *x;
	size_t bytes;
	FILE *out;
	char *text;
	size_t len;
};

static void print_request(void *user, const struct xblk_request *request)
{
	struct reading *r = user;

	if (filter_shows(&filter, request))
		csv_request_print(r->out, xblk_start_ns(r->x), request);
}

static void print_event(void *user, const struct xblk_event_record *e)
{
	struct reading *r = user;

	if (event_shown(r->x, &filter, e))
		event_print(r->out, xblk_start_ns(r->x), e);
}

/* Bytes that this process has read, by the kernel's word. */
static size_t bytes_read(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	size_t nr = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "rchar: %zu", &nr), 1);
	fclose(f);
	return nr;
}

static void read_file(struct reading *r, const struct gen *g)
{
	int fd = memfd_create("trace", MFD_CLOEXEC);
	size_t before;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, g->data, g->len, 0), g->len);
	before = bytes_read();
	xblk_read(r->x, fd);
	r->bytes = bytes_read() - before;
	close(fd);
}

/* Return: whether there was an index to use. */
static bool read_trace(struct reading *r, const struct gen *g, const char *span,
		       bool as_file)
{
	memset(&filter, 0, sizeof(filter));
	assert_null(filter_parse_time(&filter, span));
	memset(r, 0, sizeof(*r));
	r->out = open_memstream(&r->text, &r->len);
	r->x = open_handle((struct xblk_options){.user = r,
						 .on_request = print_request,
						 .on_event = print_event,
						 .from_ns = filter.from_ns,
						 .to_ns = filter.to_ns});
	if (as_file)
		read_file(r, g);
	else
		feed_all(r->x, g->data, g->len);
	csv_summary(r->out, r->x, &filter);
	fclose(r->out);
	return r->x->parse.index;
}

static void end_reading(struct reading *r)
{
	xblk_close(r->x);
	free(r->text);
}

/* The same is said of the span, from at most @percent of the bytes. */
static void check_span(const struct gen *g, const char *span, unsigned int percent)
{
	struct reading all, part;

	read_trace(&all, g, span, false);
	assert_true(read_trace(&part, g, span, true));
	assert_false(all.x->parse.problems);
	assert_false(part.x->parse.problems);
	assert_string_equal(part.text, all.text);
	assert_non_null(strchr(part.text, '\n'));
	assert_in_range(part.bytes, 1, (uint64_t)g->len * percent / 100);
	for (size_t i = 0; i < all.x->parse.model.nr_disks; i++) {
		const struct disk_stats *a = stats_of(all.x->parse.model.all_disks[i]);
		const struct disk_stats *b = stats_of(part.x->parse.model.all_disks[i]);

		assert_int_equal(a->requests, b->requests);
		assert_memory_equal(a->bins, b->bins, sizeof(a->bins));
	}
	end_reading(&all);
	end_reading(&part);
}

/* The guest's half of a request on its way to the disk, and dom0's. */
static void issue(struct gen *out, uint64_t ns, uint32_t id, uint32_t pid)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, 64 * id, 8, id, pid);
	GUEST(ns + 10, ISSUE, READ, 64 * id, 8, id, id);
	DOM0(ns + 110, QUEUE, READ, 64 * id, 8, id, GEN_KTHREAD);
	DOM0(ns + 210, ISSUE, READ, 64 * id, 8, id, id);
	*out = g;
}

static void complete(struct gen *out, uint64_t ns, uint32_t id)
{
	struct gen g = *out;

	DOM0(ns, COMPLETE, READ, 64 * id, 8, id, 0);
	GUEST(ns + 100, COMPLETE, READ, 64 * id, 8, id, 0);
	*out = g;
}

/* From @from to @to s: two requests each 5 ms, a round and then five of them. */
static void requests(struct gen *g, unsigned int from, unsigned int to)
{
	for (uint64_t ns = from * SEC; ns < to * SEC; ns += 5 * MS) {
		uint32_t id = 10 + ns / MS % 5000;

		issue(g, ns, id, 500);
		issue(g, ns + 1000, id + 1, 501);
		complete(g, ns + 1 * MS, id);
		complete(g, ns + 2 * MS, id + 1);
		if (ns % (25 * MS) == 0)
			gen_round(g, ns + 3 * MS);
	}
}

static void begin(struct gen *g)
{
	gen_init(g);
	gen_process(g, GEN_GUEST, 0, 0, 500, "dd", 0);
	gen_process(g, GEN_GUEST, 0, 0, 501, "mysqld", 0);
}

static void little_is_read(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 100);
	/* Another name, before some spans and behind others. */
	gen_process(&g, GEN_GUEST, 0, 100 * SEC, 501, "kworker", 1);
	requests(&g, 100, 200);
	gen_end_indexed(&g, 200 * SEC, 4096);
	check_span(&g, "50:50.1", 6);
	check_span(&g, "150:150.1", 6);
	check_span(&g, "99.9:100.5", 6);
	check_span(&g, "0.5:0.6", 3);
	check_span(&g, "199:", 6);
	/* Long behind the end. */
	check_span(&g, "300:301", 6);
	gen_deinit(&g);
}

/*
 * What is in flight when a span begins is not of it; where such a thing has just come
 * back, it is looked for.
 */
static void in_flight_for_long(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 50);
	issue(&g, 50 * SEC, 1, 500);
	requests(&g, 50, 53);
	complete(&g, 53 * SEC, 1);
	requests(&g, 53, 60);
	GUEST(60 * SEC, QUEUE, READ, 64 * 2, 8, 2, 500);
	requests(&g, 60, 100);
	/* Queued far ahead of its D: not of the span in which it is issued. */
	GUEST(100 * SEC, ISSUE, READ, 64 * 2, 8, 2, 2);
	DOM0(100 * SEC + 100, QUEUE, READ, 64 * 2, 8, 2, GEN_KTHREAD);
	DOM0(100 * SEC + 200, ISSUE, READ, 64 * 2, 8, 2, 2);
	complete(&g, 100 * SEC + 300, 2);
	/* In flight at the span's begin and end. */
	issue(&g, 100 * SEC + 400, 3, 501);
	requests(&g, 100, 130);
	complete(&g, 130 * SEC, 3);
	requests(&g, 130, 150);
	gen_end_indexed(&g, 150 * SEC, 4096);
	check_span(&g, "53.3:53.4", 20);
	check_span(&g, "52:54", 8);
	/* Until its own last request has come back. */
	check_span(&g, "100:100.1", 25);
	check_span(&g, "120:121", 8);
	check_span(&g, "129:131", 8);
	gen_deinit(&g);
}

/*
 * The guest's tracing ended and was resumed: what was under way by then began before its
 * records did, but not before those that are read.
 */
static void traced_again(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 60);
	gen_round(&g, 70 * SEC - 1);
	gen_event(&g, GEN_GUEST, 0, 70 * SEC, XBLK_EV_CLOCK, 0, 0, 0, 1u << 31 | 1, 0);
	gen_last(&g, GEN_GUEST, 0)->disk = XBLK_NO_DISK;
	GUEST(70 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
	GUEST(70 * SEC + 20, ISSUE, READ, 64 * 8, 8, 8, 8);
	GUEST(70 * SEC + 30, COMPLETE, READ, 64 * 8, 8, 8, 0);
	requests(&g, 70, 120);
	gen_end_indexed(&g, 120 * SEC, 4096);
	check_span(&g, "50:", 100);
	check_span(&g, "65:", 100);
	check_span(&g, "69:71", 100);
	check_span(&g, "70:", 100);
	check_span(&g, "80:", 60);
	gen_deinit(&g);
}

/* The same where the guest is another one that came meanwhile. */
static void came_meanwhile(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 60);
	gen_gone(&g, GEN_GUEST, 61 * SEC);
	gen_round(&g, 70 * SEC - 1);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 70 * SEC, gen_meta_text,
		  strlen(gen_meta_text));
	GUEST(70 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
	requests(&g, 70, 120);
	gen_end_indexed(&g, 120 * SEC, 4096);
	check_span(&g, "50:", 100);
	check_span(&g, "69:71", 100);
	check_span(&g, "70:", 100);
	check_span(&g, "80:", 60);
	gen_deinit(&g);
}

/*
 * What was lost is known, wherever the stream told of it; so it is also known whether
 * the capture's end tells of more, which the last request may be one of.
 */
static void losses(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (unsigned int at_end = 0; at_end < 2; at_end++) {
		begin(&g);
		requests(&g, 0, 50);
		gen_lost(&g, 0, 0, 50 * SEC, 50 * SEC + MS, 7);
		requests(&g, 51, 100);
		gen_lost(&g, GEN_GUEST, 0, 100 * SEC, 100 * SEC + 500 * MS, 7);
		requests(&g, 101, 120);
		issue(&g, 120 * SEC, 1, 500);
		gen_count_lost(&g, 0, 0, at_end);
		gen_end_indexed(&g, 121 * SEC, 4096);
		check_span(&g, "20:21", 8);
		check_span(&g, "49.9:51.5", 8);
		check_span(&g, "100:101.1", 8);
		check_span(&g, "119:", 12);
		gen_deinit(&g);
	}
}

/*
 * A CPU tells long after the span that it lost what is of it, at last or not even then;
 * what is in between is not read for that.
 */
static void losses_told_late(void **ctx)
{
	struct reading part;
	struct gen g;

	(void)ctx;
	for (unsigned int at_end = 0; at_end < 2; at_end++) {
		begin(&g);
		gen_event(&g, 0, 1, 19 * SEC, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8, 9, 1);
		requests(&g, 0, 20);
		for (uint32_t id = 1; id <= 10; id++) {
			GUEST(20 * SEC + id, QUEUE, READ, 64 * id, 8, id, 500);
			GUEST(20 * SEC + MS, ISSUE, READ, 64 * id, 8, id, id);
			DOM0(20 * SEC + 2 * MS, QUEUE, READ, 64 * id, 8, id, GEN_KTHREAD);
			GUEST(20 * SEC + 20 * MS, COMPLETE, READ, 64 * id, 8, id, 0);
		}
		requests(&g, 21, 60);
		if (at_end)
			gen_count_lost(&g, 0, 1, 20);
		else
			gen_lost(&g, 0, 1, 19 * SEC, 21 * SEC, 20);
		requests(&g, 60, 100);
		gen_end_indexed(&g, 100 * SEC, 4096);
		check_span(&g, "20:21", 8);
		assert_true(read_trace(&part, &g, "20:21", true));
		assert_int_equal(stats_of(domain_disk(model_domain(&part.x->parse.model,
								   GEN_GUEST),
						      0))
					 ->bins[BIN_LOST],
				 10);
		assert_true(part.x->parse.ended);
		end_reading(&part);
		gen_deinit(&g);
	}
}

static void flush_begins(struct gen *out, uint64_t ns)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
	GUEST(ns + MS, ISSUE, FLUSH, 0, 0, 2, 0);
	*out = g;
}

/*
 * A flush that is outstanding when the span begins holds up what is of it.  That it
 * may be for long, the read beside it shows.
 */
static void flush(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (int long_ago = 0; long_ago < 2; long_ago++) {
		begin(&g);
		requests(&g, 0, 57);
		if (long_ago) {
			flush_begins(&g, 57 * SEC);
			issue(&g, 57 * SEC, 4, 501);
		}
		requests(&g, 57, 59);
		if (!long_ago)
			flush_begins(&g, 60 * SEC - 500 * MS);
		for (unsigned int i = 4; i; i--)
			gen_round(&g, 60 * SEC - i * 100 * MS);
		if (long_ago)
			complete(&g, 60 * SEC - 50 * MS, 4);
		GUEST(60 * SEC + 10 * MS, QUEUE, READ, 64 * 3, 8, 3, 500);
		GUEST(60 * SEC + 20 * MS, COMPLETE, FLUSH, 0, 0, 2, 0);
		GUEST(60 * SEC + 30 * MS, ISSUE, READ, 64 * 3, 8, 3, 3);
		DOM0(60 * SEC + 30 * MS, QUEUE, READ, 64 * 3, 8, 3, GEN_KTHREAD);
		DOM0(60 * SEC + 30 * MS, ISSUE, READ, 64 * 3, 8, 3, 3);
		complete(&g, 60 * SEC + 40 * MS, 3);
		gen_round(&g, 60 * SEC + 50 * MS);
		requests(&g, 61, 100);
		gen_end_indexed(&g, 100 * SEC, 1);
		check_span(&g, "60:60.1", 25);
		gen_deinit(&g);
	}
}

/* Queued on one vCPU, and issued by the request of its queue on another one. */
static void flush_by(struct gen *g, uint64_t ns, unsigned int queued, unsigned int issued)
{
	gen_event(g, GEN_GUEST, queued, ns, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500 + queued);
	gen_event(g, GEN_GUEST, issued, ns + 100, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0,
		  1 + issued / 2, 0);
}

static void flush_done(struct gen *out, uint64_t ns, unsigned int issued)
{
	struct gen g = *out;

	DOM0(ns, QUEUE, FLUSH, 0, 0, 5, GEN_KTHREAD);
	DOM0(ns + 10, ISSUE, FLUSH, 0, 0, 6, 0);
	DOM0(ns + 20, COMPLETE, FLUSH, 0, 0, 6, 0);
	gen_event(&g, GEN_GUEST, issued, ns + 100, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0,
		  1 + issued / 2, 0);
	*out = g;
}

/*
 * Two queues of two vCPUs each, and a flush of both at once: which is whose is known
 * only by what each vCPU has issued before, be it long ago.
 */
static void rare_flushes(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (int both_seen = 0; both_seen < 2; both_seen++) {
		begin(&g);
		requests(&g, 0, 10);
		for (unsigned int cpu = 0; cpu < 4; cpu++) {
			flush_by(&g, 10 * SEC + cpu * MS, cpu, cpu);
			flush_done(&g, 10 * SEC + cpu * MS + 1000, cpu);
		}
		requests(&g, 11, 60);
		for (unsigned int cpu = 0; cpu < 4 && both_seen; cpu += 2) {
			flush_by(&g, 60 * SEC + cpu * MS, cpu, cpu);
			flush_done(&g, 60 * SEC + cpu * MS + 1000, cpu);
		}
		flush_by(&g, 60 * SEC + 50 * MS, 3, 2);
		flush_by(&g, 60 * SEC + 50 * MS + 50, 1, 0);
		flush_done(&g, 60 * SEC + 51 * MS, 2);
		flush_done(&g, 60 * SEC + 52 * MS, 0);
		requests(&g, 61, 100);
		gen_end_indexed(&g, 100 * SEC, 4096);
		check_span(&g, "60:60.1", 10);
		gen_deinit(&g);
	}
}

/* What becomes of a flush: two may be queued, of which one may come too late for it. */
enum {
	FLUSH_QUEUED,
	FLUSH_QUEUED_TOO,
	FLUSH_ISSUED,
	FLUSH_COMPLETED,
	FLUSH_STEPS
};

struct step {
	uint64_t ns;
	unsigned int queue, what, cpu;
};

static int by_time(const void *a, const void *b)
{
	const struct step *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static uint32_t random_below(uint32_t *state, uint32_t n)
{
	*state = *state * 1664525 + 1013904223;
	return (uint64_t)*state * n >> 32;
}

static void play(struct gen *out, const struct step *s)
{
	struct gen g = *out;

	switch (s->what) {
	case FLUSH_ISSUED:
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0,
			  0, 1 + s->queue, 0);
		DOM0(s->ns, QUEUE, FLUSH, 0, 0, 3 + s->queue, GEN_KTHREAD);
		DOM0(s->ns, ISSUE, FLUSH, 0, 0, 5, 0);
		DOM0(s->ns, COMPLETE, FLUSH, 0, 0, 5, 0);
		break;
	case FLUSH_COMPLETED:
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_COMPLETE, XBLK_OP_FLUSH,
			  0, 0, 1 + s->queue, 0);
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_COMPLETE, XBLK_OP_WRITE,
			  0, 0, 3 + s->queue, 0);
		break;
	default:
		gen_event(&g, GEN_GUEST, s->cpu, s->ns, XBLK_EV_QUEUE,
			  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500 + s->cpu);
	}
	*out = g;
}

/* One of each vCPU, one after the other. */
static void first_flushes(struct gen *g)
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i % 4 != FLUSH_QUEUED_TOO)
			play(g, &(struct step){(1 + i) * MS, i / 8, i % 4, i / 4});
	}
	gen_round(g, 50 * MS);
}

/* At most one of each queue, from any of its vCPUs. */
static void random_flushes(struct gen *g, uint64_t from, unsigned int seldom,
			   uint32_t *state)
{
	struct step steps[2 * FLUSH_STEPS];
	size_t nr = 0;

	for (unsigned int queue = 0; queue < 2; queue++) {
		uint64_t ns = from + random_below(state, 500);

		if (random_below(state, seldom))
			continue;
		for (unsigned int i = random_below(state, 2); i < FLUSH_STEPS; i++) {
			ns += 1 + random_below(state, 300);
			steps[nr++] = (struct step){ns, queue, i,
						    2 * queue + random_below(state, 2)};
		}
	}
	qsort(steps, nr, sizeof(*steps), by_time);
	for (size_t i = 0; i < nr; i++)
		play(g, &steps[i]);
}

/* However seldom, and whatever their order: where all is known, so it is of a span. */
static void any_flushes(void **ctx)
{
	uint32_t state = 7;
	struct gen g;

	(void)ctx;
	for (unsigned int i = 0; i < 20; i++) {
		unsigned int seldom = 1 + random_below(&state, 10);

		begin(&g);
		first_flushes(&g);
		for (unsigned int second = 1; second < 100; second++) {
			requests(&g, second, second + 1);
			random_flushes(&g, (second + 1) * SEC - 1500000, seldom, &state);
		}
		gen_end_indexed(&g, 100 * SEC, 4096);
		for (unsigned int k = 0; k < 4; k++) {
			unsigned int from = 20 + random_below(&state, 70);
			char span[32];

			snprintf(span, sizeof(span), "%u.5:%u.5", from, from + 2);
			check_span(&g, span, 30);
		}
		gen_deinit(&g);
	}
}

static void packed(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 50);
	for (unsigned int i = 50; i < 60; i++) {
		size_t at = g.len;

		requests(&g, i, i + 1);
		gen_pack(&g, at);
	}
	requests(&g, 60, 100);
	gen_end_indexed(&g, 100 * SEC, 4096);
	check_span(&g, "55.5:55.6", 10);
	check_span(&g, "90:90.1", 12);
	gen_deinit(&g);
}

/* Where the index is not to be had, all is read, and nothing is wrong with that. */
static void without(void **ctx)
{
	struct reading r;
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 20);
	gen_end(&g, 20 * SEC);
	assert_false(read_trace(&r, &g, "10:11", true));
	assert_false(r.x->parse.problems);
	assert_int_equal(r.x->parse.join.records,
			 r.x->parse.merge.streams[0]->found +
				 r.x->parse.merge.streams[1]->found);
	end_reading(&r);

	/* Cut off: its last chunk has gone. */
	gen_end_indexed(&g, 20 * SEC, 4096);
	g.len -= 32;
	assert_false(read_trace(&r, &g, "10:", true));
	end_reading(&r);
	gen_deinit(&g);
}

static struct xblk_chunk *index_chunk(struct gen *g)
{
	struct xblk_chunk *c = (void *)(g->data + sizeof(struct xblk_trace_header));

	while (c->type != XBLK_CHUNK_INDEX)
		c = (void *)((char *)c + sizeof(*c) + (c->payload + 31) / 32 * 32);
	return c;
}

/* One that contradicts itself is not used; one that lies costs what it lies about. */
static void liars(void **ctx)
{
	struct xblk_index_entry *rows, entry;
	struct xblk_chunk *c;
	struct reading r;
	struct gen g;
	size_t at, nr;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 20);
	gen_end_indexed(&g, 20 * SEC, 4096);
	c = index_chunk(&g);
	at = (uint8_t *)c - g.data;
	rows = (void *)(c + 1);
	nr = c->payload / sizeof(*rows);

	for (int what = 0; what < 5; what++) {
		entry = rows[nr / 2];
		if (what == 0)
			rows[nr / 2].offset += 1;
		else if (what == 1)
			rows[nr / 2].offset = rows[nr / 2 - 1].offset;
		else if (what == 2)
			rows[nr / 2].offset = UINT64_MAX - 31;
		else if (what == 3)
			rows[nr / 2].time = 0;
		else
			rows[0].offset = 128;
		gen_fix_checksum(&g, at);
		assert_false(read_trace(&r, &g, "10:11", true));
		assert_false(r.x->parse.problems);
		end_reading(&r);
		rows[nr / 2] = entry;
		rows[0].offset = sizeof(struct xblk_trace_header);
	}

	/* Its checksum does not hold: it is damage like any other. */
	rows[1].flags ^= 1;
	assert_false(read_trace(&r, &g, "10:11", true));
	end_reading(&r);
	rows[1].flags ^= 1;

	/* Rows that begin in the midst of a chunk: seen, and told. */
	for (size_t i = 2; i < nr; i++)
		rows[i].offset += 96;
	gen_fix_checksum(&g, at);
	assert_true(read_trace(&r, &g, "10:11", true));
	assert_true(r.x->parse.problems && r.x->parse.reader.damaged);
	end_reading(&r);

	/* Times that are all the same, or long over. */
	for (size_t i = 0; i < nr; i++) {
		rows[i].time = 0;
		rows[i].offset -= i > 1 ? 96 : 0;
	}
	gen_fix_checksum(&g, at);
	assert_true(read_trace(&r, &g, "10:11", true));
	end_reading(&r);
	gen_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_read), cmocka_unit_test(in_flight_for_long),
		cmocka_unit_test(traced_again),	  cmocka_unit_test(came_meanwhile),
		cmocka_unit_test(losses),	  cmocka_unit_test(losses_told_late),
		cmocka_unit_test(flush),	  cmocka_unit_test(rare_flushes),
		cmocka_unit_test(any_flushes),	  cmocka_unit_test(packed),
		cmocka_unit_test(without),	  cmocka_unit_test(liars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
