/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libxblk: from the bytes of a trace to guests' requests, and where their time went.
 *
 *	static void on_request(void *user, const struct xblk_request *r)
 *	{
 *		if (r->measured)
 *			printf("%s %" PRId64 " ns\n", r->label, r->stages[STAGE_Q2C]);
 *	}
 *
 *	const struct xblk_options options = {.on_request = on_request};
 *	struct xblk *x;
 *
 *	if (xblk_open(&x, &options) || xblk_read(x, fd))
 *		errx(1, "%s", xblk_strerror(x));
 *	xblk_close(x);
 *
 * Where the bytes come by and by, of a socket or a pipe that shares a loop with others,
 * xblk_feed() takes them as they come and xblk_finish() says that they were all; what is
 * told is the same.
 *
 * Units.  Times are ns of Xen's system time, as in the records, and 0 where they are not
 * known; spans are ns, sectors are of 512 bytes.  Names are UTF-8 without characters that
 * a terminal would obey, whatever is in the trace.
 *
 * Errors.  Functions return 0 or a negative errno; errno itself means nothing.  After an
 * error xblk_strerror() says what is wrong, in one sentence without a newline.  A trace
 * of which a part cannot be used is no error: on_message() says which, and in the end
 * @problems is set.  The library prints nothing and never ends the program.
 *
 * Ownership.  What a callback is given, with its strings, belongs to the library and
 * stays until the callback returns; what xblk_get_trace() and the xblk_next_ functions
 * fill in is the caller's, but its strings stay only until the next byte is read, or to
 * xblk_close() where nothing is read any more.  The memory of a handle grows with the
 * disks that have I/O and with what is in flight, not with the length of the trace; what
 * a hostile guest writes is bounded, too.
 *
 * Context.  Callbacks come from within xblk_feed(), xblk_finish() and xblk_read(), in the
 * thread that called these.  In a callback the handle may be asked, and stopped, but not
 * fed, read or closed, and the callback has to return (no longjmp).  A handle belongs to
 * one thread at a time, but for xblk_stop(); different handles are independent.
 */
#ifndef XBLK_XBLK_H
#define XBLK_XBLK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the order in which a request passes them; their sum is Q2C. */
enum stage {
	STAGE_U_Q2D,
	STAGE_U_T,
	STAGE_0_Q2D,
	STAGE_0_D2C,
	STAGE_0_T,
	STAGE_PARTS,
	STAGE_Q2C = STAGE_PARTS,
	STAGE_MAX
};

extern const char *const stage_names[STAGE_MAX];

enum side {
	SIDE_GUEST,
	SIDE_BACKEND,
	SIDE_MAX
};

/* Every guest request that was seen ends in exactly one. */
enum bin {
	BIN_JOINED,
	BIN_BEFORE_TRACE,  /* it began before the trace did */
	BIN_IN_FLIGHT,	   /* it had not come back when the trace ended */
	BIN_LOST,	   /* a record of it was lost */
	BIN_NO_BACKEND_IO, /* came back though dom0 did no I/O for it */
	BIN_NOT_SERVED,	   /* its disk is not served by a blkback that is traced */
	BIN_INCOMPLETE,	   /* dom0 showed a part of it, though it lost nothing */
	BIN_CAUSALITY,	   /* a stage is negative: the clocks disagree */
	BIN_CLOCK_CHANGE,  /* a clock changed under way: its times do not compare */
	BIN_EVICTED,	   /* more was in flight than is kept */
	BIN_AMBIGUOUS,	   /* which of several it belongs to cannot be told */
	BIN_MALFORMED,	   /* the guest's records of it contradict each other */
	BIN_MAX
};

extern const char *const bin_names[BIN_MAX];

/* Completed I/O by kind, as in /sys/block/<disk>/stat. */
enum kind {
	KIND_READ,
	KIND_WRITE,
	KIND_FLUSH,
	KIND_DISCARD,
	KIND_OTHER,
	KIND_MAX
};

