/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How one domain's threads are called, as its records have said it.
 *
 * A producer names a thread once, see XBLK_EV_PROCESS; what begins later, as the next
 * file of a trace does, has to be told again.
 *
 * One thread at a time may be in these functions with one table.
 */
#ifndef XBLKTRACE_NAMES_H
#define XBLKTRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "xblk/record.h"

/*
 * Of one domain: a guest can make up as many as it likes.  When there are more, one takes
 * another one's place.
 */
#define NAMES_MAX 8192

/*
 * Of all guests together, of which there may be a thousand: each has slots of its own,
 * and what it takes beyond comes from what all have, 24 MiB, as long as there is some.
 */
#define NAMES_OWN    512
#define NAMES_SHARED (1u << 20)

/**
 * struct names_pool - what several tables share
 * @left:	slots; from any thread
 */
struct names_pool {
	size_t left;
};

/**
 * struct names - a table by process number; all zeroes is an empty one
 * @slots:	@size of them, a power of two, at most NAMES_MAX; 24 bytes each
 * @pool:	where those beyond NAMES_OWN come from; NULL: it may have them all.  To be
 *set while it is empty
 */
struct names {
	struct name *slots;
	size_t size;
	struct names_pool *pool;
};

/* It is an empty one then, and all zeroes. */
void names_free(struct names *names);

/**
 * names_note - remember the names that are told in @records
 *
 * Costs a look at each record.  Without memory for more, or a share of it, one takes
 * another one's place.
 */
void names_note(struct names *names, const struct xblk_record *records, size_t nr);

/**
 * names_tell - make PROCESS records of what is known, each name once
 * @pos:	where to go on; 0: at the beginning.  As long as nothing is noted.
 * @to:		room for @max records
 * @time:	the records', Xen's, ns
 *
 * No producer wrote them, so they are marks of the stream that they are put into.
 *
 * Return: how many there are in @to; less than @max: these were the last.
 */
size_t names_tell(const struct names *names, size_t *pos, struct xblk_record *to,
		  size_t max, uint64_t time);

#endif /* XBLKTRACE_NAMES_H */
