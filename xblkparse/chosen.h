/* SPDX-License-Identifier: GPL-2.0-only */
/* What a filter found. */
#ifndef XBLKPARSE_CHOSEN_H
#define XBLKPARSE_CHOSEN_H

#include "select/filter.h"
#include "xblk.h"

/* Which of the processes that a filter names guests had that have gone. */
struct chosen {
	bool processes[FILTER_LIST_MAX];
};

/* A process that is forgotten, as of on_process_gone(). */
void chosen_look(struct chosen *c, const struct filter *f, unsigned int domid,
		 const char *guest, uint32_t pid, const char *name);

/**
 * chosen_tell() - say what of a filter the trace does not have, and what it has instead
 * @x:		the trace, read
 * @f:		what was chosen of it
 * @c:		what chosen_look() found
 *
 * Also where all of it is there, and yet no request was chosen.
 *
 * Return: false if a guest, disk or process was named that is not in the trace.
 */
bool chosen_tell(const struct xblk *x, const struct filter *f, const struct chosen *c);

#endif
