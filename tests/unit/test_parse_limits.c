// SPDX-License-Identifier: GPL-2.0-only
/* More than is kept or looked at: what that leaves untold is counted, none is wrong. */
#include <stdio.h>
#include <stdlib.h>

#include "test_parse_util.h"

#define MS     1000000ull
#define PLACE  64
#define THREAD 80   /* of ring 0 of the guest's disk; then the others */
#define MANY   5000 /* more than match.c looks at of one place */
#define DEEP   256  /* what eight rings of one page hold */

static int64_t right_u_t; /* of all requests of a trace */
static uint64_t bins[BIN_MAX], nr_wrong;

static void check_request(void *ctx, const struct xblk_request *r)
{
	(void)ctx;
	bins[r->bin]++;
	nr_wrong += r->measured && r->stages[STAGE_U_T] != right_u_t;
}

static void finish(struct gen *g, uint64_t ns)
{
	struct outcome o;

	memset(bins, 0, sizeof(bins));
	nr_wrong = 0;
	gen_end(g, ns);
	outcome_init(&o, g->data, g->len);
	o.parse.tally.on_request = check_request;
	parse_run(&o.parse);
	check_bins(&o);
	done(&o, g);
	assert_int_equal(nr_wrong, 0);
}

static void event(struct gen *g, unsigned int domid, uint64_t ns, unsigned int event,
		  uint64_t sector, uint32_t nr, uint32_t id, uint32_t aux)
{
	gen_event(g, domid, 0, ns, event, XBLK_OP_READ, sector, nr, id, aux);
}

static void order(struct gen *g, uint64_t ns, unsigned int ring, uint32_t rq,
		  uint32_t ordinal)
{
	gen_event(g, GEN_GUEST, 0, ns, XBLK_EV_ORDER, 0, 0, ring, rq, ordinal);
}

/* A guest's request, from its Q to its D. */
static void asked(struct gen *g, uint64_t ns, uint64_t sector, uint32_t nr, uint32_t n)
{
	event(g, GEN_GUEST, ns, XBLK_EV_QUEUE, sector, nr, n, 500);
	event(g, GEN_GUEST, ns + 1, XBLK_EV_ISSUE, sector, nr, 100000 + n, n);
}

