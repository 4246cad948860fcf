/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the fast and where the slow requests spent their time: the stages'
 * shares in each band of percentiles of Q2C.  Where the bands begin is known
 * only at the end, so the stages are summed up for each bucket of the
 * histogram of Q2C, and the buckets are folded into bands then.
 */
#ifndef LIBXBLK_BANDS_H
#define LIBXBLK_BANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "analyse/hist.h"
#include "xblk.h"

#define BANDS 5

struct bands {
	struct hist_parts parts;
	uint64_t (*sums)[STAGE_PARTS]; /* by part and bucket */
	bool unknown;		       /* there was no room for all of them */
};

struct band {
	uint64_t count;
	uint64_t from_ns, to_ns; /* Q2C at the band's ends */
	double sum[STAGE_PARTS]; /* ns */
};

/* In thousandths of the requests, ordered by Q2C: BANDS + 1 ends. */
extern const unsigned int band_permille[BANDS + 1];
/* "p0-50", ... */
extern const char *const band_names[BANDS];

/* Makes the part that @bucket is in. */
void bands_grow(struct bands *b, size_t bucket, struct room *room);

/* @bucket: Q2C's */
static inline void bands_add(struct bands *b, size_t bucket,
			     const int64_t stages[STAGE_MAX], struct room *room)
{
	uint64_t *sum;

	if (!b->parts.of[bucket / HIST_PART])
		bands_grow(b, bucket, room);
	sum = b->sums[hist_index(b->parts.of[bucket / HIST_PART], bucket)];
	for (int i = 0; i < STAGE_PARTS; i++)
		sum[i] += stages[i];
}

/* Whether they are, of the requests of @q2c: if not, they cannot be folded. */
static inline bool bands_known(const struct bands *b, const struct hist *q2c)
{
	return q2c && !q2c->beyond && !b->unknown;
}

/*
 * @q2c has the same requests.  A bucket in which a band ends is divided in
 * proportion; its requests differ by 1/64 in Q2C.
 */
void bands_fold(const struct bands *b, const struct hist *q2c, struct band to[BANDS]);
void bands_deinit(const struct bands *b);

#endif
