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
 * @reader, @dom0, @guests, @writer: open, but nothing started
 * @reason:	why it ends, NULL while it runs
 * @started:	both sides were up, so that the file holds a capture
 * @failed:	the exit status is to be 1
 * @output_told: the failure of the output was
 */
struct capture {
	struct capture_facts facts;
	struct xenrelay_reader *reader;
	struct dom0 *dom0;
	struct guest *guests;
	struct writer *writer;
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
	unsigned int snapshots;
	struct pace pace;

	/* Monotonic, ns. */
	uint64_t give_up_at;
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

#endif /* XBLKTRACE_CAPTURE_H */
