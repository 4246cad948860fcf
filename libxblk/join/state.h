/* SPDX-License-Identifier: GPL-2.0-only */
/* All that the join holds, and how much that may be. */
#ifndef LIBXBLK_JOIN_STATE_H
#define LIBXBLK_JOIN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"
#include "input/model.h"
#include "join/clones.h"
#include "join/report.h"

struct rq;
struct stream;

/*
 * How long one side of a match waits for the other one to show up in the
 * merged order.  Clocks are known far better; late records are not.
 */
#define JOIN_WAIT_NS 10000000ull

/*
 * How long after a loss it is told of at the latest, where its CPU goes on: xblktrace
 * looks at each buffer several times a second.
 */
#define JOIN_TOLD_NS 500000000ull

/* Of one domain; beyond, the oldest go. */
#define JOIN_MAX_IN_FLIGHT (1u << 20)

/*
 * All guests share so many requests as four disks of eight rings with 512 slots have, and
 * more bios, of which large requests have several, in 20 MB.  Each may have beyond what
 * four rings of one page hold, so that one that writes what it likes takes nothing from
 * the others; in 100 KiB.  So of 65 guests that have eight such rings full at a time some
 * requests are not followed; for as many of its own for each, a thousand guests would
 * take more than 256 KiB each.
 */
#define JOIN_SHARED_RQS	 16384u
#define JOIN_SHARED_BIOS 24576u
#define JOIN_OWN	 128u
/*
 * Requests that dom0 is done with, and the guests have not back, are few: as many keep
 * the times of their clones, of all guests and of each, in 2.3 MB and 9 KiB.
 */
#define JOIN_SHARED_CLONED 4096u
#define JOIN_OWN_CLONED	   16u

struct join {
	struct model *model;
	struct pool bios, backend_bios, kin, clones, rqs, backend_rqs, places, crowds;
	struct found found[FOUND]; /* bios by their sectors; see clones.c */
	struct list hold;	   /* guest requests, by hold_until */
	struct list doubt;	   /* the same: complete unless a loss is still told of */
	struct list wait_age;	   /* unmatched bios, oldest first */
	bool waits;		   /* something may be in one of these three */
	uint64_t now_ns;	   /* as far as dom0 and the rounds have come */
	uint64_t last_ns;	   /* youngest record */
	uint64_t start_ns;	   /* of the trace */
	uint64_t partial_ns;	   /* what was before that is left out; or 0 */
	struct stream *now;	   /* whose record it is */
	uint64_t records;
	uint64_t max_in_flight;
	uint64_t guest_bios, guest_rqs, guest_cloned; /* of all guests */
	struct join_report report;		      /* set by the caller */
};

/* Whether a domain that has @nr has no room for another; @full: nor have all guests. */
static inline bool join_full(const struct join *j, const struct domain *dom, uint64_t nr,
			     bool full)
{
	return nr >= j->max_in_flight || (full && nr >= JOIN_OWN && !dom->backend);
}

static inline bool bios_full(const struct join *j, const struct domain *dom)
{
	return join_full(j, dom, dom->nr_bios, j->guest_bios >= JOIN_SHARED_BIOS);
}

static inline bool rqs_full(const struct join *j, const struct domain *dom)
{
	return join_full(j, dom, dom->nr_rqs, j->guest_rqs >= JOIN_SHARED_RQS);
}

static inline void join_completed(const struct join *j, struct disk *disk, enum side side,
				  const struct rq *rq, uint64_t ns)
{
	if (j->report.completed)
		j->report.completed(j->report.ctx, disk, side, rq, ns);
}

/* Whether anything is known to be missing of @guest's streams or of dom0's. */
static inline bool join_lossy(const struct join *j, const struct domain *guest)
{
	return guest->gaps.nr || (j->model->backend && j->model->backend->gaps.nr);
}

#endif
