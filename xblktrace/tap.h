/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taps: what others get of a capture that runs.  Each is a trace of its own, of some of
 * the guests and of all of this domain's records, that goes out through a socket.
 *
 * It has what happened from one moment to another, in all of its streams alike.  A tap
 * that is not read loses records, which is counted and marked in it, and costs nobody
 * else anything.
 *
 * What is said here is for one thread at a time, as by drain_hold(), but for
 * tap_finish() and what follows it.
 */
#ifndef XBLKTRACE_TAP_H
#define XBLKTRACE_TAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "domains.h"
#include "guest.h"
#include "options.h"
#include "writer.h"

#define TAP_MAX	   4 /* at once */
#define TAP_BLOCKS 8 /* of 1 MiB that wait to be read, of each */

/**
 * enum tap_state - how far it is
 * @TAP_ENDS:	it waits for a round of the drain's to begin: what happened before that
 *		is read in it
 * @TAP_LAST_ROUND: that one is under way
 * @TAP_DONE:	it gets nothing more
 */
enum tap_state {
	TAP_RUNS,
	TAP_ENDS,
	TAP_LAST_ROUND,
	TAP_DONE,
};

/* Those of a guest's disks that are in a tap, by their indices. */
struct tap_disks {
	bool *chosen;
	unsigned int nr;
};

/**
 * struct tap_stream - what a tap has of one of the capture's streams
 * @own:	the tap's; .lost is what its LOST records tell of, and in the end all
 * @ring:	where it comes from, NULL: from this domain
 * @disks:	of its records those of other disks are not in the tap; NULL: all are
 * @untold:	how many the ring had lost of which no record tells, when the tap began
 * @begun:	something came that is not from before the tap
 * @loss:	a LOST record that is still to be written, if its count is not 0
 * @ends:	nothing more comes, which META is still to say
 */
struct tap_stream {
	struct writer_stream own;
	const struct guest_ring *ring;
	const struct tap_disks *disks;
	uint64_t untold;
	bool begun;
	struct xblk_record loss;
	bool ends;
};

/**
 * struct tap - one of them
 * @fd:		the socket; the writer has a descriptor of its own
 * @pid:	of who asked for it
 * @request:	what was asked for; @opts points into it
 * @writer:	the trace
 * @streams:	by the numbers of the capture's streams, @nr_streams: NULL for those that
 *		are not in it
 * @nr_ending:	how many of them end, see &tap_stream.ends
 * @records_gone, @lost_gone: what those came to that have ended
 * @nr_losses:	how many of them have a loss that is still to be written
 * @wanted:	which of the capture's guests are in it
 * @disks:	and which of their disks, where some were chosen
 * @untold:	@nr_untold texts of META that are still to be written
 * @meta_owed:	it is not described yet what it would get now: so it gets nothing
 * @heard:	who asked wants no more, or has gone
 * @own_domid:	this domain's
 * @from, @until: Xen's time of its beginning and its end, ns
 * @reason:	why it ends; NULL: it does not
 * @began, @end_at, @force_at, @give_up_at: monotonic, ns; 0: never
 * @finishing:	@thread writes its end
 */
struct tap {
	int fd;
	pid_t pid;
	char *request;
	struct options opts;
	struct writer writer;
	struct tap_stream **streams;
	unsigned int nr_streams;
	unsigned int nr_losses;
	unsigned int nr_ending;
	uint64_t records_gone;
	uint64_t lost_gone;
	bool wanted[MAX_DOMAINS];
	struct tap_disks disks[MAX_DOMAINS];
	char **untold;
	unsigned int nr_untold;
	bool meta_owed;
	unsigned int own_domid;
	bool heard;
	enum tap_state state;
	uint64_t from;
	uint64_t until;
	const char *reason;
	uint64_t began;
	uint64_t end_at;
	uint64_t force_at;
	uint64_t give_up_at;
	bool finishing;
	pthread_t thread;
};

/* NULL where there is none. */
struct taps {
	struct tap *each[TAP_MAX];
};

/* What a stream of the capture has got, as &writer.taken tells it; @arg: the taps. */
void taps_take(void *arg, const struct writer_stream *stream,
	       const struct xblk_record *records, size_t nr, uint64_t time);

/* A round begins, at @now: what was written before that is read in it. */
void taps_begin_round(struct taps *taps, uint64_t now);

/* It is over.  Return: whether a tap is done. */
bool taps_end_round(struct taps *taps);

/* All that was written before @time is in the capture's trace. */
void taps_mark(struct taps *taps, uint64_t time);

void taps_flush(struct taps *taps);

/**
 * tap_new - a tap that gets nothing yet
 * @fd:		is closed by tap_free(), unless this fails
 * @request:	to be freed; likewise
 * @opts:	what it says
 *
 * Return: NULL if there is no memory or no thread.
 */
struct tap *tap_new(int fd, char *request, const struct options *opts);

/* One that has no thread. */
void tap_free(struct tap *tap);

/* To be described by @text, which it frees, when there is room.  Return: 0 or -ENOMEM. */
int tap_add_untold(struct tap *tap, char *text);

/* Write these; it gets nothing else before they are out.  Return: 0 or negative errno. */
int tap_put_untold(struct tap *tap, uint64_t time);

/*
 * All: 0 or -ENOMEM, or -EBUSY: it has not been told yet that a guest of that number has
 * gone.  What comes from here on is in it.
 */
int tap_add_stream(struct tap *tap, const struct writer_stream *stream);
/* @nr: the guest's number in the capture. */
int tap_add_guest(struct tap *tap, struct guest *guest, unsigned int nr);
/* Likewise of disks that the guest has got. */
int tap_choose_disks(struct tap *tap, const struct domain *domain, unsigned int nr);

/* It gets nothing more, without another round; @now: Xen's time, ns. */
void tap_end_at(struct tap *tap, uint64_t now);

/*
 * Tell again how threads are called, in the first stream of a domain: in the order that
 * they have; what there is no room for is left out.
 */
void tap_tell_names(struct tap *tap, const struct writer_stream *stream,
		    const struct names *names);

/* So far: records in it, and those that it lacks. */
uint64_t tap_records(const struct tap *tap);
uint64_t tap_lost(const struct tap *tap);

/*
 * Take the rings' last word of what they have lost: the tap is done, and their counters
 * have been read.
 */
void tap_settle_losses(struct tap *tap);

/* Likewise of the rings of a guest that is no more; its streams end, which META says. */
void tap_end_guest(struct tap *tap, const struct guest *guest);

/**
 * tap_put_ended - tell of the streams that end, and forget them
 * @make:	META's text of them, to be freed
 *
 * Return: 0 or negative errno: there are some left.
 */
int tap_put_ended(struct tap *tap,
		  char *(*make)(void *arg, const struct writer_stream *const *streams,
				unsigned int nr),
		  void *arg, uint64_t time);

/**
 * tap_finish - have its end written by a thread of its own, which waits for the peer
 *
 * Nobody else uses it from here on.  Return: 0 or negative errno: nothing has begun.
 */
int tap_finish(struct tap *tap);

/* Wait for the peer no longer. */
void tap_give_up(struct tap *tap);

/* Whether the thread has ended; it is no more then. */
bool tap_has_finished(struct tap *tap);

#endif /* XBLKTRACE_TAP_H */
