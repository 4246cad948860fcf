/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace of stacks.h that is checked. */
#ifndef XBLK_TEST_STACKS_CHECK_H
#define XBLK_TEST_STACKS_CHECK_H

#include "stacks.h"
#include "test_parse_util.h"

struct check {
	struct stacks stacks;
	struct bytes bytes;
	struct parse parse;
	uint64_t seed, wrong;
	bool broken;	 /* something is missing at the end of the trace */
	uint64_t end_ns; /* of the trace, by the clock of dom0's records */
};

static inline bool has(const struct check *c, unsigned int trait_bits)
{
	return c->stacks.traits & trait_bits;
}

/* What the trace does not have, though nothing says so: the beginning, names, an order. */
static inline bool hides(const struct check *c)
{
	return c->broken ||
	       has(c, 1u << TRAIT_LOSS | 1u << TRAIT_MIDDLE | 1u << TRAIT_OLD |
			      1u << TRAIT_BLIND | 1u << TRAIT_CLOCK);
}

#endif /* XBLK_TEST_STACKS_CHECK_H */
