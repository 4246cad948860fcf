/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests: issued, requeued, completed, forgotten. */
#ifndef LIBXBLK_RQS_H
#define LIBXBLK_RQS_H

struct join;
struct stream;
struct xblk_record;

void rq_issue_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_issue_backend(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_skim(struct stream *s, const struct xblk_record *r);
void rq_order(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_part(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_requeue(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_merged(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_complete_guest(struct join *j, struct stream *s, const struct xblk_record *r);
void rq_complete_backend(struct join *j, struct stream *s, const struct xblk_record *r);

#endif
