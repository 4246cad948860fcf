// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "drain.h"

#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_SEC  1000000000ull

#define FLUSH_NS (200 * NSEC_PER_MSEC) /* what a crash may cost of the file */
#define ROUND_NS NSEC_PER_SEC	       /* the longest time without a ROUND chunk */
/* With nothing to read: a doorbell, or something that is wanted, ends the sleep. */
#define WAIT_MS 1000
/* The longest that a file begins behind what is in it, see drain_take_cut().  Rounds that
 * take longer end a file only where so many have done so. */
#define CUT_NS	    (500 * NSEC_PER_MSEC)
#define LONG_ROUNDS 10
/* So long nothing is read where the control is kept from making another file, and so long
 * after that none is tried. */
#define CUT_WAIT_MS  1000
#define CUT_AGAIN_NS (10 * NSEC_PER_SEC)
/* Without room for the last of it. */
#define LAST_ROOM_MS 1000

#define ANY_LEVEL UINT64_MAX

/* Of guests' records, before the control has its turn: 1 MiB. */
#define MOST_AT_ONCE (4 * GUEST_TURN)

/*
 * Who waits for the lock has the turn meanwhile, so that the other one, which has had
 * it, does not have it again first.
 */
void drain_hold(struct drain *d)
{
	pthread_mutex_lock(&d->turn);
	pthread_mutex_lock(&d->lock);
	pthread_mutex_unlock(&d->turn);
}

void drain_release(struct drain *d)
{
	pthread_mutex_unlock(&d->lock);
}

static uint64_t clock_ms(void)
{
	return monotonic_ns() / NSEC_PER_MSEC;
}

static void ring_fd(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	/* It can only be full, and so rings already. */
	(void)n;
}

static void hush_fd(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}

void drain_wake(struct drain *d)
{
	ring_fd(d->wake);
}

int drain_add(struct drain *d, struct guest *guest)
{
	if (d->nr == d->room) {
		unsigned int room = d->room ? 2 * d->room : 16;
		struct guest **guests = reallocarray(d->guests, room, sizeof(*guests));

		if (!guests)
			return -ENOMEM;
		d->guests = guests;
		d->room = room;
	}
	d->guests[d->nr++] = guest;
	d->joined = true;
	return 0;
}

void drain_exchange(struct drain *d)
{
	bool news = false;
	unsigned int i;

	drain_hold(d);
	for (i = 0; i < d->nr; i++) {
		struct guest *guest = d->guests[i];
		struct guest_over *over = &guest->over;

		if (over->why && !over->ending) {
			if (!guest->ending)
				guest->ending = over->why;
			guest->failed |= over->broke;
			news = true;
		}
		over->ending = guest->ending;
		over->read_out = guest->read_out;
	}
	drain_release(d);
	if (news)
		drain_wake(d);
}

void drain_remove(struct drain *d, bool all)
{
	unsigned int i, nr = 0;

	drain_hold(d);
	for (i = 0; i < d->nr; i++)
		if (!all && !d->guests[i]->over.read_out)
			d->guests[nr++] = d->guests[i];
	d->nr = nr;
	drain_release(d);
}

unsigned int drain_count_read_out(struct drain *d, bool *all)
{
	unsigned int i, nr = 0;

	*all = true;
	drain_hold(d);
	for (i = 0; i < d->nr; i++) {
		*all &= d->guests[i]->read_out;
		nr += d->guests[i]->read_out && !d->guests[i]->failed;
	}
	drain_release(d);
	return nr;
}

void drain_read_all(struct drain *d)
{
	drain_hold(d);
	d->recording = d->cuts = false;
	d->cut = d->taken;
	drain_release(d);
	drain_wake(d);
}

void drain_want_snapshot(struct drain *d)
{
	drain_hold(d);
	d->snapshot_wanted = true;
	drain_release(d);
	drain_wake(d);
}

void drain_begin_marks(struct drain *d)
{
	drain_hold(d);
	d->marks = d->cuts = true;
	drain_release(d);
}

bool drain_is_cut(struct drain *d)
{
	bool cut;

	drain_hold(d);
	cut = d->cut;
	drain_release(d);
	return cut;
}

bool drain_take_cut(struct drain *d, uint64_t *at)
{
	bool cut;

	drain_hold(d);
	cut = d->taken = d->cut;
	*at = d->cut_at;
	drain_release(d);
	return cut;
}

void drain_go_on(struct drain *d)
{
	drain_hold(d);
	d->cut = d->taken = false;
	drain_release(d);
	drain_wake(d);
}