extern const char *const kind_names[KIND_MAX];

struct io_count {
	uint64_t ios, sectors;
};

/**
 * struct xblk_clone - a part or a clone that a layer of dom0 made of a bio
 * @disk:	label of dom0's disk that it was sent to
 * @sector:	its first one there
 * @nr_sectors:	as it was sent there, though parts may have been cut from it since
 * @level:	1: it was made of the bio itself, 2: of one of these, and so on
 * @q_ns:	when it was queued there; a part: when what it was cut from was
 * @d_ns:	when it was issued first; or, where its disk is of a layer, what was done
 *last of it, on a lower one; 0: that is not known, or has not happened
 * @c_ns:	when all of it was done; 0: it was not, or of a flush, that is not known
 * @requeued_ns: from its requeues to its next issues, in sum
 * @requeues:	how many these are
 * @error:	with which something of it failed first; 0: nothing did
 */
struct xblk_clone {
	const char *disk;
	uint64_t sector, q_ns, d_ns, c_ns, requeued_ns;
	uint32_t nr_sectors, level, requeues, error;
};

#define XBLK_CLONES 8 /* that are told of, of a request */

/**
 * struct xblk_request - a guest's request that has ended, in one bin
 * @domid:	of the guest
 * @guest:	its name, as of when it had the disk
 * @uuid:	the same, of the guest; "": not known
 * @disk:	name of the disk, as "xvda"
 * @label:	the same, but "xvda#2" for the second one of that name, and so on
 * @device:	its name in a guest that is Linux, be it another one; "": not known
 * @disk_index:	of the disk, in the guest's records
 * @ring:	of the disk's rings, the one on which it was put last; -1: not known
 * @slot:	there, if @ring is known: counts those that were filled, modulo 2^32, from
 *		any number on
 * @process:	name of the process that queued its first bio; "?": not known
 * @pid:	of that process; 0: not known
 * @names:	counts changes of names: where two requests have the same count, names
 *		at the same place are the same
 * @op:		enum xblk_op, and flags
 * @sector:	its first one on the guest's disk
 * @nr_sectors:	of 512 bytes
 * @nr_bios:	of the guest, in it: as many but one were merged
 * @nr_backend_bios: that dom0 made of it
 * @requeues:	how often it came back and was issued again
 * @error:	with which it completed; 0: none
 * @q_ns:	when its first bio was queued
 * @first_d_ns:	when it was issued first
 * @d_ns:	when it was issued last
 * @requeued_ns: from its requeues to its next issues, in sum
 * @c_ns:	when it completed
 * @backend_request: blkback's identity of it; 0: not known
 * @backend_pid: blkback's thread that queued it last; 0: not known, or none did
 * @backend_process: its name; "?": not known
 * @backend_failed: something that dom0 did for it failed
 * @backend_error: with which that did first; 0: nothing failed
 * @backend_q_ns: when dom0 queued the bio for it that completed last; of one in flight,
 *the first that has not completed, if there is one
 * @backend_d_ns: when that was issued
 * @backend_c_ns: when that completed
 * @backend_interrupt_ns: the last interrupt of the backend's ring before it was taken up
 * @backend_thread_ns: when blkback's thread went about it
 * @lowest_disk: label of the lowest device, which did what was done last of that bio
 * @lowest_q_ns: when that was queued there
 * @lowest_c_ns: when it completed there
 * @lowest_requeued_ns: from its requeues to its next issues, in sum
 * @lowest_requeues: how many these are
 * @lowest_nr_bios: that were in one request there: as many but one were merged with it,
 *also other requests'; 0: it was in none, or that is not known
 * @nr_clones:	parts and clones that layers made of that bio; 0: none, or not known where
 *		thousands of requests wait to be taken up by their guests
 * @first_clone_ns: when the first of these was done; the last one is @lowest_c_ns
 * @clones:	these, but of more than XBLK_CLONES those that were done last, in the
 *order in which they were; behind them those that are not done, of which no more are left
 *out than have to be.  Behind these nothing is set
 * @response_ns: when the response was put on the ring
 * @interrupt_ns: the guest's last interrupt before @c_ns
 * @guest_flush_ns: how long a flush of its disk was outstanding between @q_ns and @d_ns
 * @backend_flush_ns: the same between @backend_q_ns and @backend_d_ns, of dom0's disk
 * @measured:	all of it was seen, so that @stages and what is of the backend are its
 * @stages:	in ns, by enum stage; one is negative in BIN_CAUSALITY
 * @bin:	what has become of it
 * @why:	a few words on that; "" in BIN_JOINED
 * @reached:	of one in flight: the stage that it is in
 * @guest_lost_from_ns: records of the guest were lost from then, as far as they can have
 *		to do with it; 0: none
 * @guest_lost_to_ns: to then; UINT64_MAX: to the end
 * @backend_lost_from_ns, @backend_lost_to_ns: the same of dom0
 *
 * It is flat and does not change.  A loss that is told of later may yet have concerned
 * it: then its disk's counts of bins say so, and it is not told of again.
 */
