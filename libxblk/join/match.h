/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's request <-> dom0's bios; see match.c. */
#ifndef LIBXBLK_MATCH_H
#define LIBXBLK_MATCH_H

#include <stdint.h>

struct backend_bio;
struct domain;
struct guest_rq;
struct join;
struct process;
struct service;

/* Its thread @p has queued it. */
void match_bio(struct join *j, struct backend_bio *bio, struct process *p);
void match_rq(struct join *j, struct guest_rq *rq);
/* Its place on its ring is known. */
void match_ordered(struct join *j, struct guest_rq *rq);
/* Which of blkback's requests @bio is of. */
void match_request(struct join *j, struct backend_bio *bio, uint32_t request);
void match_bio_done(struct join *j, struct backend_bio *bio);
/* The same of one that has an owner, for whom @by is told: who made it need not keep it. */
void match_served(struct join *j, struct backend_bio *bio, const struct service *by);
/* The guest has its request back. */
void match_completed(struct join *j, struct guest_rq *rq);
void match_expire(struct join *j);
/* No request of it comes any more. */
void match_end_guest(struct join *j, const struct domain *guest);

#endif
