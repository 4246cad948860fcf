// SPDX-License-Identifier: GPL-2.0-only
/*
 * -w of a file with an index: what is said of a span is what reading everything says,
 * to the byte, and little more than the span is read.
 */
#include "span_reading.h"

static void little_is_read(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 100);
	/* Another name, before some spans and behind others. */
	gen_process(&g, GEN_GUEST, 0, 100 * SEC, 501, "kworker", 1);
	requests(&g, 100, 200);
	gen_end_indexed(&g, 200 * SEC, 4096);
	check_span(&g, "50:50.1", 6);
	check_span(&g, "150:150.1", 6);
	check_span(&g, "99.9:100.5", 6);
	check_span(&g, "0.5:0.6", 3);
	check_span(&g, "199:", 6);
	/* Long behind the end. */
	check_span(&g, "300:301", 6);
	gen_deinit(&g);
}

/*
 * What is in flight when a span begins is not of it; where such a thing has just come
 * back, it is looked for.
 */
static void in_flight_for_long(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 50);
	issue(&g, 50 * SEC, 1, 500);
	requests(&g, 50, 53);
	complete(&g, 53 * SEC, 1);
	requests(&g, 53, 60);
	GUEST(60 * SEC, QUEUE, READ, 64 * 2, 8, 2, 500);
	requests(&g, 60, 100);
	/* Queued far ahead of its D: not of the span in which it is issued. */
	GUEST(100 * SEC, ISSUE, READ, 64 * 2, 8, 2, 2);
	DOM0(100 * SEC + 100, QUEUE, READ, 64 * 2, 8, 2, GEN_KTHREAD);
	DOM0(100 * SEC + 200, ISSUE, READ, 64 * 2, 8, 2, 2);
	complete(&g, 100 * SEC + 300, 2);
	/* In flight at the span's begin and end. */
	issue(&g, 100 * SEC + 400, 3, 501);
	requests(&g, 100, 130);
	complete(&g, 130 * SEC, 3);
	requests(&g, 130, 150);
	gen_end_indexed(&g, 150 * SEC, 4096);
	check_span(&g, "53.3:53.4", 20);
	check_span(&g, "52:54", 8);
	/* Until its own last request has come back. */
	check_span(&g, "100:100.1", 25);
	check_span(&g, "120:121", 8);
	check_span(&g, "129:131", 8);
	gen_deinit(&g);
}

/*
 * The guest's tracing ended and was resumed: what was under way by then began before its
 * records did, but not before those that are read.
 */
static void traced_again(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 60);
	gen_round(&g, 70 * SEC - 1);
	gen_event(&g, GEN_GUEST, 0, 70 * SEC, XBLK_EV_CLOCK, 0, 0, 0, 1u << 31 | 1, 0);
	gen_last(&g, GEN_GUEST, 0)->disk = XBLK_NO_DISK;
	GUEST(70 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
	GUEST(70 * SEC + 20, ISSUE, READ, 64 * 8, 8, 8, 8);
	GUEST(70 * SEC + 30, COMPLETE, READ, 64 * 8, 8, 8, 0);
	requests(&g, 70, 120);
	gen_end_indexed(&g, 120 * SEC, 4096);
	check_span(&g, "50:", 100);
	check_span(&g, "65:", 100);
	check_span(&g, "69:71", 100);
	check_span(&g, "70:", 100);
	check_span(&g, "80:", 60);
	gen_deinit(&g);
}

/*
 * What was issued before the guest's records began, or began again, and came back long
 * after began before the span, too.
 */
static void back_from_untraced(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 60);
	gen_round(&g, 70 * SEC - 1);
	gen_event(&g, GEN_GUEST, 0, 70 * SEC, XBLK_EV_CLOCK, 0, 0, 0, 1u << 31 | 1, 0);
	gen_last(&g, GEN_GUEST, 0)->disk = XBLK_NO_DISK;
	requests(&g, 70, 90);
	GUEST(90 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
	GUEST(90 * SEC + 20, ISSUE, READ, 64 * 8, 8, 8, 8);
	GUEST(90 * SEC + 30, COMPLETE, READ, 64 * 8, 8, 8, 0);
	requests(&g, 90, 120);
	gen_end_indexed(&g, 120 * SEC, 4096);
	check_span(&g, "60:", 70);
	check_span(&g, "80:", 60);
	check_span(&g, "90:91", 10);
	gen_deinit(&g);
}

/* The same where records of the guest were lost before; such a one may be in flight, too.
 */
