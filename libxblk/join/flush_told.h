/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which flush a bio was served by, where the trace tells its queue: a request that is to
 * wait has a FLUSH_QUEUE record, the queue's own request has one when it is issued, and
 * what waited goes on behind that one's end, by its own identity.  So nothing is left to
 * be concluded from CPUs, as in flush.h.
 */
#ifndef LIBXBLK_FLUSH_TOLD_H
#define LIBXBLK_FLUSH_TOLD_H

#include <stdbool.h>

struct bio;
struct disk;
struct guest_rq;
struct join;
struct rq;
struct stream;
struct xblk_record;

/* A FLUSH_QUEUE record: from now on the domain's flushes are looked at here alone. */
void flush_told(struct join *j, struct stream *s, const struct xblk_record *r);
/* A guest's flush request is issued; its Q is known when what waited has gone on. */
void flush_told_issue(struct guest_rq *rq);
/* @rq, a flush, is back: what comes behind it in @s had waited for it. */
void flush_told_done(const struct stream *s, const struct rq *rq);
/*
 * A guest's write is done that is to be flushed behind, for no bio: its first one is kept
 * until that has ended.
 */
void flush_told_behind(struct join *j, struct guest_rq *rq);
/*
 * A guest's request is issued whose first bio, @bio, waited for a flush, as its operation
 * tells, and whose FLUSH_QUEUE may be missing.
 */
void flush_told_issued(struct bio *bio);
/* @r completes a request with no data.  Return: whether it is one that waited. */
bool flush_told_ended(struct join *j, struct stream *s, struct disk *disk,
		      const struct xblk_record *r);
/* The same where the beginning of what waited was not seen. */
void flush_told_ended_unseen(const struct join *j, const struct stream *s,
			     const struct disk *disk);
/*
 * A guest's request that was not issued has failed: so did the flush that it waited for,
 * if it ends behind one.
 */
void flush_told_failed(const struct stream *s, const struct disk *disk);

#endif
