/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module in dom0, of one CPU, with a buffer of records that the test puts there.
 * Linked before the archive, as it takes dom0.c's place; who links it has dom0_look().
 * All of it is held by fake_hold().
 */
#ifndef RECORDING_MODULE_H
#define RECORDING_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>

#define MODULE_ROOM (1 << 18)

/**
 * struct module - what it has
 * @records:	of which @nr wait to be read
 * @produced:	in all, with those that were lost, as it counts them
 * @lost, @marks: of these, and LOST records that tell of them
 * @clock:	what it says when it is asked for the time alone
 * @at_drain, @at_read_stats: called before it is read, or asked for its counters; or NULL
 */
extern struct module {
	struct xblk_record records[MODULE_ROOM];
	size_t nr;
	uint64_t produced, lost, marks;
	uint64_t (*clock)(void);
	void (*at_drain)(void);
	void (*at_read_stats)(void);
} module;

/* It has nothing, and has had nothing. */
void module_begin(uint64_t (*clock)(void));
void module_put(struct xblk_record rec);

#endif /* RECORDING_MODULE_H */