struct xblk_request {
	unsigned int domid;
	const char *guest, *uuid, *disk, *label, *device;
	unsigned int disk_index;
	int ring;
	uint32_t slot;
	const char *process;
	uint32_t pid;
	uint64_t names;

	unsigned int op;
	uint64_t sector;
	uint32_t nr_sectors, nr_bios, nr_backend_bios, requeues, error;

	uint64_t q_ns, first_d_ns, d_ns, requeued_ns, c_ns;

	/*
	 * Zero, and the names "?" and "", unless it is measured, or in flight and dom0's
	 * bios are known: then it is as far as they have come.
	 */
	uint32_t backend_request, backend_pid, backend_error;
	const char *backend_process, *lowest_disk;
	bool backend_failed;
	uint32_t lowest_requeues, lowest_nr_bios, nr_clones;
	struct xblk_clone clones[XBLK_CLONES];
	uint64_t first_clone_ns;
	uint64_t backend_q_ns, backend_d_ns, backend_c_ns;
	uint64_t backend_interrupt_ns, backend_thread_ns;
	uint64_t lowest_q_ns, lowest_c_ns, lowest_requeued_ns;
	uint64_t response_ns, interrupt_ns;
	uint64_t guest_flush_ns, backend_flush_ns;
	bool measured;
	int64_t stages[STAGE_MAX];

	enum bin bin;
	const char *why;
	enum stage reached;
	uint64_t guest_lost_from_ns, guest_lost_to_ns;
	uint64_t backend_lost_from_ns, backend_lost_to_ns;
};

/* Of an event: stands where records are missing or cannot be used; as XBLK_EV_LOST. */
#define XBLK_EVENT_GAP XBLK_EV_MAX

/**
 * struct xblk_event_record - a record, in the order of time of all streams
 * @record:	what was written, which xblk/events.def describes; its event is
 *		XBLK_EVENT_GAP where there is none
 * @domid:	whose it is
 * @backend:	that is the domain that serves the disks
 * @domain:	its name
 * @cpu:	the stream: one of a guest's vCPUs, or of dom0's CPUs
 * @stream:	its number, which becomes another one's when the guest has gone
 * @sequence:	of this record in its stream, which counts those that are lost, too
 * @letter:	of the event, as of blkparse's lines; '?': not known
 * @disk:	number of the disk in xblk_next_disk(); XBLK_NO_DISK_NR: none, or not known
 * @label:	of that; NULL: there is none
 * @of:		another one for each stream that there is; for xblk_event_served() and its
 * like
 */
struct xblk_event_record {
	const struct xblk_record *record;
	unsigned int domid;
	bool backend;
	const char *domain;
	uint32_t cpu;
	unsigned int stream;
	uint64_t sequence;
	char letter;
	size_t disk;
	const char *label;
	const void *of;
};

