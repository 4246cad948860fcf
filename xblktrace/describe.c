// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "describe.h"
#include "ending.h"
#include "msg.h"
#include "state.h"
#include "tap-describe.h"

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* Pair wall-clock time with Xen's: of several tries the tightest. */
int describe_now(struct capture *c, uint64_t *wall, uint64_t *xen)
{
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < 8; i++) {
		uint64_t before = wall_ns(), t, took;

		if (dom0_now(c->dom0, &t))
			return -1;
		took = wall_ns() - before;
		if (took < best) {
			best = took;
			*wall = before + took / 2;
			*xen = t;
		}
	}
	return 0;
}

int describe_begin(struct capture *c)
{
	uint64_t wall = 0, xen = 0;
	int err;

	if (describe_now(c, &wall, &xen))
		return -1;
	c->drain.round_at = c->drain.flushed_at = xen;
	err = writer_header(c->writer, wall, xen);
	if (err)
		capture_check_output(c);
	return err ? -1 : 0;
}

int describe_next(struct capture *c, uint64_t xen)
{
	uint64_t wall = 0, now = 0;
	int err;

	if (describe_now(c, &wall, &now))
		return -1;
	err = writer_next_file(c->writer, wall - (now - xen), xen);
	if (err)
		capture_check_output(c);
	return err ? -1 : 0;
}

int describe_end(struct capture *c, const char *reason, uint64_t duration, bool goes_on,
		 uint64_t time)
{
	unsigned int next = 0;
	int err;
	char *text;

	/* What fails here does so for END, too. */
	while ((text = counters_text(&c->facts, goes_on, &next))) {
		writer_end_chunk(c->writer, XBLK_CHUNK_META, text, strlen(text), time);
		free(text);
	}
	text = end_text(&c->facts, reason, duration, goes_on, next);
	if (!text)
		return msg_error("out of memory");
	err = writer_last_chunk(c->writer, XBLK_CHUNK_END, text, strlen(text), time);
	free(text);
	return err ? -1 : 0;
}

/* Of those of which what is in the trace now tells. */
static void note_ends(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].end_told && !c->guests[i].end_at)
			c->guests[i].end_at = writer_position(c->writer);
}

/* Held.  Return: 0, -1 after an error message, or another negative errno. */
static int put_untold(struct capture *c)
{
	uint64_t xen;
	int err;

	if (dom0_now(c->dom0, &xen))
		return -1;
	err = writer_chunk(c->writer, XBLK_CHUNK_META, c->untold, strlen(c->untold), xen);
	if (err)
		return err;
	note_ends(c);
	return writer_flush(c->writer);
}

/* Put what is untold into the trace.  Return: as describe(). */
static int put(struct capture *c)
{
	int err;

	if (!c->untold)
		return msg_error("out of memory");
	/* No round that begins behind its time may be marked before it. */
	drain_hold(&c->drain);
	err = put_untold(c);
	drain_release(&c->drain);
	capture_check_output(c);
	if (err == -EAGAIN && !c->reason)
		return err;
	free(c->untold);
	c->untold = NULL;
	return err ? -1 : 0;
}

int describe_news(struct capture *c)
{
	int err = c->untold ? put(c) : 0;

	while (!err && meta_has_news(&c->facts)) {
		c->untold = meta_text(&c->facts);
		err = put(c);
	}
	taps_describe(c);
	return err;
}

int describe(struct capture *c)
{
	meta_forget(&c->facts);
	free(c->untold);
	c->untold = meta_text(&c->facts);
	/* Also where there are neither guests nor disks yet. */
	return put(c) ?: describe_news(c);
}
