/* SPDX-License-Identifier: GPL-2.0-only */
/* What is told of a request that has ended. */
#ifndef LIBXBLK_JOIN_REQUEST_H
#define LIBXBLK_JOIN_REQUEST_H

#include "xblk.h"

struct ending;
struct guest_rq;
struct join;

/* What statistics need; and the rest, for those who are told. */
void rq_describe(struct xblk_request *to, const struct guest_rq *rq,
		 const struct ending *end);
void rq_describe_rest(struct xblk_request *to, const struct join *j,
		      const struct guest_rq *rq, const struct ending *end);

#endif
