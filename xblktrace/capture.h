/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture: both sides started, drained side by side, and stopped in order. */
#ifndef XBLKTRACE_CAPTURE_H
#define XBLKTRACE_CAPTURE_H

#include "meta.h"
#include "pace.h"
#include "writer.h"

/**
 * struct capture - one run
 * @facts:	what is traced; the pointers below are those in it, to be changed
 * @reader, @dom0, @backing, @domains, @guests, @writer: open, but nothing started;
 *		domains and guests have room for MAX_DOMAINS
 * @max_kib:	that guests' rings may have mapped here, all together
 * @reason:	why it ends, NULL while it runs
 * @started:	both sides were up, so that the file holds a capture
 * @failed:	the exit status is to be 1
 * @output_told: the failure of the output was
 */
struct capture {
	struct capture_facts facts;
	struct xenrelay_reader *reader;
	struct dom0 *dom0;
	struct backing_table *backing;
	struct domain *domains;
	struct guest *guests;
	struct writer *writer;
	uint64_t max_kib;
	const char *reason;
	bool started;
	bool failed;
	bool guest_failed; /* the same, but the capture of the others goes on */
	bool output_told;

	int signal_fd;
	unsigned int signals;
	bool signal_came;
	bool reader_woken;
	bool snapshot_wanted;
	bool look_wanted;     /* domains or disks may have come or gone */
	bool below_left_out;  /* that disks below are too many was told */
	bool below_failed;    /* likewise, that they cannot be looked at */
	unsigned int nr_told; /* of @backing, the module knows so many */
	unsigned int snapshots;
	struct pace pace;

	/* Monotonic, ns. */
	uint64_t give_up_at;
	uint64_t look_at;
	uint64_t look_below_at;
	/* Xen's, ns: the clock of all else, which each turn reads once anyhow. */
	uint64_t now;
	uint64_t started_at;
	uint64_t ended_at;
	uint64_t end_at;
	uint64_t drained_at;
	uint64_t round_began_at;
	uint64_t round_at;
	uint64_t flushed_at;
	uint64_t shown_at;
};

/**
 * capture_run - write the header, start both sides, drain until the end, stop
 *
 * All guests have been let go of when it returns, and the module traces no
 * more.  Return: 0, or -1 after an error message; what is in the file then is
 * readable up to its end.
 */
int capture_run(struct capture *c);

/* What hotplug.c needs of a capture that runs. */

/* Monotonic, ns. */
uint64_t capture_clock(void);

/* An error that has been told: end as soon as possible. */
void capture_fail(struct capture *c, const char *reason);

/*
 * Write what is known of domains and disks, behind all records up to now and so
 * that a reader of the trace is through with those.  Return: 0, or -1 after an error
 * message, and the capture ends.
 */
int capture_describe(struct capture *c);

/* Connect, while the others are read.  Return: 0, or -1 after an error message. */
int capture_connect(struct capture *c, struct guest *guest);

#endif /* XBLKTRACE_CAPTURE_H */