#define XBLK_NO_DISK_NR SIZE_MAX

/**
 * struct xblk_interval - a guest disk in a stretch of the capture's own time
 * @from_ns:	when it begins
 * @to_ns:	when it ends
 * @disk:	number of the disk in xblk_next_disk()
 * @idle:	not 0: so many intervals without an event of dom0 were left out; the other
 *		members are not set then
 * @done:	what the guest had back, by enum kind
 * @joined:	requests whose stages are known
 * @mean_ns:	of these, by enum stage
 * @p99_ns:	of their Q2C; 0: not known
 * @lost:	records that the guest and dom0 lost
 * @queued:	at the end of it: bios that are in no request that was issued
 * @in_flight:	requests that were issued and have not come back
 * @oldest_ns:	how old the oldest of these is; 0: there is none
 * @reached:	the stage that this one is in
 */
struct xblk_interval {
	uint64_t from_ns, to_ns;
	size_t disk;
	uint64_t idle;
	struct io_count done[KIND_MAX];
	uint64_t joined;
	uint64_t mean_ns[STAGE_MAX], p99_ns;
	uint64_t lost;
	uint64_t queued, in_flight, oldest_ns;
	enum stage reached;
};

/**
 * struct xblk_trace - a trace as far as it was read
 * @version:	of its format; 0: its header has not been read
 * @start_ns:	when it began
 * @wall_ns:	the same by the wall clock, since 1970
 * @now_ns:	how far the capture has come; no guest can move it
 * @host, @tool: where it was taken, and with what
 * @recorded:	operations that were, "read, write"; "": all
 * @bytes, @chunks, @records: that were read
 * @damaged:	stretches of it that cannot be used
 * @damaged_bytes: how long they are
 * @ended:	the capture ended in good order
 * @reason:	why it ended
 * @duration_ns: how long it took, by its own word
 * @events_sent: notifications from guests' channels
 * @stopped:	by xblk_stop()
 * @foreign:	what is behind the end of it is of another trace and not used
 * @conserved:	what was produced, written and found agrees, as far as it is known
 * @problems:	something could not be used; on_message() was told
 * @partial:	it was not read from its beginning on, see xblk_read()
 * @from_ns:	from when on it was read
 * @to_ns:	until when all of it was read; 0: to its end
 */
struct xblk_trace {
	unsigned int version;
	uint64_t start_ns, wall_ns, now_ns;
	const char *host, *tool, *recorded;
	uint64_t bytes, chunks, records;
	uint64_t damaged, damaged_bytes;
	bool ended, stopped, foreign, conserved, problems, partial;
	const char *reason;
	uint64_t duration_ns, events_sent;
	uint64_t from_ns, to_ns;
};

/* What is probed for the substages alone, where a kernel has it by that name. */
enum probe {
	PROBE_BACK_INTERRUPT,
	PROBE_MAP,
	PROBE_RESPONSE,
	PROBE_FRONT_INTERRUPT,
	PROBE_MAX
};

extern const char *const probe_names[PROBE_MAX];

/* Which of them are of a backend's kernel, and which of a guest's. */
static inline bool probe_is_of(unsigned int probe, bool backend)
{
	return (probe != PROBE_FRONT_INTERRUPT) == backend;
}

/**
 * struct xblk_domain - a guest, or the domain that serves the disks
 * @domid:	another guest may have had the number before
 * @backend:	it serves the disks
 * @described:	the metadata has it, and not only records
 * @name, @uuid: "": not known
 * @uncertainty_ns: how far its clock may be off the backend's; of the backend: off Xen's
 * @probes_told: the trace says which there are
 * @probes:	a bit each of those that probe_names[] has
 * @records, @invalid, @late, @lost: of its streams
 * @evicted:	bios and requests that were too many to be kept
 * @clock_changes: how often its clock was set anew
 */