void drain_want_rounds(struct drain *d, unsigned int nr)
{
	drain_hold(d);
	d->rounds_wanted = nr;
	drain_release(d);
	drain_wake(d);
}

bool drain_rounds_are_done(struct drain *d)
{
	bool done;

	drain_hold(d);
	done = !d->rounds_wanted;
	drain_release(d);
	return done;
}

static int64_t fail(struct drain *d, enum drain_failure failure)
{
	d->failure = failure;
	return -1;
}

/* Read the clock.  *@level: how many records wait in this domain's fullest buffer. */
static int look(struct drain *d, uint64_t *level)
{
	return dom0_look(d->dom0, &d->now, level) ? fail(d, DRAIN_READING) : 0;
}

static bool takes_part(const struct guest *guest, bool all)
{
	return all || guest->ending;
}

static void begin_round(struct drain *d, bool all, unsigned int *permille)
{
	unsigned int i;

	d->round_began_at = d->now;
	d->joined = false;
	taps_begin_round(&d->taps, d->now);
	for (i = 0; i < d->nr; i++) {
		d->guests[i]->last_round = d->guests[i]->ending;
		if (takes_part(d->guests[i], all))
			guest_begin_round(d->guests[i], d->now, permille);
	}
}

static bool any_behind(const struct drain *d, bool all)
{
	unsigned int i;

	for (i = 0; i < d->nr; i++)
		if (takes_part(d->guests[i], all) && guest_behind(d->guests[i]))
			return true;
	return false;
}

static void let_control_in(struct drain *d)
{
	drain_release(d);
	drain_hold(d);
}

/*
 * A bounded amount of each guest's records.  There may be many guests, so that the
 * control has its turn in between; it may take some out of the list meanwhile, and so
 * another one be passed over, which is behind then.
 */
static int64_t read_guests(struct drain *d, bool all)
{
	int64_t records = 0, since = 0, n;
	unsigned int i;

	for (i = 0; i < d->nr; i++) {
		if (!takes_part(d->guests[i], all))
			continue;
		n = guest_drain(d->guests[i], d->writer, d->now);
		if (n < 0)
			return fail(d, DRAIN_OUTPUT);
		records += n;
		since += n;
		if (since < MOST_AT_ONCE)
			continue;
		let_control_in(d);
		since = 0;
	}
	return records;
}

/* Return: as take_turn(). */
static int64_t read_backend(struct drain *d, unsigned int *permille)
{
	int64_t n = dom0_drain(d->dom0, d->writer, d->now, permille);

	if (n < 0)
		return fail(d, writer_error(d->writer) ? DRAIN_OUTPUT : DRAIN_READING);
	return n;
}

/*
 * A turn: a bounded amount of each guest's records, and this domain's.
 *
 * @all:   not only the guests that are about to end.
 * @level: how many records wait in this domain's fullest buffer.
 * Return: records moved, or -1: see &drain.failure.
 */
static int64_t take_turn(struct drain *d, bool all, uint64_t level,
			 unsigned int *permille)
{
	int64_t n, records = read_guests(d, all);

	if (records < 0 || !all || !level)
		return records;
	n = read_backend(d, permille);
	return n < 0 ? n : records + n;
}

/* Let the control have its turn.  Return: whether there is room, then or in time. */
static bool wait_for_room(struct drain *d)
{
	bool room = true;

	while (!writer_ready(d->writer)) {
		struct pollfd pfd[] = {{.fd = writer_fd(d->writer), .events = POLLIN},
				       {.fd = d->wake, .events = POLLIN}};
		bool last = d->ending;

		drain_release(d);
		room = poll(pfd, last ? 1 : 2, last ? LAST_ROOM_MS : -1) || !last;
		if (pfd[0].revents)
			hush_fd(pfd[0].fd);
		if (pfd[1].revents)
			hush_fd(d->wake);
		drain_hold(d);
		if (!room || writer_error(d->writer))
			break;
	}
	return room;
}

/*
 * Read the clock, then all that was there by then, turn after turn: one guest's full
 * rings must not keep the others' from being emptied.
 *
 * @last:  of the file: what this domain has done is read after what guests have, so that
 *	   no request that has come back lacks its half.
 * Return: records, or -1: a failure, or no room for the last of it.
 */
static int64_t drain_round(struct drain *d, bool all, bool last, unsigned int *permille)
{
	int64_t records = 0, n;
	uint64_t level;

	if (look(d, &level))
		return -1;
	begin_round(d, all, permille);
	for (;;) {
		n = take_turn(d, all, last ? ANY_LEVEL : level, permille);
		if (n < 0)
			return -1;
		records += n;
		if (!writer_refused(d->writer) && !any_behind(d, all))
			return records;
		let_control_in(d);
		if (!wait_for_room(d) || look(d, &level))
			return -1;
	}
}