static void back_after_a_loss(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 20);
	gen_lost(&g, GEN_GUEST, 0, 20 * SEC, 20 * SEC + MS, 7);
	requests(&g, 21, 50);
	issue(&g, 50 * SEC, 1, 500);
	requests(&g, 50, 90);
	complete(&g, 90 * SEC + 3, 1);
	GUEST(90 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
	requests(&g, 90, 120);
	gen_end_indexed(&g, 120 * SEC, 4096);
	check_span(&g, "20:21", 10);
	check_span(&g, "90:91", 10);
	gen_deinit(&g);
}

static uint64_t bin_of_span(const struct gen *g, const char *span, bool as_file,
			    enum bin bin)
{
	struct reading r;
	uint64_t nr = 0;

	read_trace(&r, g, span, as_file);
	for (size_t i = 0; i < r.x->parse.model.nr_disks; i++)
		nr += stats_of(r.x->parse.model.all_disks[i])->bins[bin];
	end_reading(&r);
	return nr;
}

/* What began in the span, as is known once its loss is told of, is of it. */
static void begin_lost(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (unsigned int at_end = 0; at_end < 2; at_end++) {
		begin(&g);
		gen_event(&g, GEN_GUEST, 1, 19 * SEC, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8,
			  9, 500);
		requests(&g, 0, 60);
		/* its Q and D are lost; of another one the Q */
		GUEST(60 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
		GUEST(60 * SEC + 20, ISSUE, READ, 64 * 8, 8, 8, 8);
		GUEST(60 * SEC + 30, COMPLETE, READ, 64 * 8, 8, 8, 0);
		requests(&g, 60, 70);
		if (at_end)
			gen_count_lost(&g, GEN_GUEST, 1, 3);
		else
			gen_lost(&g, GEN_GUEST, 1, 59 * SEC, 60 * SEC + 5, 3);
		requests(&g, 70, 100);
		gen_end_indexed(&g, 100 * SEC, 4096);
		for (int as_file = 0; as_file < 2; as_file++) {
			assert_int_equal(bin_of_span(&g, "60:61", as_file, BIN_LOST), 2);
			if (!at_end)
				assert_int_equal(
					bin_of_span(&g, "65:66", as_file, BIN_LOST), 0);
		}
		check_span(&g, "60:61", 15);
		gen_deinit(&g);
	}
}

/* The same where the guest is another one that came meanwhile. */
static void came_meanwhile(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 60);
	gen_gone(&g, GEN_GUEST, 61 * SEC);
	gen_round(&g, 70 * SEC - 1);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 70 * SEC, gen_meta_text,
		  strlen(gen_meta_text));
	GUEST(70 * SEC + 10, COMPLETE, READ, 64 * 7, 8, 7, 0);
	requests(&g, 70, 120);
	gen_end_indexed(&g, 120 * SEC, 4096);
	check_span(&g, "50:", 100);
	check_span(&g, "69:71", 100);
	check_span(&g, "70:", 100);
	check_span(&g, "80:", 60);
	gen_deinit(&g);
}

/*
 * What was lost is known, wherever the stream told of it; so it is also known whether
 * the capture's end tells of more, which the last request may be one of.
 */
static void losses(void **ctx)
{
	struct gen g;

	(void)ctx;
	for (unsigned int at_end = 0; at_end < 2; at_end++) {
		begin(&g);
		requests(&g, 0, 50);
		gen_lost(&g, 0, 0, 50 * SEC, 50 * SEC + MS, 7);
		requests(&g, 51, 100);
		gen_lost(&g, GEN_GUEST, 0, 100 * SEC, 100 * SEC + 500 * MS, 7);
		requests(&g, 101, 120);
		issue(&g, 120 * SEC, 1, 500);
		gen_count_lost(&g, 0, 0, at_end);
		gen_end_indexed(&g, 121 * SEC, 4096);
		check_span(&g, "20:21", 8);
		check_span(&g, "49.9:51.5", 8);
		check_span(&g, "100:101.1", 8);
		check_span(&g, "119:", 12);
		gen_deinit(&g);
	}
}

/*
 * A CPU tells long after the span that it lost what is of it, at last or not even then;
 * what is in between is not read for that.
 */
