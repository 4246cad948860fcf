/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole capture of two guests, one of which lies, from the LIE_AT-th round on, by
 * lie(); and of what of it has to be in the trace whatever that is.
 *
 * The module in dom0 is played here, and its clock is what moves the guests on: a capture
 * asks for the time in each round.  Included once by each test that has such a capture.
 */
#ifndef LYING_CAPTURE_H
#define LYING_CAPTURE_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_xen.h"
#include "played_capture.h"
#include "played_module.h"
#include "trace_content.h"
#include "xenrelay-reader.h"

#define LIE_AT	50  /* round in which the liar begins */
#define END_AT	200 /* round in which the user ends the capture */
#define A_ROUND 20  /* records of each guest */
#define ROUNDS	(2 * END_AT)

/* The honest one is domain 3, the other is domain 4. */
static struct player *const liar = &players[1];
static int end_signal = SIGINT;
/* Each guest's write position when the time was asked for. */
static uint64_t heads[2][ROUNDS];
static bool begun;
static unsigned int chunks_left; /* that this domain's buffers still have */
static time_t begin_at;
static uint64_t rounds;
static void (*lie)(void);

static inline void write_records(struct player *p)
{
	unsigned int i;

	for (i = 0; p->connected && i < A_ROUND; i++) {
		struct xblk_record *rec = xenrelay_ring_reserve(&p->ring);

		/* No assertion in here, where standard error goes to a file. */
		if (!rec)
			abort();
		*rec = (struct xblk_record){
			.time = rounds * 1000000 + i,
			.sector = p->written++,
			.event = XBLK_EV_QUEUE,
		};
		xenrelay_ring_commit(&p->ring);
	}
}

/* --- the module in dom0 --- */

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	struct player *p;

	(void)dom0;
	/* By the thread that reads, while another one connects and lets go: not too fast.
	 */
	usleep(500);
	fake_hold();
	*level = chunks_left;
	/* Time stands still while they connect, and when the end is long in coming. */
	begun |= (players[0].connected || players[0].late) && players[1].connected &&
		 time(NULL) >= begin_at;
	/* The honest one answers when the liar has been let go of. */
	if (players[0].late && begun && !liar->connected) {
		players[0].late = false;
		player_connect(&players[0]);
	}
	if (begun && rounds < ROUNDS - 1) {
		rounds++;
		write_records(&players[0]);
		if (rounds < LIE_AT)
			write_records(liar);
		else if (liar->connected)
			lie();
		if (rounds == END_AT)
			kill(getpid(), end_signal);
	}
	*ns = rounds * 1000000;
	for (p = players; p < players + 2; p++)
		if (p->connected)
			heads[p - players][rounds] = p->ring.producer->ring.head;
	fake_release();
	return 0;
}

/* Now and then a buffer is as full as to end a sleep. */
unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	unsigned int full;

	(void)dom0, (void)level;
	fake_hold();
	full = rounds % 10 ? 0 : PACE_AIM_PERMILLE;
	fake_release();
	return full;
}

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	uint64_t level;

	return dom0_look(dom0, ns, &level);
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	static struct writer_stream stream;
	int64_t records = 0;

	(void)dom0, (void)permille;
	fake_hold();
	while (chunks_left && records < 16 * GUEST_SLICE) {
		size_t max;
		void *room = writer_reserve(w, &max);

		if (!room)
			break;
		memset(room, 0, GUEST_SLICE * XBLK_RECORD_SIZE);
		writer_commit(w, &stream, GUEST_SLICE, time);
		records += GUEST_SLICE;
		chunks_left--;
	}
	fake_release();
	return records;
}

int dom0_read_stats(struct dom0 *dom0)
{
	(void)dom0;
	return 0;
}

/* --- the capture --- */

static char trace[] = "/tmp/test_trace_capture.XXXXXX";
static const char *output = trace;

static struct xenrelay_reader *reader;
/* The third one never answers. */
#define SILENT_DOMID 5
static struct guest guests[3];
static struct played played;
static unsigned int nr_guests;

/* Which XenStore does not know: so they are gone at the first look, and all goes on. */
static struct disk disks[3][1];

static bool follow, third_is_named;
static uint64_t duration_ns;
static int (*run_capture)(struct played *p) = played_run;

