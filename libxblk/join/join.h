/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The join: bios and requests of every domain from their events, and each
 * guest request's way through dom0.
 *
 * bio.h, rq.h, disk.h  what is known of a bio, a request, a disk
 * state.h  what the join holds beyond these, report.h: who is told what of it
 *
 * join.c   which event does what; gaps, clocks, the end
 * bios.c   bios: queued, split, sent on, completed
 * rqs.c    requests: issued, requeued, completed, forgotten
 * clones.c which bio another one was made of
 * flush_told.c  which flush a bio waited for, where the trace tells it,
 * flush*.c   and where it does not
 * told_queues.c  the queues in which, where they are told
 * way.c    what happens between the stages' ends
 * match.c  a guest's request <-> dom0's bios
 * judge.c  what has become of a request: the stages, the bins
 * place.c  which requests and bios begin where
 * life.c   the beginning of a bio, the end of a bio or request
 * request.c  what is told of one that has ended
 * verdict.c  which requests a loss concerns, also one that is told of later
 */
#ifndef LIBXBLK_JOIN_H
#define LIBXBLK_JOIN_H

#include <stddef.h>
#include <stdint.h>

#include "input/merge.h"
#include "join/state.h"

struct domain;
struct model;
struct stream;
struct xblk_record;

void join_init(struct join *j, struct model *model);
/* Before the model's. */
void join_deinit(struct join *j);
/* Records before the span that is asked for: what they teach, and nothing else. */
void join_skim(struct stream *s, const struct xblk_record *records, size_t nr);
/* What becomes of the records; their ctx is a struct join. */
extern const merge_emit_pair join_emit[EVENTS];
/* All records before @ns have been given. */
void join_advance(struct join *j, uint64_t ns);
/*
 * A guest is no more: what of it is not complete gets its bin.  All of dom0 that belongs
 * to it has been given.
 */
void join_end_guest(struct join *j, struct domain *guest);
/* The trace is over: whatever is not complete gets its bin. */
void join_finish(struct join *j);

#endif
