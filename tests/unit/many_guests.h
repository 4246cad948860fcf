/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture of many guests, at once and one after the other.
 *
 * The capture is the real one.  Played are XenStore and the guests, the module in dom0,
 * and time: it goes on as fast as the capture takes its turns, in each of which it asks
 * for signals.  Linked before the archive, as it takes the place of files there.
 */
#ifndef MANY_GUESTS_H
#define MANY_GUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "played_capture.h"

#define MANY_RING_PAGES 4

/**
 * struct many - what a test chooses, before run() or in its turns
 * @output:	of the capture
 * @nr_cpus:	of this domain that have a stream
 * @mute_from:	the guests from this domid on do not answer
 * @anew:	each guest has rings of its own, as the only one
 * @max_kib:	for all guests' rings
 * @nr_rings, @ring_pages: of each guest; with more than one ring, or more pages, nobody
 *		writes to them
 * @stubborn:	they take no notice of how large a ring may be
 * @ends:	set by a turn: the capture ends
 * @nr_answers:	how many guests have answered
 * @nr_turns:	of the control
 */
extern struct many {
	const char *output;
	unsigned int nr_cpus, mute_from;
	bool anew;
	uint64_t max_kib;
	unsigned int nr_rings, ring_pages;
	bool stubborn;
	bool ends;
	unsigned int nr_answers;
	unsigned int nr_turns;
} many;

extern struct played played;
extern struct domain_table table;
extern struct guest guests[MAX_DOMAINS];
extern struct xenrelay_ring ring; /* all guests' */

/* Capture all that there are and that come.  Return: as capture_run(). */
int run(void (*in_each_turn)(void));

/* Also for the reader of channels, whose timer is a real one. */
void skip_ms(unsigned int ms);
void comes(unsigned int domid);
void goes(unsigned int domid);
/* What they do with what is written to them: fake.written. */
void many_answer(const char *path, const char *value);
/* A node of XenStore; without a value it goes, with all below it. */
void node(const char *value, const char *fmt, ...);

int setup(void **state);
int teardown(void **state);

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* MANY_GUESTS_H */