struct xblk_domain {
	unsigned int domid;
	bool backend, described;
	const char *name, *uuid;
	uint64_t uncertainty_ns;
	bool probes_told;
	unsigned int probes;
	uint64_t records, invalid, late, lost;
	uint64_t evicted;
	uint32_t clock_changes;
};

/**
 * struct xblk_disk - a disk of a guest or of the backend
 * @nr:		of the disk, in the order in which they came; it stays
 * @domid:	whose it is
 * @backend:	that is the domain that serves the disks
 * @gone:	it was detached, or its guest has ended
 * @guest, @name, @label, @device, @index: as of struct xblk_request
 * @uuid:	the guest's; "": not known
 * @devid:	as XenStore has it
 * @backing:	number of the disk that it is a part of, or is; XBLK_NO_DISK_NR: it is not
 *		served by a blkback that is traced
 * @uncertainty_ns: how far the guest's clock may be off the backend's
 * @no_merges:	the merges that counts have of it were not recorded, or not always;
 *		@backing_no_merges: those of the backend for it
 * @dev:	of the backend: "MAJOR:MINOR"
 * @scheduler:	the same: the one that was in use
 */
struct xblk_disk {
	size_t nr;
	unsigned int domid;
	bool backend, gone, no_merges, backing_no_merges;
	const char *guest, *uuid, *name, *label, *device;
	unsigned int index, devid;
	size_t backing;
	uint64_t uncertainty_ns;
	const char *dev, *scheduler;
};

/**
 * struct xblk_stream - what one CPU wrote
 * @domid, @cpu: whose
 * @records:	found in the trace
 * @invalid:	of these: make no sense
 * @late:	came after younger ones had been processed
 * @missing:	by the sequence
 * @backwards:	chunks whose sequence is behind their place
 * @lost:	by the best account of it that there is
 * @accounted:	the capture gave the following account of it
 * @produced, @written, @told_lost, @marks: records; the last ones tell of a loss, and no
 *		producer wrote them
 */
struct xblk_stream {
	unsigned int domid;
	uint32_t cpu;
	uint64_t records, invalid, late, missing, backwards, lost;
	bool accounted;
	uint64_t produced, written, told_lost, marks;
};

/**
 * struct xblk_options - what is wanted of a trace; all may be 0
 * @user:	first argument of the callbacks
 * @on_request:	each guest request, when it has ended
 * @on_event:	each record, in the order of time, before anything follows from it
 * @on_interval: each guest disk that there is or was in it, each @interval_ns of the
 *		capture's time, and what is left of the last one
 * @on_end:	once, after all of these, if the trace's header was good
 * @on_message:	what is wrong with a trace, a sentence of printable text each
 * @on_progress: now and then while it is read
 * @interval_ns: 0: there are no intervals
 * @from_ns:	only requests that begin, and events that are, so long or longer after the
 *		trace began
 * @to_ns:	and before that; 0: up to its end
 */
struct xblk_options {
	void *user;
	void (*on_request)(void *user, const struct xblk_request *r);
	void (*on_event)(void *user, const struct xblk_event_record *e);
	void (*on_interval)(void *user, const struct xblk_interval *i);
	void (*on_end)(void *user, const struct xblk_trace *t);
	void (*on_message)(void *user, const char *text);
	void (*on_progress)(void *user, const struct xblk_trace *t);
	uint64_t interval_ns;
	uint64_t from_ns, to_ns;
};

struct xblk;

/**
 * xblk_open() - begin with a trace
 * @x:		set to its handle; to NULL after -ENOMEM
 * @options:	is copied; NULL: all 0
 *
 * Return: 0, -ENOMEM, or -EINVAL: @x is NULL, @to_ns is not behind @from_ns, or one of
 * @on_interval and @interval_ns is missing.
 */
int xblk_open(struct xblk **x, const struct xblk_options *options);

