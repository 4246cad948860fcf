/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domains of which something has changed, until they have been looked at: a set, so that
 * nothing piles up however often that is.
 */
#ifndef XBLKTRACE_CHANGES_H
#define XBLKTRACE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#define CHANGES_DOMIDS 65536

/**
 * struct changes - the set; all zero it is empty
 * @all:	any domain may have changed, also one that is not known
 * @nr:		how many bits are set
 * @next:	where the next one is looked for, so that each has its turn
 */
struct changes {
	bool all;
	unsigned int nr;
	unsigned int next;
	uint64_t bits[CHANGES_DOMIDS / 64];
};

/* @domid is below CHANGES_DOMIDS. */
void changes_add(struct changes *changes, unsigned int domid);

/* Take one out.  Return: false if there is none. */
bool changes_take(struct changes *changes, unsigned int *domid);

static inline bool changes_any(const struct changes *changes)
{
	return changes->all || changes->nr;
}

#endif /* XBLKTRACE_CHANGES_H */
