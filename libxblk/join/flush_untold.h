/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flushes of a domain whose trace does not tell their queues, as flush_told.h has
 * them: which bios one serves is concluded from when and where both were seen.
 */
#ifndef LIBXBLK_FLUSH_UNTOLD_H
#define LIBXBLK_FLUSH_UNTOLD_H

#include <stdint.h>

struct bio;
struct disk;
struct guest_rq;
struct join;
struct rq;
struct stream;
struct xblk_record;

/* A guest's flush request is issued: its Q is the first one that waits for it. */
void flush_untold_issue(struct join *j, struct guest_rq *rq, uint32_t cpu);
/* One of dom0's: the empty bios that wait by then, on the CPUs of its queue, are its. */
void flush_untold_issue_backend(struct join *j, struct rq *rq, uint32_t cpu);
/* A guest's request with data, and with @bio, had waited and is issued behind its flush. */
void flush_untold_gone_on(const struct disk *disk, uint32_t cpu, const struct bio *bio);
/*
 * The same of one whose bio is not known: if that asked for a flush, the one that it is
 * issued behind was for a Q that is not known either.
 */
void flush_untold_doubt(const struct disk *disk, uint32_t cpu);
/*
 * A guest's that had no data, or was written through, ends right behind the flush that it
 * was for; @rq: as which it was issued, or NULL.
 */
void flush_untold_ended(const struct stream *s, const struct disk *disk,
			const struct guest_rq *rq);
/* @rq, one of dom0's with no data, is done: what waited for it ends right behind it. */
void flush_untold_done(struct stream *s, const struct rq *rq);
/* @r completes one of dom0's that was not issued. */
void flush_untold_count(struct stream *s, const struct disk *disk,
			const struct xblk_record *r);

#endif