/**
 * xblk_feed() - the next bytes of the trace
 * @x:		the handle
 * @bytes:	any number of them; they need not stay
 * @size:	how many
 *
 * Never waits.  What is told may be of records that came before: those of other streams
 * may have to come first.
 *
 * Return: 0; -EBADMSG: it is no trace, or of a later version; -ENOMEM; -ECANCELED: it was
 * stopped; -EINVAL: @x is NULL or the trace is over.  After an error, finish or close it.
 */
int xblk_feed(struct xblk *x, const void *bytes, size_t size);

/**
 * xblk_finish() - no more bytes come, of a trace that was fed
 * @x:		the handle
 *
 * What is in flight has its end now.  It may be asked afterwards.
 *
 * Return: as xblk_feed(), but 0 if it was stopped.
 */
int xblk_finish(struct xblk *x);

/**
 * xblk_read() - read a trace to its end, and finish it
 * @x:		the handle, to which nothing was fed
 * @fd:		a file, a pipe, ...; it stays open
 *
 * Waits where a pipe does.  A regular file at its beginning is read with what helps: a
 * second thread that unpacks, and, if there is a span of time to be told of and the file
 * has an index, only those parts of it that have to do with that span.  What is told is
 * the same as if it were fed, but for @from_ns and @to_ns of struct xblk_trace.
 *
 * Return: as xblk_finish(); or what reading failed with: what was read by then counts.
 */
int xblk_read(struct xblk *x, int fd);

/**
 * xblk_stop() - read no further
 * @x:		the handle
 *
 * From any thread, callback or signal handler.  xblk_read() finishes what it has read by
 * then and returns, at once where the signal has interrupted read(2).
 */
void xblk_stop(struct xblk *x);

/**
 * xblk_strerror() - what the last error was
 * @x:		the handle; NULL: there was no memory for one
 *
 * Return: a text that stays until the next call.
 */
const char *xblk_strerror(const struct xblk *x);

/**
 * xblk_close() - free all of it
 * @x:		the handle, or NULL
 *
 * A trace that was not finished is dropped: nothing more is told of it.
 */
void xblk_close(struct xblk *x);

/**
 * xblk_get_trace() - how far it is, and what it says of itself
 * @x:		the handle
 * @to:		is set
 */
void xblk_get_trace(const struct xblk *x, struct xblk_trace *to);

/* @start_ns of that; 0 before the header has been read. */
uint64_t xblk_start_ns(const struct xblk *x);

/**
 * xblk_next_domain() - domains that were seen so far, those that have gone, too
 * @x:		the handle
 * @at:		0 before the first one; is moved on
 * @to:		is set
 *
 * Return: false: there is none any more.
 */
bool xblk_next_domain(const struct xblk *x, size_t *at, struct xblk_domain *to);
/* The same of disks; disk @nr alone: with @nr at @at. */
bool xblk_next_disk(const struct xblk *x, size_t *at, struct xblk_disk *to);
/* The same of streams. */
bool xblk_next_stream(const struct xblk *x, size_t *at, struct xblk_stream *to);

/**
 * xblk_event_process() - which process the event is of
 * @e:		of on_event(), as long as that takes
 *
 * Return: its name; "?": not known; NULL: the event is of none.
 */
const char *xblk_event_process(const struct xblk_event_record *e);

/**
 * xblk_event_elapsed() - of a completion since the issue, of an issue since the queueing
 * @e:		of on_event(), as long as that takes
 *
 * Return: ns; 0: not known.
 */
uint64_t xblk_event_elapsed(const struct xblk_event_record *e);

/**
 * xblk_event_served() - whom an event of the backend is for
 * @x:		the handle
 * @e:		of on_event(), as long as that takes
 *
 * Return: number of a guest's disk; XBLK_NO_DISK_NR: for none, or it is not known.
 */
size_t xblk_event_served(const struct xblk *x, const struct xblk_event_record *e);

#ifdef __cplusplus
}
#endif

#endif /* XBLK_XBLK_H */