static void losses_told_late(void **ctx)
{
	struct reading part;
	struct gen g;

	(void)ctx;
	for (unsigned int at_end = 0; at_end < 2; at_end++) {
		begin(&g);
		gen_event(&g, 0, 1, 19 * SEC, XBLK_EV_QUEUE, XBLK_OP_READ, 0, 8, 9, 1);
		requests(&g, 0, 20);
		for (uint32_t id = 1; id <= 10; id++) {
			GUEST(20 * SEC + id, QUEUE, READ, 64 * id, 8, id, 500);
			GUEST(20 * SEC + MS, ISSUE, READ, 64 * id, 8, id, id);
			DOM0(20 * SEC + 2 * MS, QUEUE, READ, 64 * id, 8, id, GEN_KTHREAD);
			GUEST(20 * SEC + 20 * MS, COMPLETE, READ, 64 * id, 8, id, 0);
		}
		requests(&g, 21, 60);
		if (at_end)
			gen_count_lost(&g, 0, 1, 20);
		else
			gen_lost(&g, 0, 1, 19 * SEC, 21 * SEC, 20);
		requests(&g, 60, 100);
		gen_end_indexed(&g, 100 * SEC, 4096);
		check_span(&g, "20:21", 8);
		assert_true(read_trace(&part, &g, "20:21", true));
		assert_int_equal(stats_of(domain_disk(model_domain(&part.x->parse.model,
								   GEN_GUEST),
						      0))
					 ->bins[BIN_LOST],
				 10);
		assert_true(part.x->parse.ended);
		end_reading(&part);
		gen_deinit(&g);
	}
}

static void packed(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 50);
	for (unsigned int i = 50; i < 60; i++) {
		size_t at = g.len;

		requests(&g, i, i + 1);
		gen_pack(&g, at);
	}
	requests(&g, 60, 100);
	gen_end_indexed(&g, 100 * SEC, 4096);
	check_span(&g, "55.5:55.6", 10);
	check_span(&g, "90:90.1", 12);
	gen_deinit(&g);
}

/* Where the index is not to be had, all is read, and nothing is wrong with that. */
static void without(void **ctx)
{
	struct reading r;
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 20);
	gen_end(&g, 20 * SEC);
	assert_false(read_trace(&r, &g, "10:11", true));
	assert_false(r.x->parse.problems);
	assert_int_equal(r.x->parse.join.records,
			 r.x->parse.merge.streams[0]->found +
				 r.x->parse.merge.streams[1]->found);
	end_reading(&r);

	/* Cut off: its last chunk has gone. */
	gen_end_indexed(&g, 20 * SEC, 4096);
	g.len -= 32;
	assert_false(read_trace(&r, &g, "10:", true));
	end_reading(&r);
	gen_deinit(&g);
}

static void ring_event(struct gen *g, uint64_t ns, unsigned int event, uint32_t id,
		       uint32_t aux)
{
	gen_event(g, 0, 0, ns, event, 0, 0, 0, id, aux);
	gen_last(g, 0, 0)->disk = XBLK_NO_DISK;
}

/*
 * An interrupt says its ring, and the ring's thread, which says whose it is, may have
 * gone about a request of it long ago.  Then another ring may have got its identity.
 */
static void rings(void **ctx)
{
	struct gen g;

	(void)ctx;
	begin(&g);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 1, "4.xvda-0", XBLK_PROCESS_KTHREAD);
	gen_process(&g, 0, 0, 0, GEN_KTHREAD + 2, "3.xvdb-0", XBLK_PROCESS_KTHREAD);
	requests(&g, 0, 20);
	ring_event(&g, 20 * SEC, XBLK_EV_RING, 7, GEN_KTHREAD);
	ring_event(&g, 20 * SEC + 1, XBLK_EV_RING, 8, GEN_KTHREAD + 1);
	requests(&g, 20, 40);
	ring_event(&g, 40 * SEC, XBLK_EV_RING, 9, GEN_KTHREAD);
	ring_event(&g, 40 * SEC + 1, XBLK_EV_RING, 9, GEN_KTHREAD + 1);
	requests(&g, 40, 60);
	for (uint32_t ring = 7; ring < 11; ring++) {
		ring_event(&g, 60 * SEC, XBLK_EV_INTERRUPT, 0, ring);
		ring_event(&g, 60 * SEC, XBLK_EV_RESPONSE, 0, ring);
	}
	requests(&g, 60, 70);
	ring_event(&g, 70 * SEC, XBLK_EV_RING, 7, GEN_KTHREAD + 2);
	requests(&g, 70, 80);
	ring_event(&g, 80 * SEC, XBLK_EV_INTERRUPT, 0, 7);
	requests(&g, 80, 100);
	gen_end_indexed(&g, 100 * SEC, 4096);
	for (int i = 0; i < 2; i++) {
		one_guest = i;
		check_span(&g, "60:60.1", 12);
		check_span(&g, "80:80.1", 12);
	}
	one_guest = false;
	gen_deinit(&g);
}

