/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of the module in dom0 in which nothing can be played.  Included once by
 * each test that has the others: dom0_look(), dom0_fullness(), dom0_now(), dom0_drain()
 * and dom0_read_stats().
 */
#ifndef PLAYED_MODULE_H
#define PLAYED_MODULE_H

#include "../../xblktrace/dom0.h"

int dom0_start(struct dom0 *dom0, unsigned int own_domid, const struct options *opts,
	       const struct backing_table *backing, const struct domain *domains,
	       unsigned int nr_domains)
{
	(void)dom0, (void)own_domid, (void)opts, (void)backing, (void)domains,
		(void)nr_domains;
	return 0;
}

int dom0_add(struct dom0 *dom0, const struct backing_table *backing, unsigned int first,
	     const struct domain *domains, unsigned int nr_domains)
{
	(void)dom0, (void)backing, (void)first, (void)domains, (void)nr_domains;
	return 0;
}

void dom0_stop_begin(struct dom0 *dom0)
{
	(void)dom0;
}

int dom0_stop(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

#endif /* PLAYED_MODULE_H */
