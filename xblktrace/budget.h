/* SPDX-License-Identifier: GPL-2.0-only */
/* How much of guests' memory all their channels together may have mapped here. */
#ifndef XBLKTRACE_BUDGET_H
#define XBLKTRACE_BUDGET_H

#include <stdint.h>

/**
 * budget_of_host - KiB that a part of this domain's maptrack entries can map
 * @wanted:	KiB that the user allows, of which half of the entries is the limit; 0: a
 *		quarter of them
 * @own_domid:	this domain
 *
 * Xen needs such an entry for each page of a guest that is mapped, also by the backends
 * of all disks and nets, of guests that are not traced too: without one an I/O fails.
 *
 * Return: KiB; what Xen's default limit gives where neither hypfs nor Xen's command line
 * says another one.
 */
uint64_t budget_of_host(uint64_t wanted, unsigned int own_domid);

/**
 * budget_share - KiB for the next guest to be connected
 * @kib:	for all of them
 * @used:	of these, what channels have that are connected
 * @waiting:	guests among which the rest is to be shared out; the next one is among them
 */
uint64_t budget_share(uint64_t kib, uint64_t used, unsigned int waiting);

#endif /* XBLKTRACE_BUDGET_H */