static struct xblk_chunk *index_chunk(struct gen *g)
{
	struct xblk_chunk *c = (void *)(g->data + sizeof(struct xblk_trace_header));

	while (c->type != XBLK_CHUNK_INDEX)
		c = (void *)((char *)c + sizeof(*c) + (c->payload + 31) / 32 * 32);
	return c;
}

/* An early index does not tell of rings: all is read for the events, as a pipe is. */
static void without_rings(void **ctx)
{
	struct xblk_index_entry *rows;
	struct xblk_chunk *c;
	struct gen g;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 20);
	ring_event(&g, 20 * SEC, XBLK_EV_RING, 7, GEN_KTHREAD);
	requests(&g, 20, 60);
	ring_event(&g, 60 * SEC, XBLK_EV_INTERRUPT, 0, 7);
	requests(&g, 60, 70);
	gen_end_indexed(&g, 70 * SEC, 4096);
	c = index_chunk(&g);
	rows = (void *)(c + 1);
	for (size_t i = 0; i < c->payload / sizeof(*rows); i++)
		rows[i].flags &= ~XBLK_INDEX_RINGS;
	gen_fix_checksum(&g, (uint8_t *)c - g.data);
	one_guest = true;
	assert_false(check_as_pipe(&g, "60:60.1", 110));
	one_guest = false;
	gen_deinit(&g);
}

/* One that contradicts itself is not used; one that lies costs what it lies about. */
static void liars(void **ctx)
{
	struct xblk_index_entry *rows, entry;
	struct xblk_chunk *c;
	struct reading r;
	struct gen g;
	size_t at, nr;

	(void)ctx;
	begin(&g);
	requests(&g, 0, 20);
	gen_end_indexed(&g, 20 * SEC, 4096);
	c = index_chunk(&g);
	at = (uint8_t *)c - g.data;
	rows = (void *)(c + 1);
	nr = c->payload / sizeof(*rows);

	for (int what = 0; what < 5; what++) {
		entry = rows[nr / 2];
		if (what == 0)
			rows[nr / 2].offset += 1;
		else if (what == 1)
			rows[nr / 2].offset = rows[nr / 2 - 1].offset;
		else if (what == 2)
			rows[nr / 2].offset = UINT64_MAX - 31;
		else if (what == 3)
			rows[nr / 2].time = 0;
		else
			rows[0].offset = 128;
		gen_fix_checksum(&g, at);
		assert_false(read_trace(&r, &g, "10:11", true));
		assert_false(r.x->parse.problems);
		end_reading(&r);
		rows[nr / 2] = entry;
		rows[0].offset = sizeof(struct xblk_trace_header);
	}

	/* Its checksum does not hold: it is damage like any other. */
	rows[1].flags ^= 1;
	assert_false(read_trace(&r, &g, "10:11", true));
	end_reading(&r);
	rows[1].flags ^= 1;

	/* Rows that begin in the midst of a chunk: seen, and told. */
	for (size_t i = 2; i < nr; i++)
		rows[i].offset += 96;
	gen_fix_checksum(&g, at);
	assert_true(read_trace(&r, &g, "10:11", true));
	assert_true(r.x->parse.problems && r.x->parse.reader.damaged);
	end_reading(&r);

	/* Times that are all the same, or long over. */
	for (size_t i = 0; i < nr; i++) {
		rows[i].time = 0;
		rows[i].offset -= i > 1 ? 96 : 0;
	}
	gen_fix_checksum(&g, at);
	assert_true(read_trace(&r, &g, "10:11", true));
	end_reading(&r);
	gen_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_is_read),
		cmocka_unit_test(in_flight_for_long),
		cmocka_unit_test(traced_again),
		cmocka_unit_test(came_meanwhile),
		cmocka_unit_test(losses),
		cmocka_unit_test(losses_told_late),
		cmocka_unit_test(packed),
		cmocka_unit_test(without),
		cmocka_unit_test(liars),
		cmocka_unit_test(rings),
		cmocka_unit_test(without_rings),
		cmocka_unit_test(back_from_untraced),
		cmocka_unit_test(back_after_a_loss),
		cmocka_unit_test(begin_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
