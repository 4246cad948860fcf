// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "disks.h"
#include "meta.h"
#include "saturate.h"
#include "tap-request.h"
#include "tap.h"

static bool is_loss(const struct xblk_record *rec)
{
	return rec->event == XBLK_EV_LOST;
}

static bool is_chosen(const struct tap_stream *s, const struct xblk_record *rec)
{
	const struct tap_disks *disks = s->disks;

	return !disks || rec->disk == XBLK_NO_DISK ||
	       (rec->disk < disks->nr && disks->chosen[rec->disk]);
}

/* A stream's times go up, so that there is one place from which on it is the tap's. */
static bool is_before(const struct xblk_record *rec, uint64_t time)
{
	return (is_loss(rec) ? rec->lost.until : rec->time) < time;
}

/* What of the @nr records from *@records on lies within the tap.  Return: how many. */
static size_t cut(const struct tap *tap, struct tap_stream *s,
		  const struct xblk_record **records, size_t nr)
{
	size_t n;

	while (!s->begun && nr && is_before(*records, tap->from)) {
		(*records)++;
		nr--;
	}
	s->begun |= nr > 0;
	for (n = 0; n < nr && (*records)[n].time < tap->until; n++)
		;
	return n;
}

/* They do not get into the tap. */
static void lose(struct tap *tap, struct tap_stream *s, const struct xblk_record *records,
		 size_t nr)
{
	struct xblk_record *loss = &s->loss;
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct xblk_record *rec = &records[i];
		uint64_t until = is_loss(rec) ? rec->lost.until : rec->time;

		if (!is_chosen(s, rec))
			continue;
		if (!loss->lost.count) {
			*loss = (struct xblk_record){
				.time = rec->time,
				.disk = XBLK_NO_DISK,
				.event = XBLK_EV_LOST,
			};
			tap->nr_losses++;
		}
		/* A guest's times may be anything. */
		if (until < loss->time)
			until = loss->time;
		if (loss->lost.until < until)
			loss->lost.until = until;
		loss->lost.count =
			add_sat(loss->lost.count, is_loss(rec) ? rec->lost.count : 1);
	}
}

static void count_losses(struct tap_stream *s, const struct xblk_record *records,
			 size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!is_loss(&records[i]))
			continue;
		s->own.marks++;
		s->own.lost = add_sat(s->own.lost, records[i].lost.count);
	}
}

/* Return: how many of @nr records, that fit, are in @to now. */
static size_t copy(const struct tap_stream *s, const struct xblk_record *records,
		   size_t nr, struct xblk_record *to)
{
	size_t i, copied = 0;

	if (!s->disks && nr) {
		memcpy(to, records, nr * sizeof(*to));
		return nr;
	}
	for (i = 0; i < nr; i++)
		if (is_chosen(s, &records[i]))
			to[copied++] = records[i];
	return copied;
}

/*
 * Behind a loss that is still to be written.  Return: whether there was room for that;
 * *@nr: for how many of the records, too.
 */
static bool put(struct tap *tap, struct tap_stream *s, const struct xblk_record *records,
		size_t *nr, uint64_t time)
{
	size_t max, used = 0;
	struct xblk_record *room = tap->meta_owed ? NULL
						  : writer_reserve(&tap->writer, &max);

	if (!room) {
		*nr = 0;
		return false;
	}
	if (s->loss.lost.count) {
		room[used++] = s->loss;
		s->loss.lost.count = 0;
		tap->nr_losses--;
	}
	if (*nr > max - used)
		*nr = max - used;
	used += copy(s, records, *nr, room + used);
	count_losses(s, room, used);
	writer_commit(&tap->writer, &s->own, used, time);
	return true;
}

static void take(struct tap *tap, const struct writer_stream *stream,
		 const struct xblk_record *records, size_t nr, uint64_t time)
{
	struct tap_stream *s = stream->nr < tap->nr_streams ? tap->streams[stream->nr]
							    : NULL;

	if (!s || tap->state == TAP_DONE)
		return;
	nr = cut(tap, s, &records, nr);
	while (nr) {
		size_t n = nr;

		if (!put(tap, s, records, &n, time)) {
			lose(tap, s, records, nr);
			return;
		}
		records += n;
		nr -= n;
	}
}

void taps_take(void *arg, const struct writer_stream *stream,
	       const struct xblk_record *records, size_t nr, uint64_t time)
{
	struct taps *taps = arg;
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++)
		if (taps->each[i])
			take(taps->each[i], stream, records, nr, time);
}

