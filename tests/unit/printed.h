/* SPDX-License-Identifier: GPL-2.0-only */
/* What an output prints of a trace of one request. */
#ifndef PRINTED_H
#define PRINTED_H

#include <stdio.h>
#include <stdlib.h>

#include "sinks/text.h"
#include "test_parse_util.h"

/* The whole of what a callback prints. */
struct printed {
	char *text;
	size_t len;
	FILE *out;
	struct text lines; /* on their way to it */
};

static inline void printed_init(struct printed *p)
{
	p->out = open_memstream(&p->text, &p->len);
	assert_non_null(p->out);
	text_init(&p->lines, p->out);
}

static inline void printed_is(struct printed *p, const char *want)
{
	text_write(&p->lines);
	fclose(p->out);
	assert_string_equal(p->text, want);
	free(p->text);
}

static inline void printed_has(struct printed *p, const char *want)
{
	text_write(&p->lines);
	fflush(p->out);
	if (!strstr(p->text, want))
		fail_msg("\"%s\" is not in:\n%s", want, p->text);
}

static inline void printed_deinit(struct printed *p)
{
	fclose(p->out);
	free(p->text);
}

static inline void one(struct gen *g, uint64_t t, unsigned int op, uint64_t sector,
		       uint32_t nr)
{
	gen_event(g, GEN_GUEST, 1, t, XBLK_EV_QUEUE, op, sector, nr, 1, 500);
	gen_event(g, GEN_GUEST, 1, t + 2000, XBLK_EV_ISSUE, op, sector, nr, 100, 1);
	gen_event(g, 0, 0, t + 4000, XBLK_EV_QUEUE, op, sector, nr, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, t + 6000, XBLK_EV_ISSUE, op, sector, nr, 200, 2);
	gen_event(g, 0, 0, t + 10000, XBLK_EV_COMPLETE, op, sector, nr, 200, 0);
	gen_event(g, GEN_GUEST, 1, t + 15000, XBLK_EV_COMPLETE, op, sector, nr, 100, 5);
}

/* One read of 1.000002 s on, and its process's name, until the end of the trace. */
static inline void one_read(struct gen *g)
{
	gen_process(g, GEN_GUEST, 1, 10, 500, "fio", 0);
	one(g, 1000002000, XBLK_OP_READ | XBLK_OP_F_SYNC, 64, 8);
	gen_end(g, 1100000000);
}

static inline void generate(struct gen *g)
{
	gen_init(g);
	one_read(g);
}

#endif /* PRINTED_H */
