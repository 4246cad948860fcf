/* SPDX-License-Identifier: GPL-2.0-only */
/* --verify: whether a trace is what it claims to be, a line a check. */
#ifndef XBLKPARSE_VERIFY_H
#define XBLKPARSE_VERIFY_H

#include <stdio.h>

#include "xblk.h"

struct verify {
	struct verify_stream *streams; /* by their numbers */
	unsigned int nr_streams;
	uint64_t backwards; /* records older than the one before in their stream */
	/* of the requests that were told of */
	uint64_t requests, unissued; /* of these: their D is not in the trace */
	uint64_t completed, sectors, errors;
	uint64_t measured, disordered; /* of these: by their waypoints */
};

void verify_init(struct verify *v);
void verify_deinit(struct verify *v);
/* Each record, in global order, which keeps the order of a stream. */
void verify_record(struct verify *v, const struct xblk_event_record *e);
/* Each request of guests, chosen or not. */
void verify_request(struct verify *v, const struct xblk_request *r);
/* After the trace is over; false if a check failed. */
bool verify_print(FILE *out, const struct verify *v, const struct xblk *x);

#endif