static inline int capture_two(void)
{
	static struct domain domains[3];
	static struct domain_table table;
	unsigned int i;
	int ret;

	table = (struct domain_table){.entries = domains, .nr = nr_guests};
	for (i = 0; i < nr_guests; i++) {
		disks[i][0] = (struct disk){.devid = 51712, .name = "xvda"};
		domains[i] = (struct domain){
			.domid = i < 2 ? players[i].domid : SILENT_DOMID,
			.named = i < 2 || third_is_named,
			.disks = disks[i],
			.nr_disks = 1,
		};
		snprintf(domains[i].name, sizeof(domains[i].name), "guest%d", i + 1);
		table.by_domid[domains[i].domid] = i + 1;
	}
	played_begin(&played, reader, &table, guests, nr_guests);
	played.opts.follow = follow;
	played.opts.duration_ns = duration_ns;
	/* This domain's are as dom0_drain() has them. */
	played.dom0.nr_cpus = 0;
	assert_int_equal(writer_open(&played.writer, output), 0);
	ret = run_capture(&played);
	played_end(&played);
	assert_int_equal(writer_close(&played.writer),
			 ret && output != trace ? -EINTR : 0);
	return ret;
}

/*
 * The honest guest's records are all there, each once and in order; so is the end.
 * What a ROUND says is so, also of a liar that was not found out; and as long as the
 * honest guest writes, it has its turn before the liar has a second one.
 */
static inline void check_trace(void)
{
	uint64_t records[2] = {0}, since = 0;
	unsigned int nr_rounds = 0;
	bool ended = false;
	struct xblk_chunk chunk;
	const char *payload;
	size_t len, at = 0;
	char *bytes = slurp(trace, &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		struct xblk_record rec;
		size_t i, n;

		n = chunk.type == XBLK_CHUNK_DATA ? chunk.payload / XBLK_RECORD_SIZE : 0;
		ended = chunk.type == XBLK_CHUNK_END;
		for (i = 0; i < n && chunk.domid == 3; i++) {
			memcpy(&rec, payload + i * XBLK_RECORD_SIZE, sizeof(rec));
			assert_int_equal(rec.event, XBLK_EV_QUEUE);
			assert_int_equal(rec.sector, records[0] + i);
		}
		if (n && chunk.domid)
			records[chunk.domid - 3] += n;
		since = chunk.domid == 4 ? since + n : 0;
		if (chunk.time < END_AT * 1000000ull)
			assert_in_range(since, 0, GUEST_TURN);
		if (chunk.type == XBLK_CHUNK_ROUND) {
			const uint64_t nr = chunk.time / 1000000;

			assert_in_range(nr, 0, ROUNDS - 1);
			assert_true(records[0] >= heads[0][nr]);
			if (!guests[1].failed)
				assert_true(records[1] >= heads[1][nr]);
			nr_rounds++;
		}
	}
	assert_true(ended);
	assert_int_equal(records[0], players[0].written);
	assert_in_range(records[0], (END_AT - 10) * A_ROUND, ~0u);
	assert_in_range(nr_rounds, END_AT / 20, ~0u);
	free(bytes);
}

static inline void run(void (*what)(void), int status, const char *word)
{
	lie = what;
	assert_int_equal(capture_two(), status);
	check_trace();
	if (word) {
		played_check_said(&played, word);
		played_check_said(&played, "domain 4");
	}
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(guests[1].failed, status != 0);
	assert_int_equal(guest_records(&guests[0]), players[0].written);
	assert_int_equal(guest_lost(&guests[0]), 0);
}

static inline void head_far(void)
{
	liar->ring.producer->ring.head += PLAYER_CAPACITY + 1;
}

static inline void counters(void)
{
	liar->ring.producer->ring.lost = ~0ull - rounds;
	liar->ring.producer->ring.lost_nmi = rounds % 7;
	((union xenrelay_producer_line *)player_page(liar, PRODUCER))->channel.events =
		~0ull;
}

static inline int setup(void **state)
{
	(void)state;
	fake_begin();
	fake_write("domid", "0");
	players_begin();
	players[0].late = liar->deaf = false;
	memset(heads, 0, sizeof(heads));
	fake_write("/local/domain/5", "");
	fake_write("/local/domain/5/data/xenrelay/xblk/version", "1");
	fake_write("/local/domain/5/data/xenrelay/xblk/state", "open");
	fake_write("/local/domain/5/data/xenrelay/xblk/reader", "");
	nr_guests = 2;
	rounds = begun = 0;
	chunks_left = 0;
	return xenrelay_reader_open(&reader);
}

static inline int teardown(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	guest_free(&guests[0]);
	guest_free(&guests[1]);
	fake_end();
	return 0;
}

/* Of all cases of a test. */
static inline int captures_setup(void **state)
{
	(void)state;
	/* It is ignored in what nohup starts. */
	signal(SIGHUP, SIG_DFL);
	close(mkstemp(trace));
	return 0;
}

static inline int captures_teardown(void **state)
{
	(void)state;
	unlink(trace);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* LYING_CAPTURE_H */
