/* SPDX-License-Identifier: GPL-2.0-only */
/* What happens to a request between the ends of its stages; see way.c. */
#ifndef LIBXBLK_WAY_H
#define LIBXBLK_WAY_H

#include <stdint.h>

struct backend_bio;
struct domain;
struct guest_rq;
struct join;
struct process;
struct stream;
struct xblk_record;

/* Of what comes before the span that is asked for: whose rings are. */
void way_skim(struct stream *s, const struct xblk_record *r);
/* The thread of a ring of @backend's; NULL: not known. */
struct process *way_thread(const struct domain *backend, uint32_t ring);
void way_ring(const struct join *j, struct stream *s, const struct xblk_record *r);
void way_interrupt(struct stream *s, const struct xblk_record *r);
void way_response(struct stream *s, const struct xblk_record *r);
void way_queued(const struct stream *s, struct backend_bio *bio, struct process *p);
/* What it has gone about is queued: what comes is of something else. */
void way_forget_thread(struct process *p);
void way_done(struct join *j, struct guest_rq *rq);
void way_forget_done(struct stream *s);
void way_completed(const struct stream *s, struct guest_rq *rq);

#endif