void taps_begin_round(struct taps *taps, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++) {
		struct tap *tap = taps->each[i];

		if (!tap || tap->state != TAP_ENDS)
			continue;
		tap->until = now;
		tap->state = TAP_LAST_ROUND;
	}
}

void tap_end_at(struct tap *tap, uint64_t now)
{
	if (tap->state != TAP_DONE)
		tap->until = now > tap->from ? now : tap->from;
	tap->state = TAP_DONE;
}

bool taps_end_round(struct taps *taps)
{
	bool done = false;
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++) {
		struct tap *tap = taps->each[i];

		if (!tap || tap->state != TAP_LAST_ROUND)
			continue;
		tap->state = TAP_DONE;
		done = true;
	}
	return done;
}

/* Return: whether there was room for all. */
static bool tell_losses(struct tap *tap, uint64_t time)
{
	unsigned int i;

	for (i = 0; tap->nr_losses && i < tap->nr_streams; i++) {
		struct tap_stream *s = tap->streams[i];
		size_t none = 0;

		if (s && s->loss.lost.count && !put(tap, s, NULL, &none, time))
			return false;
	}
	return true;
}

/* A reader takes a mark to mean that nothing older follows, also no loss. */
void taps_mark(struct taps *taps, uint64_t time)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++) {
		struct tap *tap = taps->each[i];

		if (tap && tap->state != TAP_DONE && tell_losses(tap, time))
			writer_chunk(&tap->writer, XBLK_CHUNK_ROUND, NULL, 0, time);
	}
}

void taps_flush(struct taps *taps)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++)
		if (taps->each[i] && taps->each[i]->state != TAP_DONE)
			writer_flush(&taps->each[i]->writer);
}

static int open_writer(struct tap *tap)
{
	int fd = fcntl(tap->fd, F_DUPFD_CLOEXEC, 3);
	int err;

	if (fd < 0)
		return -errno;
	err = writer_open_socket(&tap->writer, fd, "tap", TAP_BLOCKS);
	if (!err && tap->opts.compress_level)
		err = writer_compress(&tap->writer, tap->opts.compress_level, 1);
	if (err)
		writer_close(&tap->writer);
	return err;
}

struct tap *tap_new(int fd, char *request, const struct options *opts)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (!tap)
		return NULL;
	tap->fd = fd;
	tap->opts = *opts;
	tap->until = UINT64_MAX;
	if (open_writer(tap)) {
		free(tap);
		return NULL;
	}
	tap->request = request;
	return tap;
}

void tap_free(struct tap *tap)
{
	unsigned int i;

	if (tap->writer.sink)
		writer_give_up(&tap->writer);
	writer_close(&tap->writer);
	close(tap->fd);
	for (i = 0; i < tap->nr_streams; i++)
		free(tap->streams[i]);
	free(tap->streams);
	while (tap->nr_untold)
		free(tap->untold[--tap->nr_untold]);
	free(tap->untold);
	for (i = 0; i < MAX_DOMAINS; i++)
		free(tap->disks[i].chosen);
	tap_request_free(&tap->opts);
	free(tap->request);
	free(tap);
}

int tap_add_untold(struct tap *tap, char *text)
{
	char **untold = reallocarray(tap->untold, tap->nr_untold + 1, sizeof(*untold));

	if (!text || !untold) {
		free(text);
		tap->untold = untold ? untold : tap->untold;
		return -ENOMEM;
	}
	tap->untold = untold;
	untold[tap->nr_untold++] = text;
	return 0;
}

int tap_put_untold(struct tap *tap, uint64_t time)
{
	unsigned int nr, i;
	int err = 0;

	for (nr = 0; nr < tap->nr_untold; nr++) {
		err = writer_chunk(&tap->writer, XBLK_CHUNK_META, tap->untold[nr],
				   strlen(tap->untold[nr]), time);
		if (err)
			break;
		free(tap->untold[nr]);
	}
	for (i = nr; i < tap->nr_untold; i++)
		tap->untold[i - nr] = tap->untold[i];
	tap->nr_untold -= nr;
	tap->meta_owed = tap->nr_untold;
	if (!err)
		writer_flush(&tap->writer);
	return err;
}

