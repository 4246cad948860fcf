/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Beyond xblk.h, for programs that are built with the library, as xblkparse is:
 * statistics of each disk, and which requests count in them.  What they consist of is in
 * analyse/, select/filter.h and base/.  Nothing of this is installed.
 */
#ifndef LIBXBLK_ANALYSE_H
#define LIBXBLK_ANALYSE_H

#include "analyse/stats.h"
#include "base/counts.h"
#include "select/filter.h"
#include "xblk.h"

/**
 * struct xblk_analysis - what is found out of requests
 * @filter:	those that count, and are told of; NULL: all
 * @top:	how many of the slowest are kept of a disk
 * @latencies:	how long they took, on which the rest depends
 * @timeline:	what happened when
 * @processes:	whose they are
 * @on_process_gone: is told of each process of a guest that is forgotten, as the guest
 * has gone or there are too many: the guest's number and name, its own, NULL: not known
 */
struct xblk_analysis {
	const struct filter *filter;
	unsigned int top;
	bool latencies, timeline, processes;
	void (*on_process_gone)(void *user, unsigned int domid, const char *guest,
				uint32_t pid, const char *name);
};

/* Before the first byte; without this, little more than what bins there are. */
void xblk_analyse(struct xblk *x, const struct xblk_analysis *a);

/* Of the disk of that number; they stay where they are. */
const struct disk_stats *xblk_stats(const struct xblk *x, size_t disk);
/* Of all of its requests, whichever count. */
const struct disk_counts *xblk_counts(const struct xblk *x, size_t disk);

/**
 * xblk_each_process() - processes of guests, as far as their names are remembered
 * @x:		the handle
 * @f:		only of guests that this chooses
 * @fn:		is told of each: a name of it, NULL: not known; and whether it has it still
 * @user:	its first argument
 */
void xblk_each_process(const struct xblk *x, const struct filter *f,
		       void (*fn)(void *user, uint32_t pid, const char *name, bool now),
		       void *user);

#endif