/* The guest tells the order of its requests, from the first one on, which stays away. */
static void begin(struct gen *g)
{
	gen_init_bare(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, gen_meta_text, strlen(gen_meta_text));
	gen_process(g, 0, 0, 0, THREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	gen_process(g, 0, 0, 0, THREAD + 1, "3.xvda-1", XBLK_PROCESS_KTHREAD);
	asked(g, 10, 8192, 8, 90000);
	order(g, 20, 0, 190000, 6);
}

/* Its bio is queued and issued. */
static void served(struct gen *g, uint64_t ns, uint64_t sector, uint32_t nr, uint32_t n,
		   uint32_t thread)
{
	event(g, 0, ns, XBLK_EV_QUEUE, sector, nr, n, thread);
	event(g, 0, ns + 1, XBLK_EV_ISSUE, sector, nr, 100000 + n, n);
}

/*
 * @MANY requests for one place and ring, whose order is told before their bios come or
 * (@late) behind them: then these wait.
 */
static void many_at_a_place(bool late)
{
	const uint64_t told = late ? 2 * MS : 1 * MS, queued = late ? 1 * MS : 2 * MS;
	struct gen g;

	begin(&g);
	for (uint32_t i = 0; i < MANY; i++)
		asked(&g, 100 + 10 * i, PLACE, 8, i + 1);
	for (uint32_t i = 0; !late && i < MANY; i++)
		order(&g, told + 10 * i, 0, 100001 + i, 7 + i);
	for (uint32_t i = 0; i < MANY; i++)
		served(&g, queued + 10 * i, PLACE, 8, i + 1, THREAD);
	right_u_t = queued - 101;
	for (uint32_t i = 0; late && i < MANY; i++)
		order(&g, told + 10 * i, 0, 100001 + i, 7 + i);
	for (uint32_t i = 0; i < MANY; i++) {
		event(&g, 0, 3 * MS + 20 * i, XBLK_EV_COMPLETE, PLACE, 8, 100001 + i, 0);
		event(&g, GEN_GUEST, 3 * MS + 20 * i + 10, XBLK_EV_COMPLETE, PLACE, 8,
		      100001 + i, 0);
	}
	finish(&g, 100 * MS);
	assert_int_equal(bins[BIN_AMBIGUOUS], MANY);
}

static void many_ordered(void **ctx)
{
	(void)ctx;
	many_at_a_place(false);
}

static void many_waiting(void **ctx)
{
	(void)ctx;
	many_at_a_place(true);
}

/*
 * A request of two bios, the second of which waits where @MANY of another ring's do whose
 * order is told no more: it may be one of those that are not looked at.
 */
static void second_part_behind_many(void **ctx)
{
	const uint32_t two = MANY + 1;
	struct gen g;

	(void)ctx;
	begin(&g);
	for (uint32_t i = 0; i < MANY; i++)
		asked(&g, 100 + 10 * i, PLACE + 8, 8, i + 1);
	asked(&g, 100 + 10 * MANY, PLACE, 16, two);
	for (uint32_t i = 0; i < MANY; i++)
		served(&g, 1 * MS + 10 * i, PLACE + 8, 8, i + 1, THREAD);
	served(&g, 2 * MS, PLACE, 8, two, THREAD + 1);
	served(&g, 2 * MS + 10, PLACE + 8, 8, two + 1, THREAD + 1);
	order(&g, 2 * MS + 20, 1, 100000 + two, 7);
	right_u_t = 2 * MS + 10 - (101 + 10 * MANY);
	event(&g, 0, 3 * MS, XBLK_EV_COMPLETE, PLACE, 8, 100000 + two, 0);
	event(&g, 0, 3 * MS + 10, XBLK_EV_COMPLETE, PLACE + 8, 8, 100001 + two, 0);
	event(&g, GEN_GUEST, 3 * MS + 20, XBLK_EV_COMPLETE, PLACE, 16, 100000 + two, 0);
	finish(&g, 100 * MS);
	assert_int_equal(bins[BIN_AMBIGUOUS], 1);
	assert_int_equal(bins[BIN_IN_FLIGHT], MANY + 1);
}

static void deep_meta(struct gen *g, unsigned int guests)
{
	char *text = malloc(guests * 160 + 200);
	size_t len;

	assert_non_null(text);
	len = sprintf(text, "{\"backend\": {\"domid\": 0, \"disks\": [{\"index\": 0,"
			    " \"name\": \"a\"}]}, \"guests\": [");
	for (unsigned int i = 0; i < guests; i++)
		len += sprintf(text + len,
			       "%s{\"domid\": %u, \"disks\": [{\"index\": 0, \"name\":"
			       " \"xvda\", \"start_sector\": %u, \"backend_disk\": 0}]}",
			       i ? ", " : "", 3 + i, i << 20);
	len += sprintf(text + len, "]}");
	gen_init_bare(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, text, len);
	for (unsigned int i = 0; i < guests; i++) {
		sprintf(text, "%u.xvda-0", 3 + i);
		gen_process(g, 0, 0, 0, 1000 + i, text, XBLK_PROCESS_KTHREAD);
	}
	free(text);
}

/* Each of so many guests has @DEEP requests in flight, all at a time. */
static void deep(unsigned int guests)
{
	const unsigned int nr = guests * DEEP;
	struct gen g;

	right_u_t = 8;
	deep_meta(&g, guests);
	for (unsigned int k = 0; k < nr; k++) {
		uint64_t sector = k / guests * 8;
		uint32_t id = 1 + k / guests;

		event(&g, 3 + k % guests, 20 * k, XBLK_EV_QUEUE, sector, 8, id, 500);
		event(&g, 3 + k % guests, 20 * k + 2, XBLK_EV_ISSUE, sector, 8, 1000 + id,
		      id);
		sector += k % guests << 20;
		event(&g, 0, 20 * k + 10, XBLK_EV_QUEUE, sector, 8, 1 + k,
		      1000 + k % guests);
		event(&g, 0, 20 * k + 12, XBLK_EV_ISSUE, sector, 8, 1000000 + k, 1 + k);
	}
	for (unsigned int k = 0; k < nr; k++) {
		uint64_t sector = k / guests * 8;

		event(&g, 0, 10 * MS + 20 * k, XBLK_EV_COMPLETE,
		      sector + (k % guests << 20), 8, 1000000 + k, 0);
		event(&g, 3 + k % guests, 10 * MS + 20 * k + 10, XBLK_EV_COMPLETE, sector,
		      8, 1001 + k / guests, 0);
	}
	finish(&g, 40 * MS);
}

/*
 * What all guests share is enough for 64 of them.  Of more, each has what is its own, and
 * what is beyond is told of as such.
 */
static void many_deep_guests(void **ctx)
{
	(void)ctx;
	deep(64);
	assert_int_equal(bins[BIN_JOINED], 64 * DEEP);
	deep(100);
	assert_true(bins[BIN_JOINED] >= 100 * JOIN_OWN);
	assert_true(bins[BIN_JOINED] >= JOIN_SHARED_RQS);
	assert_true(bins[BIN_EVICTED] > 0);
	bins[BIN_JOINED] = bins[BIN_EVICTED] = 0;
	for (unsigned int i = 0; i < BIN_MAX; i++)
		assert_int_equal(bins[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_ordered),
		cmocka_unit_test(many_waiting),
		cmocka_unit_test(second_part_behind_many),
		cmocka_unit_test(many_deep_guests),
	};

	msg_silent = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
