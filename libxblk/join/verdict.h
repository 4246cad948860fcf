/* SPDX-License-Identifier: GPL-2.0-only */
/* Which requests a loss concerns, also one that is told of later; see verdict.c. */
#ifndef LIBXBLK_VERDICT_H
#define LIBXBLK_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "join/report.h"
#include "xblk.h"

struct disk;
struct domain;
struct guest_rq;
struct join;
struct verdicts;

/* When a loss in the guest or in dom0 would explain why a request is not joined. */
struct verdict {
	struct disk *disk;
	uint64_t guest_from, guest_to, backend_from, backend_to;
};

struct verdict verdict_span(const struct join *j, const struct guest_rq *rq);
bool verdict_lost(const struct join *j, const struct verdict *v);
/* One request has ended in @bin, and has been counted there if it counts. */
void verdict_keep(const struct join *j, const struct verdict *v, enum bin bin,
		  enum counts counts);
/* Until when something of @guest's is not in the trace, of what is not by @ns. */
uint64_t join_unseen_until(const struct join *j, const struct domain *guest, uint64_t ns);
void verdicts_free(struct verdicts *kept);
/* Something is missing from a stream of @dom. */
void join_gap(struct join *j, struct domain *dom, uint64_t from, uint64_t to);

#endif
