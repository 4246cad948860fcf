/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is told what has become of requests, and what. */
#ifndef LIBXBLK_JOIN_REPORT_H
#define LIBXBLK_JOIN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "xblk.h"

struct disk;
struct guest_rq;
struct rq;

/* What has become of a guest's request. */
struct ending {
	enum bin bin;
	const char *why;
	bool measured; /* all of it was seen, see rq_stages() */
	bool followed; /* in flight: dom0's bios of it are known, see describe_so_far() */
};

/* Whether a request counts for who is told of it. */
enum counts {
	COUNTS_NOT,
	COUNTS,
	/*
	 * Its beginning is not in the trace, and seems to be before join_report.from_ns:
	 * not, unless a loss behind that is still told of.
	 */
	COUNTS_IF_LOST,
};

#define BIN_NONE BIN_MAX /* of one that does not count so far */

/*
 * Who is told what has become of requests.  They are gone after the call, and nothing
 * may be asked of the join meanwhile but what it holds.
 */
struct join_report {
	/* A guest's.  Unless it counts, or may, lost() need not be called for it. */
	enum counts (*ended)(void *ctx, const struct guest_rq *rq,
			     const struct ending *end);
	/* A guest's, or one of dom0's that counts for @disk, completed at @ns; or NULL. */
	void (*completed)(void *ctx, struct disk *disk, enum side side,
			  const struct rq *rq, uint64_t ns);
	/* One that has ended in @bin (BIN_NONE: in none) was lost, as is known now. */
	void (*lost)(void *ctx, struct disk *disk, enum bin bin);
	uint64_t from_ns; /* what begins before that does not count; or 0 */
	void *ctx;
};

#endif