void drain_mark(struct drain *d, uint64_t time)
{
	writer_chunk(d->writer, XBLK_CHUNK_ROUND, NULL, 0, time);
	taps_mark(&d->taps, time);
	d->round_at = time;
}

static void flush(struct drain *d)
{
	if (writer_flush(d->writer))
		fail(d, DRAIN_OUTPUT);
	taps_flush(&d->taps);
	d->flushed_at = d->now;
}

/*
 * What began before the next file did is not to be looked for in it: so it begins when
 * all has been read.  Records that are not read yet are not much older, so that a reader
 * takes them; after a round that took long, as while the output was behind, they may be,
 * and the next round is better.  Where none is, a few requests are taken for incomplete.
 */
static bool cut(struct drain *d)
{
	uint64_t level;

	if (look(d, &level))
		return false;
	if (d->now - d->round_began_at < CUT_NS)
		d->long_rounds = 0;
	else if (d->long_rounds++ < LONG_ROUNDS)
		return false;
	/* A guest's clock may be a little behind. */
	d->cut_at = d->now + XBLK_CLOCK_BOUND;
	if (d->cut_at > d->round_began_at + CUT_NS)
		d->cut_at = d->round_began_at + CUT_NS;
	d->cut = true;
	return true;
}

/* What came before a round of which guests; told to the control. */
static bool end_round(struct drain *d, bool all, bool wanted, bool snapshot, bool last,
		      int64_t records)
{
	bool tell = snapshot;
	unsigned int i;

	if (all && !d->joined &&
	    (wanted || last ||
	     (d->marks && (records > 0 || d->now - d->round_at >= ROUND_NS)))) {
		drain_mark(d, d->round_began_at);
		if (wanted)
			tell |= !--d->rounds_wanted;
		if (last)
			tell |= cut(d);
	}
	if (snapshot) {
		d->snapshots++;
		d->snapshot_records = records;
	}
	for (i = 0; i < d->nr; i++) {
		struct guest *guest = d->guests[i];

		if (!guest->read_out && (guest->last_round || guest->failed))
			tell = guest->read_out = true;
	}
	tell |= taps_end_round(&d->taps);
	if (snapshot || d->cut || d->now - d->flushed_at >= FLUSH_NS)
		flush(d);
	return tell;
}

/* Return: how full the fullest buffer was, permille. */
static unsigned int one_round(struct drain *d)
{
	unsigned int permille = 0;
	bool all, wanted, snapshot, last, tell = true;
	int64_t records;

	drain_hold(d);
	wanted = d->rounds_wanted;
	snapshot = d->snapshot_wanted;
	d->snapshot_wanted = false;
	all = wanted || snapshot || !d->recording;
	last = d->cuts && d->now >= d->cut_after && writer_full(d->writer);
	records = drain_round(d, all, last, &permille);
	if (records >= 0)
		tell = end_round(d, all, wanted, snapshot, last, records);
	drain_release(d);
	if (tell)
		ring_fd(d->tell);
	return permille;
}

/* Whether each guest's doorbell ends a sleep, none being full already. */
static bool arm_doorbells(struct drain *d)
{
	bool armed = true;
	unsigned int i;

	for (i = 0; i < d->nr; i++)
		if (xenrelay_arm(d->guests[i]->channel))
			armed = false;
	return armed;
}

static unsigned int choose_sleep(struct drain *d, unsigned int permille)
{
	uint64_t elapsed_ms = (d->now - d->drained_at) / NSEC_PER_MSEC;
	unsigned int ms;

	if (d->recording)
		return WAIT_MS;
	d->drained_at = d->now;
	ms = pace_next(&d->pace, permille, elapsed_ms);
	if (d->opts->doorbell_percent && ms == PACE_MAX_MS && arm_doorbells(d))
		ms = WAIT_MS;
	return ms;
}

static bool any_to_end(const struct drain *d)
{
	unsigned int i;

	for (i = 0; i < d->nr; i++)
		if (d->guests[i]->ending && !d->guests[i]->read_out)
			return true;
	return false;
}

/* What does not wait for the next time that something is to be read. */
static bool is_wanted(const struct drain *d)
{
	return d->ending || d->rounds_wanted || d->snapshot_wanted || any_to_end(d);
}

