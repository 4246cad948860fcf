/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The drain: a thread that moves what guests' rings and this domain's buffers hold into
 * the trace, round after round, and does nothing else.  It never waits for XenStore, for
 * a guest or for the output: while that has no room nothing is read, and what does not
 * fit into rings and buffers meanwhile is lost where it is made, and counted there.
 *
 * Another thread, the control, says what is read, and what is wanted.  What both touch,
 * the trace among it, is held by drain_hold().
 */
#ifndef XBLKTRACE_DRAIN_H
#define XBLKTRACE_DRAIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dom0.h"
#include "guest.h"
#include "pace.h"
#include "tap.h"
#include "writer.h"

/**
 * enum drain_failure - why no more is read
 * @DRAIN_READING:	told of
 * @DRAIN_OUTPUT:	&writer.error says it; not told of
 */
enum drain_failure {
	DRAIN_WORKS,
	DRAIN_READING,
	DRAIN_OUTPUT,
};

/**
 * struct drain - what is read, and how far it is
 * @dom0, @writer, @opts: the caller's, which outlive it
 * @recording:	a flight recorder: only what was asked for is read, and guests that end
 * @marks:	what has been read is marked by ROUND chunks
 * @cuts:	a file that is full ends with a round
 * @failure:	none is followed by another
 *
 * The rest is held by drain_hold(), or belongs to one of the two threads:
 *
 * @guests:	those that are read, @nr of them
 * @taps:	get what is read, too
 * @now:	Xen's time of the last look, ns
 * @names:	of guests' threads, all together
 * @joined:	a guest came while a round was under way, which was not read from its
 *		beginning on: so nothing can be said of all records
 * @rounds_wanted: rounds of all, marked each, that begin from now on; 0: they are done
 * @snapshot_wanted: one round of all, after which the output is brought up to date
 * @snapshots:	how many there were; @snapshot_records: of the last one
 * @long_rounds: that were too long to end a file, one after the other
 * @cut:	the file has ended with a round: nothing is read until there is the next
 *		one, which begins at @cut_at
 * @taken:	the control makes it; if it does not for a second, the file goes on, until
 *		@cut_after at least
 * @ending:	the thread ends after one round more
 * @wake:	the control's, for the drain; @tell: the drain's, for the control
 */
struct drain {
	struct dom0 *dom0;
	struct writer *writer;
	const struct options *opts;
	bool recording;
	bool marks;
	bool cuts;
	enum drain_failure failure;

	pthread_t thread;
	bool running;
	pthread_mutex_t turn;
	pthread_mutex_t lock;
	int wake;
	int tell;

	struct guest **guests;
	unsigned int nr;
	unsigned int room;
	struct taps taps;
	struct names_pool names;
	bool joined;
	unsigned int rounds_wanted;
	bool snapshot_wanted;
	bool cut;
	bool taken;
	unsigned int long_rounds;
	bool ending;
	unsigned int snapshots;
	int64_t snapshot_records;
	struct pace pace;

	/* Xen's, ns. */
	uint64_t now;
	uint64_t drained_at;
	uint64_t round_began_at;
	uint64_t round_at;
	uint64_t flushed_at;
	uint64_t cut_at;
	uint64_t cut_after;
};

/* Return: 0 or negative errno; drain_free() in either case. */
int drain_init(struct drain *d, struct dom0 *dom0, struct writer *writer,
	       const struct options *opts);

/* After drain_stop(). */
void drain_free(struct drain *d);

/**
 * drain_start - begin to read this domain's buffers
 *
 * With all signals of the control blocked, which the thread inherits.  What is put into
 * the trace has to be held from here on.  Return: 0 or negative errno.
 */
int drain_start(struct drain *d);

/*
 * Read all once more, and end the thread.  A second without room for what is read ends
 * that, too: what is left counts as lost.  Safe where none was started.
 */
void drain_stop(struct drain *d);

/*
 * When the drain lets the control in, which it does after each MiB that it moves of
 * guests' records, however many guests there are.  Never for longer than it takes to
 * change something in memory.
 */
void drain_hold(struct drain *d);
void drain_release(struct drain *d);

/*
 * A guest is read from now on.  Held.  It stays the caller's.  Return: 0 or -ENOMEM.
 */
int drain_add(struct drain *d, struct guest *guest);

/* What follows is not to be called held. */

/**
 * drain_exchange - tell the drain which guests write no more, and learn how far they are
 *
 * What such a guest has written is read; why it ends is what was known first.  All guests
 * are seen to at once: with one after the other the control would wait for as many turns
 * of a drain that has no pause.
 */
void drain_exchange(struct drain *d);

/* Those that were read out by the last exchange, or @all, are read no more. */
void drain_remove(struct drain *d, bool all);

/*
 * How many guests have stopped in good order and were read out; *@all: nothing more is to
 * be read of any.
 */
unsigned int drain_count_read_out(struct drain *d, bool *all);

/* Look at all buffers at once: a doorbell has rung. */
void drain_wake(struct drain *d);

/* The end is near: read all from now on, where it records, and into this file. */
void drain_read_all(struct drain *d);

/* A flight recorder: read all once. */
void drain_want_snapshot(struct drain *d);

/* Mark what has been read, from now on, and end files that are full. */
void drain_begin_marks(struct drain *d);

/* Whether the file has ended with a round: for a second that can be taken in hand. */
bool drain_is_cut(struct drain *d);

/**
 * drain_take_cut - have the trace to oneself until drain_go_on(), to make the next file
 * @at:		where that begins; no record that is read then is older than half a second
 *		before it, but for what a producer was kept from writing for long
 *
 * Return: whether the file has ended.
 */
bool drain_take_cut(struct drain *d, uint64_t *at);
void drain_go_on(struct drain *d);

/* Begin @nr rounds at once, and mark each. */
void drain_want_rounds(struct drain *d, unsigned int nr);
bool drain_rounds_are_done(struct drain *d);

/**
 * drain_rest - read, in the caller's thread, what this domain's buffers still hold
 *
 * After drain_stop(), and after the module was told to stop.  Return: 1 if more may be
 * left, which needs room for it, 0 if nothing is, or -1 and &drain.failure.
 */
int drain_rest(struct drain *d);

/* All that was written before @time is in the trace.  Held, or without a thread. */
void drain_mark(struct drain *d, uint64_t time);

#endif /* XBLKTRACE_DRAIN_H */
