// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "ending.h"
#include "msg.h"
#include "rotate.h"
#include "state.h"

/*
 * Names are told as records that are older than all that follow, see drain_take_cut(),
 * but not so old that a reader refuses them.
 */
#define NAMES_NS 900000000ull
/* They have so much of a file: one part in this many. */
#define NAMES_SHARE 4
/* The longest to wait for room for these, and for what is to be described. */
#define ROOM_MS 1000

/* What END says is lost is what later files do not say.  A guest can count backwards. */
static void note_lost(struct writer_stream *stream, uint64_t lost)
{
	if (lost > stream->lost)
		stream->lost = lost;
}

static int read_counters(struct capture *c)
{
	unsigned int i, r;

	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		guest_read_stats(guest);
		for (r = 0; r < guest->nr_streams; r++)
			note_lost(&guest->rings[r].stream,
				  guest_ring_lost(&guest->rings[r]));
	}
	if (dom0_read_stats(c->dom0))
		return -1;
	for (i = 0; i < c->dom0->nr_cpus; i++)
		note_lost(&c->dom0->cpus[i].stream, c->dom0->cpus[i].lost);
	return 0;
}

static int end_file(struct capture *c, uint64_t at)
{
	int err;

	if (read_counters(c))
		return -1;
	err = describe_end(c, "rotated", at - c->file_at, true, at);
	capture_check_name(c);
	return err;
}

/* Return: how many of them are told now, at most @max. */
static size_t tell_some(struct capture *c, const struct names *names, size_t *pos,
			struct writer_stream *stream, size_t max, uint64_t at)
{
	struct xblk_record *room;
	size_t fit, nr;

	room = writer_reserve(c->writer, &fit);
	if (!room && !writer_sync(c->writer, ROOM_MS))
		room = writer_reserve(c->writer, &fit);
	if (!room)
		return 0;
	nr = names_tell(names, pos, room, fit < max ? fit : max,
			at > NAMES_NS ? at - NAMES_NS : 0);
	writer_commit(c->writer, stream, nr, at);
	stream->marks += nr;
	return nr;
}

/* *@left: how many records there may still be. */
static void tell_names(struct capture *c, const struct names *names,
		       struct writer_stream *stream, size_t *left, uint64_t at)
{
	size_t pos = 0, nr;

	do {
		nr = tell_some(c, names, &pos, stream, *left, at);
		*left -= nr;
	} while (nr);
}

static void tell_all_names(struct capture *c, uint64_t at)
{
	size_t left = c->writer->max_bytes / NAMES_SHARE / XBLK_RECORD_SIZE;
	unsigned int i;

	/* To who taps the capture they are not new. */
	c->writer->taken = NULL;
	tell_names(c, &c->dom0->names, &c->dom0->cpus[0].stream, &left, at);
	for (i = 0; i < c->facts.nr_guests; i++) {
		struct guest *guest = &c->guests[i];

		if (guest->channel && guest->rings)
			tell_names(c, &guest->names, &guest->rings[0].stream, &left, at);
	}
	c->writer->taken = taps_take;
	if (!left && !c->names_left)
		msg_say("a file of --max-size has no room for the names of all processes: "
			"of some, later files have only the number");
	c->names_left |= !left;
}

static int go_on(struct capture *c, uint64_t at)
{
	int err;

	if (end_file(c, at) || describe_next(c, at))
		return -1;
	c->file_at = at;
	err = describe(c);
	while (err == -EAGAIN && !writer_sync(c->writer, ROOM_MS))
		err = describe_news(c);
	if (err)
		return -1;
	tell_all_names(c, at);
	msg_verbose("%s: file %u", c->writer->out.path, c->writer->nr_ended + 1);
	return 0;
}

void rotate(struct capture *c, bool (*waits)(void *arg))
{
	uint64_t at;

	/* Nothing is read meanwhile, so there is to be no more than an index and the end
	 * that is waited for. */
	c->rotate_waits = !c->all_out && drain_is_cut(&c->drain);
	if (!c->all_out || !drain_take_cut(&c->drain, &at))
		return;
	c->writer->waits = waits;
	c->writer->arg = c;
	if (go_on(c, at)) {
		capture_check_output(c);
		capture_fail(c, "no further file");
	}
	c->writer->waits = NULL;
	drain_go_on(&c->drain);
}