static int make_room(struct tap *tap, unsigned int nr)
{
	struct tap_stream **streams = tap->streams;
	unsigned int room = tap->nr_streams;

	if (nr < room)
		return 0;
	room = 2 * nr + 16;
	streams = reallocarray(streams, room, sizeof(*streams));
	if (!streams)
		return -ENOMEM;
	memset(streams + tap->nr_streams, 0, (room - tap->nr_streams) * sizeof(*streams));
	tap->streams = streams;
	tap->nr_streams = room;
	return 0;
}

static int add_stream(struct tap *tap, const struct writer_stream *stream,
		      const struct guest_ring *ring, const struct tap_disks *disks)
{
	struct tap_stream *s;

	if (make_room(tap, stream->nr))
		return -ENOMEM;
	/* A guest that was connected to once more goes on with its streams. */
	if (tap->streams[stream->nr])
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->own.domid = stream->domid;
	s->own.cpu = stream->cpu;
	s->ring = ring;
	s->disks = disks;
	s->untold = ring ? guest_ring_untold(ring) : 0;
	writer_add_stream(&tap->writer, &s->own);
	tap->streams[stream->nr] = s;
	return 0;
}

int tap_add_stream(struct tap *tap, const struct writer_stream *stream)
{
	return add_stream(tap, stream, NULL, NULL);
}

/* Its number comes again, and the tap has no room to say that the one before is gone. */
static bool is_still_ending(const struct tap *tap, unsigned int domid)
{
	unsigned int i;

	for (i = 0; tap->nr_ending && i < tap->nr_streams; i++)
		if (tap->streams[i] && tap->streams[i]->ends &&
		    tap->streams[i]->own.domid == domid)
			return true;
	return false;
}

int tap_add_guest(struct tap *tap, struct guest *guest, unsigned int nr)
{
	const struct tap_disks *disks = tap->opts.nr_disks ? &tap->disks[nr] : NULL;
	int err = tap_choose_disks(tap, guest->domain, nr);
	unsigned int i;

	if (!err && is_still_ending(tap, guest->domain->domid))
		err = -EBUSY;
	guest_read_stats(guest);
	for (i = 0; !err && i < guest->nr_streams; i++)
		err = add_stream(tap, &guest->rings[i].stream, &guest->rings[i], disks);
	return err;
}

int tap_choose_disks(struct tap *tap, const struct domain *domain, unsigned int nr)
{
	struct tap_disks *disks = &tap->disks[nr];
	unsigned int i;
	bool *chosen;

	if (!tap->opts.nr_disks || !domain->nr_disks)
		return 0;
	chosen = reallocarray(disks->chosen, domain->nr_disks, sizeof(*chosen));
	if (!chosen)
		return -ENOMEM;
	disks->chosen = chosen;
	disks->nr = domain->nr_disks;
	for (i = 0; i < disks->nr; i++)
		chosen[i] = disk_is_asked_for(&tap->opts, domain, &domain->disks[i]);
	return 0;
}

void tap_tell_names(struct tap *tap, const struct writer_stream *stream,
		    const struct names *names)
{
	struct tap_stream *s = tap->streams[stream->nr];
	size_t pos = 0, max, nr;

	do {
		struct xblk_record *room = writer_reserve(&tap->writer, &max);

		if (!room)
			return;
		nr = names_tell(names, &pos, room, max, tap->from);
		writer_commit(&tap->writer, &s->own, nr, tap->from);
		s->own.marks += nr;
	} while (nr == max);
}

uint64_t tap_records(const struct tap *tap)
{
	const struct writer_stream *stream;
	uint64_t sum = 0;

	for (stream = tap->writer.streams; stream; stream = stream->next)
		sum += stream->records;
	return sum + tap->records_gone;
}

uint64_t tap_lost(const struct tap *tap)
{
	uint64_t sum = tap->lost_gone;
	unsigned int i;

	for (i = 0; i < tap->nr_streams; i++) {
		const struct tap_stream *s = tap->streams[i];

		if (s)
			sum = add_sat(sum, add_sat(s->own.lost, s->loss.lost.count));
	}
	return sum;
}

static void settle(struct tap_stream *s)
{
	uint64_t untold = guest_ring_untold(s->ring);

	s->ring = NULL;
	if (untold > s->untold)
		s->own.lost = add_sat(s->own.lost, untold - s->untold);
}

void tap_settle_losses(struct tap *tap)
{
	unsigned int i;

	for (i = 0; i < tap->nr_streams; i++)
		if (tap->streams[i] && tap->streams[i]->ring)
			settle(tap->streams[i]);
}

