/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -w of a trace with an index, read as a file and as a pipe: the same is said, and of the
 * file little more than the span is read.
 */
#ifndef SPAN_READING_H
#define SPAN_READING_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "filter-args.h"
#include "sinks/output.h"
#include "sinks/requests.h"
#include "test_parse_util.h"

#define MS  1000000ull
#define SEC 1000000000ull

static struct filter filter;
static bool one_guest; /* only what is GEN_GUEST's is printed of the events */

/* A reading of a trace in memory, and what it printed. */
struct reading {
	struct xblk *x;
	size_t bytes;
	FILE *out;
	struct text lines;
	char *text;
	size_t len;
};

static inline void print_request(void *user, const struct xblk_request *request)
{
	struct reading *r = user;

	if (filter_shows(&filter, request))
		csv_request_print(&r->lines, xblk_start_ns(r->x), request);
}

static inline void print_event(void *user, const struct xblk_event_record *e)
{
	struct reading *r = user;

	if (event_shown(r->x, &filter, e))
		event_print(&r->lines, xblk_start_ns(r->x), e);
}

/* Bytes that this process has read, by the kernel's word. */
static inline size_t bytes_read(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	size_t nr = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "rchar: %zu", &nr), 1);
	fclose(f);
	return nr;
}

static inline void read_file(struct reading *r, const struct gen *g)
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
static inline bool read_trace(struct reading *r, const struct gen *g, const char *span,
			      bool as_file)
{
	memset(&filter, 0, sizeof(filter));
	assert_null(filter_parse_time(&filter, span));
	if (one_guest)
		assert_null(filter_parse_guest(&filter, "3"));
	memset(r, 0, sizeof(*r));
	r->out = open_memstream(&r->text, &r->len);
	text_init(&r->lines, r->out);
	r->x = open_handle((struct xblk_options){.user = r,
						 .on_request = print_request,
						 .on_event = print_event,
						 .from_ns = filter.from_ns,
						 .to_ns = filter.to_ns});
	if (as_file)
		read_file(r, g);
	else
		feed_all(r->x, g->data, g->len);
	text_write(&r->lines);
	csv_summary(r->out, r->x, &filter);
	fclose(r->out);
	return r->x->parse.index;
}

static inline void end_reading(struct reading *r)
{
	xblk_close(r->x);
	free(r->text);
}

/*
 * The same is said of the span, from at most @percent of the bytes.  Return: whether
 * there was an index to use.
 */
static inline bool check_as_pipe(const struct gen *g, const char *span,
				 unsigned int percent)
{
	struct reading all, part;
	bool indexed;

	read_trace(&all, g, span, false);
	indexed = read_trace(&part, g, span, true);
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
	return indexed;
}

static inline void check_span(const struct gen *g, const char *span, unsigned int percent)
{
	assert_true(check_as_pipe(g, span, percent));
}

/* The guest's half of a request on its way to the disk, and dom0's. */
static inline void issue(struct gen *out, uint64_t ns, uint32_t id, uint32_t pid)
{
	struct gen g = *out;

	GUEST(ns, QUEUE, READ, 64 * id, 8, id, pid);
	GUEST(ns + 10, ISSUE, READ, 64 * id, 8, id, id);
	DOM0(ns + 110, QUEUE, READ, 64 * id, 8, id, GEN_KTHREAD);
	DOM0(ns + 210, ISSUE, READ, 64 * id, 8, id, id);
	*out = g;
}

static inline void complete(struct gen *out, uint64_t ns, uint32_t id)
{
	struct gen g = *out;

	DOM0(ns, COMPLETE, READ, 64 * id, 8, id, 0);
	GUEST(ns + 100, COMPLETE, READ, 64 * id, 8, id, 0);
	*out = g;
}

/* From @from to @to s: two requests each 5 ms, a round and then five of them. */
static inline void requests(struct gen *g, unsigned int from, unsigned int to)
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

static inline void begin(struct gen *g)
{
	gen_init(g);
	gen_process(g, GEN_GUEST, 0, 0, 500, "dd", 0);
	gen_process(g, GEN_GUEST, 0, 0, 501, "mysqld", 0);
}

#endif /* SPAN_READING_H */
