/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trace of a test: begun before it, as by gen_init(), and gone behind it.  Included
 * once by each test whose cases each have one.
 */
#ifndef TRACE_FIXTURE_H
#define TRACE_FIXTURE_H

#include "test_parse_util.h"

static struct gen g;

static inline int trace_setup(void **ctx)
{
	(void)ctx;
	gen_init(&g);
	return 0;
}

static inline int trace_teardown(void **ctx)
{
	(void)ctx;
	gen_deinit(&g);
	return 0;
}

/* Another one in the same case. */
static inline void trace_again(void)
{
	gen_deinit(&g);
	gen_init(&g);
}

/* One with a header alone. */
static inline void trace_again_bare(void)
{
	gen_deinit(&g);
	gen_init_bare(&g);
}

#define TRACE_TEST(f) cmocka_unit_test_setup_teardown(f, trace_setup, trace_teardown)

#endif /* TRACE_FIXTURE_H */
