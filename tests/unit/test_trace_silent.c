// SPDX-License-Identifier: GPL-2.0-only
/*
 * A XenStore that stops answering in the middle of a capture: what is there goes on, is
 * told, and ends as it is told to, with an end in its file and nothing left behind.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_xen.h"
#include "played_capture.h"
#include "played_module.h"
#include "silent_module.h"
#include "trace_content.h"
#include "xenrelay-reader.h"

#define A_ROUND	  20
#define SILENT_AT 20 /* round in which it stops to answer */
#define MS	  1000000ull

static struct xenrelay_reader *reader;
static struct domain_table table;
static struct domain domains[2];
static struct guest guests[2];
static struct played played;
static char trace[] = "/tmp/test_trace_silent.XXXXXX";

static unsigned int rounds;
static uint64_t silent_since;
static void (*meanwhile)(uint64_t ms); /* in each round from then on */
static bool sent[2];
static bool drained_last;

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static void write_records(struct player *p)
{
	unsigned int i;

	for (i = 0; p->connected && i < A_ROUND; i++) {
		struct xblk_record *rec = xenrelay_ring_reserve(&p->ring);

		/* No assertion in here, where standard error goes to a file. */
		if (!rec)
			abort();
		*rec = (struct xblk_record){
			.time = rounds * MS,
			.sector = p->written++,
			.event = XBLK_EV_QUEUE,
		};
		xenrelay_ring_commit(&p->ring);
	}
}

/* The control is just to look at what a guest has written. */
static void be_silent(void)
{
	fake_silence(true);
	silent_since = clock_ns();
	fake_fire(player_node(&players[0], "/state"));
}

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	uint64_t since;

	(void)dom0;
	usleep(500);
	fake_hold();
	/* Who is not told to stop writes on, to the last round. */
	if (players[0].connected && players[1].connected && played.capture.drain.marks &&
	    played.capture.drain.running) {
		rounds++;
		write_records(&players[0]);
		write_records(&players[1]);
		if (rounds == SILENT_AT)
			be_silent();
	}
	since = silent_since;
	*ns = (rounds + 1) * MS;
	*level = 0;
	fake_release();
	if (since && meanwhile)
		meanwhile((clock_ns() - since) / MS);
	return 0;
}

/* By the control when the module has stopped: it gives the last of it. */
static void note_drain(void)
{
	drained_last |= !played.capture.drain.running;
}

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	fake_begin();
	fake_write("domid", "0");
	players_begin();
	rounds = 0;
	silent_since = 0;
	sent[0] = sent[1] = drained_last = false;
	on_silent_drain = note_drain;
	table = (struct domain_table){.entries = domains, .nr = 2};
	for (i = 0; i < 2; i++) {
		domains[i] = (struct domain){.domid = players[i].domid, .named = true};
		table.by_domid[players[i].domid] = i + 1;
	}
	return xenrelay_reader_open(&reader);
}

static int teardown(void **state)
{
	(void)state;
	/* In this order: the thread that was left to XenStore goes on. */
	xenrelay_reader_close(reader);
	fake_silence(false);
	guest_free(&guests[0]);
	guest_free(&guests[1]);
	fake_end();
	return 0;
}

/* Return: how long, in ms, it lasted from when XenStore was silent. */
static uint64_t capture(int status, unsigned int store_ms, uint64_t duration_ns)
{
	uint64_t took;

	played_begin(&played, reader, &table, guests, 2);
	played.dom0.nr_cpus = 0;
	played.opts.duration_ns = duration_ns;
	played.capture.store_ms = store_ms;
	assert_int_equal(writer_open(&played.writer, trace), 0);
	assert_int_equal(played_run(&played), status);
	took = (clock_ns() - silent_since) / MS;
	played_end(&played);
	assert_int_equal(writer_close(&played.writer), 0);
	assert_int_equal(fake.mapped, 0);
	return took;
}