void tap_end_guest(struct tap *tap, const struct guest *guest)
{
	unsigned int i;

	for (i = 0; i < tap->nr_streams; i++) {
		struct tap_stream *s = tap->streams[i];

		if (!s || !s->ring || s->ring < guest->rings ||
		    s->ring >= guest->rings + guest->nr_streams)
			continue;
		settle(s);
		s->ends = true;
		tap->nr_ending++;
	}
}

/* Those that are before @end. */
static void forget_ended(struct tap *tap, unsigned int end)
{
	unsigned int i;

	for (i = 0; i < end; i++) {
		struct tap_stream *s = tap->streams[i];

		if (!s || !s->ends)
			continue;
		writer_remove_streams(&tap->writer, s->own.domid);
		tap->records_gone += s->own.records;
		tap->lost_gone = add_sat(tap->lost_gone, s->own.lost);
		free(s);
		tap->streams[i] = NULL;
		tap->nr_ending--;
	}
}

/*
 * As many as one chunk has room for.  A guest's streams, which end all at once, lie side
 * by side.  Return: the number behind the last of them.
 */
static unsigned int choose_ended(const struct tap *tap,
				 const struct writer_stream **ended, unsigned int *nr)
{
	unsigned int i, guest_at = 0, nr_before = 0;

	*nr = 0;
	for (i = 0; i < tap->nr_streams; i++) {
		const struct tap_stream *s = tap->streams[i];

		if (!s || !s->ends)
			continue;
		if (!*nr || ended[*nr - 1]->domid != s->own.domid) {
			guest_at = i;
			nr_before = *nr;
		}
		if (*nr == META_MAX_ACCOUNTS) {
			*nr = nr_before;
			return guest_at;
		}
		ended[(*nr)++] = &s->own;
	}
	return i;
}

int tap_put_ended(struct tap *tap,
		  char *(*make)(void *arg, const struct writer_stream *const *streams,
				unsigned int nr),
		  void *arg, uint64_t time)
{
	const struct writer_stream **ended;
	unsigned int nr, end;
	char *text;
	int err;

	/* What they have lost counts in what is said of them. */
	if (!tell_losses(tap, time))
		return -EAGAIN;
	ended = calloc(tap->nr_ending, sizeof(*ended));
	if (!ended)
		return -ENOMEM;
	end = choose_ended(tap, ended, &nr);
	text = make(arg, ended, nr);
	free(ended);
	if (!text)
		return -ENOMEM;
	err = writer_chunk(&tap->writer, XBLK_CHUNK_META, text, strlen(text), time);
	free(text);
	if (!err)
		forget_ended(tap, end);
	return err;
}

/* For want of room even now: END alone says it. */
static void count_untold_losses(struct tap *tap)
{
	unsigned int i;

	for (i = 0; i < tap->nr_streams; i++) {
		struct tap_stream *s = tap->streams[i];

		if (!s)
			continue;
		s->own.lost = add_sat(s->own.lost, s->loss.lost.count);
		s->loss.lost.count = 0;
	}
}

/* Until it is given up. */
static bool wait_on(void *arg)
{
	(void)arg;
	return true;
}

static void *finish(void *arg)
{
	struct tap *tap = arg;
	struct writer *w = &tap->writer;
	uint64_t duration = tap->until - tap->from;
	const struct writer_stream *next = w->streams;
	char *text;

	w->waits = wait_on;
	/* Room for what is still to be told. */
	writer_sync(w, -1);
	tap_put_untold(tap, tap->until);
	tell_losses(tap, tap->until);
	count_untold_losses(tap);
	while ((text = counters_text_of_streams(tap->own_domid, &next))) {
		writer_end_chunk(w, XBLK_CHUNK_META, text, strlen(text), tap->until);
		free(text);
	}
	text = end_text_of_streams(next, tap->reason, duration);
	if (text)
		writer_last_chunk(w, XBLK_CHUNK_END, text, strlen(text), tap->until);
	free(text);
	shutdown(tap->fd, SHUT_WR);
	return NULL;
}

int tap_finish(struct tap *tap)
{
	int err = pthread_create(&tap->thread, NULL, finish, tap);

	tap->finishing = !err;
	return -err;
}

void tap_give_up(struct tap *tap)
{
	writer_give_up(&tap->writer);
}

bool tap_has_finished(struct tap *tap)
{
	if (pthread_tryjoin_np(tap->thread, NULL))
		return false;
	tap->finishing = false;
	return true;
}
