/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in a trace that is not compressed, by a reading of its bytes. */
#ifndef TRACE_CONTENT_H
#define TRACE_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "xblk/record.h"
#include "xblk/trace.h"

/* All of a file, with a zero behind it; to be freed. */
char *slurp(const char *path, size_t *len);

/**
 * trace_next - the next chunk
 * @at:		0 for the first one; where it goes on
 *
 * Return: its payload, or NULL behind the last one that is whole.
 */
const char *trace_next(const char *bytes, size_t len, size_t *at,
		       struct xblk_chunk *chunk);

#define CONTENT_DOMAINS 5

/**
 * struct seen - what there is of a domain that has one stream
 */
struct seen {
	struct xblk_record *records;
	size_t nr, room;
};

/**
 * struct content - of a trace
 * @streams:	by the domain's number
 * @metas:	how many there are, @meta: the last
 * @end:	NULL: there is none
 * @late:	records, or losses, that are older than a ROUND before them
 */
struct content {
	struct seen streams[CONTENT_DOMAINS];
	unsigned int metas;
	char *meta;
	json_t *end;
	uint64_t round;
	unsigned int rounds, late;
};

/* Until content_forget(). */
void content_of(struct content *c, const char *bytes, size_t len);
void content_of_file(struct content *c, const char *path);
void content_forget(struct content *c);

/* Why it ended, by END. */
const char *content_reason(const struct content *c);
/* A stream's counter in END. */
uint64_t content_counter(const struct content *c, unsigned int domid, const char *name);

#endif /* TRACE_CONTENT_H */