/* Whether a buffer is so full that there is no more waiting; also when all fails. */
static bool full_enough(struct drain *d)
{
	unsigned int i;
	uint64_t level;

	if (look(d, &level) || dom0_fullness(d->dom0, level) >= PACE_AIM_PERMILLE)
		return true;
	for (i = 0; i < d->nr; i++)
		if (guest_fullness(d->guests[i]) >= PACE_AIM_PERMILLE)
			return true;
	return false;
}

/*
 * A guest's I/O fills the buffers of this domain, too, and its own kernel says, each time
 * that they have got a little fuller, when to look at the guests' rings.  So a burst ends
 * the sleep, and no guest need send an event for that.
 */
static void sleep_until_next(struct drain *d, unsigned int permille)
{
	struct pollfd pfd[] = {{.fd = d->wake, .events = POLLIN},
			       {.fd = d->dom0->now, .events = POLLIN}};
	unsigned int ms;
	uint64_t until;
	bool recording;

	drain_hold(d);
	recording = d->recording;
	ms = is_wanted(d) ? 0 : choose_sleep(d, permille);
	until = d->now + ms * NSEC_PER_MSEC;
	drain_release(d);
	while (ms && poll(pfd, recording ? 1 : 2, ms) > 0) {
		bool enough = pfd[0].revents;

		if (enough) {
			hush_fd(d->wake);
			break;
		}
		drain_hold(d);
		enough = full_enough(d) || d->now >= until;
		ms = (until - d->now) / NSEC_PER_MSEC + 1;
		drain_release(d);
		if (enough)
			break;
	}
}

/*
 * What is read from here on is of the next file, which the control makes: for so long
 * rings and buffers have to hold what comes.  Where it is kept from that, by a XenStore
 * or an output that hangs, the file goes on.
 */
static bool wait_for_next_file(struct drain *d)
{
	struct pollfd pfd = {.fd = d->wake, .events = POLLIN};
	const uint64_t until = clock_ms() + CUT_WAIT_MS;
	bool waited = false;

	drain_hold(d);
	while (d->cut && !d->ending) {
		const uint64_t now = clock_ms();

		drain_release(d);
		/* Guests may ring all the while. */
		poll(&pfd, 1, now < until ? until - now : CUT_WAIT_MS);
		hush_fd(d->wake);
		waited = true;
		drain_hold(d);
		if (d->taken || clock_ms() < until)
			continue;
		d->cut = false;
		d->cut_after = d->now + CUT_AGAIN_NS;
	}
	drain_release(d);
	return waited;
}

static bool goes_on(struct drain *d)
{
	bool ends;

	drain_hold(d);
	ends = d->ending || d->failure;
	drain_release(d);
	return !ends;
}

static void *run(void *arg)
{
	struct drain *d = arg;

	/* Whatever came before the end was wanted is read after it. */
	while (goes_on(d)) {
		unsigned int permille = one_round(d);

		if (!wait_for_next_file(d))
			sleep_until_next(d, permille);
	}
	if (!d->failure)
		one_round(d);
	ring_fd(d->tell);
	return NULL;
}

int drain_init(struct drain *d, struct dom0 *dom0, struct writer *writer,
	       const struct options *opts)
{
	*d = (struct drain){
		.dom0 = dom0,
		.writer = writer,
		.opts = opts,
		.recording = opts->overwrite,
		.pace = {.sleep_ms = 1},
		.names = {.left = NAMES_SHARED},
		.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.tell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	writer->taken = taps_take;
	writer->taker = &d->taps;
	pthread_mutex_init(&d->turn, NULL);
	pthread_mutex_init(&d->lock, NULL);
	return d->wake < 0 || d->tell < 0 ? -errno : 0;
}

void drain_free(struct drain *d)
{
	d->writer->taken = NULL;
	if (d->wake >= 0)
		close(d->wake);
	if (d->tell >= 0)
		close(d->tell);
	pthread_mutex_destroy(&d->turn);
	pthread_mutex_destroy(&d->lock);
	free(d->guests);
	d->guests = NULL;
}

int drain_start(struct drain *d)
{
	int err = pthread_create(&d->thread, NULL, run, d);

	d->running = !err;
	return -err;
}

void drain_stop(struct drain *d)
{
	if (!d->running)
		return;
	drain_hold(d);
	d->recording = false;
	d->ending = true;
	drain_release(d);
	drain_wake(d);
	pthread_join(d->thread, NULL);
	d->running = false;
}

int drain_rest(struct drain *d)
{
	unsigned int permille = 0;
	int64_t n;

	if (dom0_now(d->dom0, &d->now))
		return fail(d, DRAIN_READING);
	n = read_backend(d, &permille);
	if (n < 0)
		return -1;
	return n > 0 || writer_refused(d->writer);
}
