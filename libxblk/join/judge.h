/* SPDX-License-Identifier: GPL-2.0-only */
/* What has become of a request: the stages, the bins. */
#ifndef LIBXBLK_JUDGE_H
#define LIBXBLK_JUDGE_H

#include <stdbool.h>

struct disk;
struct guest_rq;
struct join;
struct xblk_record;

/* All of the request was seen, and nothing that comes is to say otherwise. */
bool judge_ready(const struct join *j, const struct guest_rq *rq);
/* It has come back.  What dom0's disk did meanwhile is known now, and not for long. */
void judge_flush(struct guest_rq *rq);
/* It will not get any further: count it in the bin where it belongs. */
void judge_give_up(struct join *j, struct guest_rq *rq, bool at_end);
/* A completion whose request was never seen. */
void judge_orphan(struct join *j, struct disk *disk, const struct xblk_record *r);

#endif
