/* SPDX-License-Identifier: GPL-2.0-only */
/* Bios: queued, split, sent on, completed. */
#ifndef LIBXBLK_BIOS_H
#define LIBXBLK_BIOS_H

#include <stdint.h>

struct backend_bio;
struct domain;
struct join;
struct rq;
struct service;
struct stream;
struct xblk_record;

/* A request has done @bio, or what is left of it where parts were cut from it. */
void bio_done(struct join *j, struct backend_bio *bio, const struct rq *rq, uint64_t ns);
/* The same of one that no request names: as @by says, but for its Q. */
void bio_served(struct join *j, struct backend_bio *bio, const struct service *by,
		uint32_t error);
void bio_sent(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_backend(struct join *j, struct domain *dom, const struct xblk_record *r);
void bio_queue_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_queue_backend(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_merged(struct stream *s, const struct xblk_record *r);
void bio_split(struct join *j, struct stream *s, const struct xblk_record *r);
void bio_complete(struct join *j, struct stream *s, const struct xblk_record *r);

#endif
