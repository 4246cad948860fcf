/* SPDX-License-Identifier: GPL-2.0-only */
/* The slowest joined requests of a disk, and the oldest that never came back. */
#ifndef LIBXBLK_SLOWEST_H
#define LIBXBLK_SLOWEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"
#include "xblk.h"

#define SLOWEST_DEFAULT 10
#define SLOWEST_MAX	100000

struct slow {
	uint64_t key;	 /* the larger, the more it is worth keeping */
	uint64_t age_ns; /* of one in flight, when the capture or its guest ended */
	struct xblk_request
		request; /* the names of processes there do not stay, but here */
	char process[COMM_SIZE], backend_process[COMM_SIZE];
};

struct slowest {
	unsigned int nr, max;
	uint64_t least;	   /* where it is full: the key of the least one */
	struct slow *heap; /* that one first */
};

void slowest_init(struct slowest *s, unsigned int max);
void slowest_deinit(struct slowest *s);
static inline bool slowest_wants(const struct slowest *s, uint64_t key)
{
	return s->nr < s->max || key > s->least;
}

void slowest_add(struct slowest *s, const struct slow *slow);
/* Into the order in which they are shown; nothing can be added afterwards. */
void slowest_sort(struct slowest *s);

#endif
