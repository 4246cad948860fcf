/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module in dom0 that has no records: only its clock goes on.  Included once by each
 * test that has no more of it than dom0_look(), and maybe on_silent_drain.
 */
#ifndef SILENT_MODULE_H
#define SILENT_MODULE_H

#include "../../xblktrace/dom0.h"

/* If it is set: called when the module is asked for its records. */
static void (*on_silent_drain)(void);

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	uint64_t level;

	return dom0_look(dom0, ns, &level);
}

unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	(void)dom0, (void)level;
	return 0;
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	(void)dom0, (void)w, (void)time, (void)permille;
	if (on_silent_drain)
		on_silent_drain();
	return 0;
}

int dom0_read_stats(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

#endif /* SILENT_MODULE_H */