/* The file is whole: an end, and all that the guests have written. */
static void check_trace(const char *reason)
{
	struct content content;
	unsigned int i;

	content_of_file(&content, trace);
	assert_non_null(content.end);
	assert_string_equal(content_reason(&content), reason);
	for (i = 0; i < 2; i++)
		assert_int_equal(content.streams[players[i].domid].nr,
				 players[i].written);
	content_forget(&content);
}

static unsigned int count(const char *word)
{
	const char *at = played.said.text;
	unsigned int nr = 0;

	while ((at = strstr(at, word))) {
		nr++;
		at += strlen(word);
	}
	return nr;
}

/* Also the control asks for the time, when it ends. */
static void send_once(unsigned int nr, int sig)
{
	if (!__atomic_exchange_n(&sent[nr], true, __ATOMIC_RELAXED))
		kill(getpid(), sig);
}

static void interrupt_once(uint64_t ms)
{
	if (ms >= 100)
		send_once(0, SIGINT);
}

/* It is waited for as long as it may be slow. */
static void test_interrupted(void **state)
{
	uint64_t ms;

	(void)state;
	meanwhile = interrupt_once;
	ms = capture(-1, 800, 0);
	assert_in_range(ms, 800, 9000);
	check_trace("interrupted");
	assert_int_equal(count("XenStore"), 1);
	played_check_said(&played, "XenStore does not answer: given up");
	assert_int_equal(count("did not stop"), 0);
	assert_true(drained_last);
}

static void interrupt_late(uint64_t ms)
{
	if (ms >= 1500)
		interrupt_once(ms - 1500);
}

/* It has been told by then, and is not waited for any more. */
static void test_told(void **state)
{
	uint64_t ms;

	(void)state;
	meanwhile = interrupt_late;
	ms = capture(-1, 500, 0);
	assert_in_range(ms, 1500, 9000);
	check_trace("interrupted");
	/* Read all the while. */
	assert_in_range(players[0].written, 2 * SILENT_AT * A_ROUND, ~0u);
	assert_int_equal(count("XenStore"), 2);
	played_check_said(&played, "it is waited for; Ctrl-C gives it up");
}

static void test_timeout(void **state)
{
	uint64_t ms;

	(void)state;
	meanwhile = NULL;
	ms = capture(-1, 500, 1000 * MS);
	assert_in_range(ms, 500, 9000);
	check_trace("timeout");
	played_check_said(&played, "XenStore does not answer: given up");
}

static void interrupt_twice(uint64_t ms)
{
	interrupt_once(ms);
	if (ms >= 500)
		send_once(1, SIGTERM);
}

static void test_twice(void **state)
{
	uint64_t ms;

	(void)state;
	meanwhile = interrupt_twice;
	ms = capture(-1, 60000, 0);
	assert_in_range(ms, 1000, 9000);
	check_trace("interrupted");
}

static void answer_again(uint64_t ms)
{
	if (ms >= 1000)
		fake_silence(false);
	interrupt_late(ms);
}

/* What is slow is no failure. */
static void test_answers_again(void **state)
{
	(void)state;
	meanwhile = answer_again;
	capture(0, 500, 0);
	check_trace("interrupted");
	assert_int_equal(count("XenStore"), 2);
	played_check_said(&played, "XenStore answers again");
}

/* Nothing has begun that could go on without it. */
static void test_start(void **state)
{
	(void)state;
	meanwhile = NULL;
	fake_silence(true);
	silent_since = clock_ns();
	assert_in_range(capture(-1, 500, 0), 500, 9000);
	played_check_said(&played, "XenStore does not answer: given up");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interrupted), TEST(test_told),	  TEST(test_timeout),
		TEST(test_twice),	TEST(test_answers_again), TEST(test_start),
	};
	int ret;

	/* It is ignored in what a shell starts in the background. */
	signal(SIGINT, SIG_DFL);
	close(mkstemp(trace));
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(trace);
	return ret;
}
