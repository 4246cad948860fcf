// SPDX-License-Identifier: GPL-2.0-only
/*
 * FLUSH_QUEUE records: none, however they contradict the others or lack some, leads to a
 * flush that is told wrong.
 */
#include "test_parse_util.h"

#define QUEUE_ID 7

/* A guest has what waits issued as data, by the same request and by another one. */
static void issued_while_it_waits(void **ctx)
{
	(void)ctx;
	for (uint32_t rq = 5; rq <= 6; rq++) {
		struct outcome o;
		struct gen g;

		gen_init(&g);
		GUEST(100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH | XBLK_OP_F_FUA, 0, 0, 1,
		      500);
		GUEST(200, FLUSH_QUEUE, READ, QUEUE_ID, 0, 5, 1);
		GUEST(300, ISSUE, WRITE, 0, 8, rq, 1);
		GUEST(400, COMPLETE, WRITE, 0, 8, rq, 0);
		GUEST(500, COMPLETE, WRITE, 0, 0, rq, 0);
		GUEST(600, COMPLETE, WRITE, 0, 0, 5, 0);
		GUEST(700, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 1, 500);
		GUEST(800, FLUSH_QUEUE, READ, QUEUE_ID, 0, 5, 1);
		run_gen(&o, &g);
		done(&o, &g);
	}
}

/* It says that one request is the flush of two queues. */
static void of_two_queues(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(100, QUEUE, WRITE | XBLK_OP_F_PREFLUSH, 64, 8, 1, 500);
	GUEST(200, FLUSH_QUEUE, READ, QUEUE_ID, 0, 20, 2);
	GUEST(201, FLUSH_QUEUE, READ, QUEUE_ID + 1, 0, 10, 1);
	GUEST(300, ISSUE, FLUSH, 0, 0, 100, 0);
	GUEST(301, FLUSH_QUEUE, READ, QUEUE_ID, 0, 100, 0);
	GUEST(302, FLUSH_QUEUE, READ, QUEUE_ID + 1, 0, 100, 0);
	GUEST(303, ISSUE, READ, 0, 8, 101, 0);
	GUEST(400, COMPLETE, FLUSH, 0, 0, 100, 0);
	GUEST(401, COMPLETE, READ, 0, 8, 101, 0);
	DOM0(2000000000, QUEUE, WRITE, 64, 8, 1, 500);
	DOM0(3000000000, QUEUE, WRITE, 64, 8, 1, 500);
	GUEST(3000000001, ISSUE, WRITE, 64, 8, 10, 1);
	gen_end(&g, 4000000000);
	run(&o, g.data, g.len);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issued_while_it_waits),
		cmocka_unit_test(of_two_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
