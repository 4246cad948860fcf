/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture as it runs: what the files of the control share. */
#ifndef XBLKTRACE_STATE_H
#define XBLKTRACE_STATE_H

#include "changes.h"
#include "drain.h"
#include "meta.h"
#include "service.h"
#include "writer.h"

/**
 * struct capture - one run
 * @facts:	what is traced; the pointers below are those in it, to be changed
 * @reader, @dom0, @backing, @domains, @guests, @writer: open, but nothing started;
 *		of guests there is room for MAX_DOMAINS
 * @max_kib:	that guests' rings may have mapped here, all together
 * @store_ms:	for how long XenStore may not answer before that is told
 * @drain:	reads them
 * @service:	tells others of it; NULL: nobody does
 * @reason:	why it ends, NULL while it runs
 * @last_ending: why the last guest that has ended did so; NULL: none has
 * @started:	both sides were up, so that the file holds a capture
 * @failed:	the exit status is to be 1
 * @path:	where the output is, from the root on; NULL: that is not known
 * @rotate_waits: the drain has ended a file, and the output is not that far yet
 * @nameless:	the last file of which it was told that it has lost its name; 0: none
 * @names_left:	that there was no room for all names in a file was told
 * @output_told: the failure of the output was, @stall_told that it takes nothing
 */
struct capture {
	struct capture_facts facts;
	struct xenrelay_reader *reader;
	struct dom0 *dom0;
	struct backing_table *backing;
	struct domain_table *domains;
	struct guest *guests;
	struct writer *writer;
	uint64_t max_kib;
	unsigned int store_ms;
	struct drain drain;
	struct service *service;
	char *path;
	const char *reason;
	const char *last_ending;
	bool started;
	bool failed;
	bool guest_failed; /* the same, but the capture of the others goes on */
	bool rotate_waits;
	bool names_left;
	unsigned int nameless;
	bool output_told;
	bool stall_told;

	struct changes changes; /* domains, or their disks, may have come or gone */

	int signal_fd;
	unsigned int signals;
	bool snapshot_asked; /* by one, and not taken in hand yet */
	bool reader_woken;
	bool store_gone;      /* XenStore, which has been told */
	bool store_given_up;  /* likewise, as it did not answer */
	bool silence_told;    /* that it does not, and is waited for */
	bool connect_failed;  /* to a guest that was asked for by name */
	char *untold;	      /* a description that the output had no room for */
	bool describe_wanted; /* something of guests is known that the trace lacks */
	bool describing;      /* rounds are waited for, as it is about to be told */
	bool below_left_out;  /* that disks below are too many was told */
	bool below_failed;    /* likewise, that they cannot be looked at */
	unsigned int nr_told; /* of @backing, the module knows so many */
	unsigned int nr_connected;
	/* When it ends: of the guests that are still connected. */
	unsigned int nr_stopped;
	bool all_read_out;
	/* Of guests that are no more. */
	uint64_t records_gone;
	uint64_t lost_gone;
	unsigned int snapshots; /* that have been told of */
	bool snapshot_untold;

	/*
	 * What the output had taken at the last look, whether that was all, and if not
	 * since when it has been so.
	 */
	uint64_t bytes_out;
	bool all_out;
	uint64_t stalled_since;

	/* Monotonic, ns. */
	uint64_t began_at;
	uint64_t end_at;
	uint64_t stopping_since;
	uint64_t guest_stopped_at; /* the last of them; 0: none has */
	uint64_t give_up_at;
	uint64_t look_at;
	uint64_t look_below_at;
	uint64_t shown_at;
	/* Xen's, ns. */
	uint64_t started_at;
	uint64_t file_at; /* when the present file began */
	uint64_t ended_at;
};

#endif /* XBLKTRACE_STATE_H */
