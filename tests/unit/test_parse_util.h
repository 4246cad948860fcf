/* SPDX-License-Identifier: GPL-2.0-only */
/* A generated trace through the whole of xblkparse, and what came out. */
#ifndef TEST_PARSE_UTIL_H
#define TEST_PARSE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "msg.h"
#include "handle.h"
#include "trace_gen.h"
#include "base/util.h"

#define MAX_RESULTS 64

struct result {
	enum bin bin;
	bool measured;
	int64_t stages[STAGE_MAX];
	uint64_t sector, d_ns; /* of its D, from the start of the trace on */
	unsigned int disk, op, requeues, nr_bios, backend_bios;
};

struct bytes {
	const uint8_t *data;
	size_t len, pos;
	size_t most; /* at most so many bytes a read, 0: no limit */
};

struct outcome {
	struct bytes bytes;
	union {
		struct xblk x; /* of which only this has been made, to be looked at: */
		struct parse parse;
	};
	struct result results[MAX_RESULTS];
	unsigned int nr;
};

static inline ssize_t read_bytes(void *ctx, void *buf, size_t size)
{
	struct bytes *b = ctx;

	if (size > b->len - b->pos)
		size = b->len - b->pos;
	if (b->most && size > b->most)
		size = b->most;
	memcpy(buf, b->data + b->pos, size);
	b->pos += size;
	return size;
}

static inline void keep_result(void *ctx, const struct xblk_request *r)
{
	struct outcome *o = ctx;
	struct result *to;

	if (o->nr++ >= MAX_RESULTS)
		return;
	to = &o->results[o->nr - 1];
	to->bin = r->bin;
	to->measured = r->measured;
	memcpy(to->stages, r->stages, sizeof(to->stages));
	to->sector = r->sector;
	to->d_ns = r->d_ns - GEN_START;
	to->disk = r->disk_index;
	to->op = r->op;
	to->requeues = r->requeues;
	to->nr_bios = r->nr_bios;
	to->backend_bios = r->nr_backend_bios;
}

static inline void outcome_init(struct outcome *o, const uint8_t *data, size_t len)
{
	memset(o, 0, sizeof(*o));
	o->bytes.data = data;
	o->bytes.len = len;
	parse_init(&o->parse, read_bytes, &o->bytes);
	o->parse.tally.on_request = keep_result;
	o->parse.tally.ctx = o;
}

/* What came out for the guest's request on @disk issued at @ns. */
static inline const struct result *result_at(const struct outcome *o, unsigned int disk,
					     uint64_t ns)
{
	for (unsigned int i = 0; i < o->nr && i < MAX_RESULTS; i++) {
		if (o->results[i].disk == disk && o->results[i].d_ns == ns)
			return &o->results[i];
	}
	fail_msg("nothing came out for what was issued at %llu", (unsigned long long)ns);
	return NULL;
}

static inline struct disk *disk_at(struct outcome *o, unsigned int domid,
				   unsigned int index)
{
	return domain_disk(model_domain(&o->parse.model, domid), index);
}

static inline struct disk_stats *disk_stats(struct outcome *o, unsigned int domid,
					    unsigned int index)
{
	return stats_of(disk_at(o, domid, index));
}

static inline struct disk_counts *disk_counts(struct outcome *o, unsigned int domid,
					      unsigned int index)
{
	return counts_of(disk_at(o, domid, index));
}

/* What holds for every trace, whatever is in it. */
static inline void check_bins(struct outcome *o)
{
	for (size_t i = 0; i < o->parse.model.nr_disks; i++) {
		struct disk_stats *st = stats_of(o->parse.model.all_disks[i]);
		uint64_t sum = 0;

		for (int b = 0; b < BIN_MAX; b++)
			sum += st->bins[b];
		assert_int_equal(sum, st->requests);
		for (int s = 0; s < STAGE_MAX && st->stages[s]; s++)
			assert_int_equal(st->stages[s]->count, st->bins[BIN_JOINED]);
	}
}

static inline void run(struct outcome *o, const uint8_t *data, size_t len)
{
	msg_silent = true;
	outcome_init(o, data, len);
	parse_run(&o->parse);
	check_bins(o);
}

/* End the capture in good order and parse it. */
static inline void run_gen(struct outcome *o, struct gen *g)
{
	gen_end(g, 1000000000);
	run(o, g->data, g->len);
	assert_false(o->parse.problems);
}

static inline void done(struct outcome *o, struct gen *g)
{
	parse_deinit(&o->parse);
	gen_deinit(g);
}

static inline void assert_stages(const struct result *r, int64_t u_q2d, int64_t u_t,
				 int64_t q2d, int64_t d2c, int64_t t)
{
	assert_true(r->measured);
	assert_int_equal(r->stages[STAGE_U_Q2D], u_q2d);
	assert_int_equal(r->stages[STAGE_U_T], u_t);
	assert_int_equal(r->stages[STAGE_0_Q2D], q2d);
	assert_int_equal(r->stages[STAGE_0_D2C], d2c);
	assert_int_equal(r->stages[STAGE_0_T], t);
	assert_int_equal(r->stages[STAGE_Q2C], u_q2d + u_t + q2d + d2c + t);
}

/* A handle of xblk.h. */
static inline struct xblk *open_handle(struct xblk_options options)
{
	struct xblk *x;

	assert_int_equal(xblk_open(&x, &options), 0);
	return x;
}

/* All of a trace. */
static inline void feed_all(struct xblk *x, const uint8_t *data, size_t len)
{
	assert_int_equal(xblk_feed(x, data, len), 0);
	assert_int_equal(xblk_finish(x), 0);
}

/* An event of the guest on its vCPU 0, of dom0 on its CPU 0; needs "g". */
#define GUEST(ns, ev, op, sector, nr, id, aux) \
	gen_event(&g, GEN_GUEST, 0, ns, XBLK_EV_##ev, XBLK_OP_##op, sector, nr, id, aux)
#define DOM0(ns, ev, op, sector, nr, id, aux) \
	gen_event(&g, 0, 0, ns, XBLK_EV_##ev, XBLK_OP_##op, sector, nr, id, aux)

#endif
