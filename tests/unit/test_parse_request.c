// SPDX-License-Identifier: GPL-2.0-only
/* What is told of a request: each field of struct xblk_request. */
#include "test_parse_util.h"

struct told {
	struct xblk_request requests[4];
	char processes[4][XBLK_COMM_LEN + 1], guest[NAME_LEN], label[LABEL_LEN];
	unsigned int nr;
};

/* Its strings do not stay. */
static void keep(void *ctx, const struct xblk_request *r)
{
	struct told *t = ctx;

	assert_in_range(t->nr, 0, 3);
	strcpy(t->processes[t->nr], r->process);
	strcpy(t->guest, r->guest);
	strcpy(t->label, r->label);
	assert_string_equal(r->disk, "xvda");
	t->requests[t->nr++] = *r;
}

static void read_all(struct told *t, struct gen *g)
{
	struct outcome o;

	memset(t, 0, sizeof(*t));
	gen_end(g, 1000000);
	outcome_init(&o, g->data, g->len);
	o.parse.tally.on_request = keep;
	o.parse.tally.ctx = t;
	parse_run(&o.parse);
	done(&o, g);
}

/* It came back once, waited for a flush in guest and in dom0, and failed. */
static void all_of_it(void **ctx)
{
	const struct xblk_request *r;
	struct told t;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, GEN_GUEST, 0, 10, 500, "writer", 0);
	GUEST(1000, QUEUE, WRITE, 64, 8, 1, 500);
	GUEST(1000, QUEUE, WRITE, 72, 8, 2, 501);
	GUEST(1100, ISSUE, FLUSH, 0, 0, 101, 0);
	GUEST(1300, COMPLETE, FLUSH, 0, 0, 101, 0);
	GUEST(1400, ISSUE, WRITE, 64, 16, 100, 1);
	GUEST(1400, PART, WRITE, 72, 8, 100, 2);
	GUEST(1450, REQUEUE, WRITE, 64, 16, 100, 0);
	GUEST(1500, ISSUE, WRITE, 64, 16, 100, 1);
	GUEST(1500, PART, WRITE, 72, 8, 100, 2);
	DOM0(2000, QUEUE, WRITE, 64, 16, 2, GEN_KTHREAD);
	DOM0(2010, ISSUE, FLUSH, 0, 0, 201, 0);
	DOM0(2040, COMPLETE, FLUSH, 0, 0, 201, 0);
	DOM0(2100, ISSUE, WRITE, 64, 16, 200, 2);
	DOM0(3000, COMPLETE, WRITE, 64, 16, 200, 0);
	GUEST(4000, COMPLETE, WRITE, 64, 16, 100, 5);
	read_all(&t, &g);
	assert_int_equal(t.nr, 2); /* the flush was not seen in dom0: it is waited for */
	r = &t.requests[0];
	assert_int_equal(r->domid, GEN_GUEST);
	assert_string_equal(t.guest, "guest1");
	assert_string_equal(t.label, "xvda");
	assert_int_equal(r->disk_index, 0);
	assert_string_equal(t.processes[0], "writer");
	assert_int_equal(r->pid, 500);
	assert_int_equal(r->op, XBLK_OP_WRITE);
	assert_int_equal(r->sector, 64);
	assert_int_equal(r->nr_sectors, 16);
	assert_int_equal(r->nr_bios, 2);
	assert_int_equal(r->nr_backend_bios, 1);
	assert_int_equal(r->requeues, 1);
	assert_int_equal(r->error, 5);
	assert_int_equal(r->q_ns, GEN_START + 1000);
	assert_int_equal(r->d_ns, GEN_START + 1500);
	assert_int_equal(r->backend_q_ns, GEN_START + 2000);
	assert_int_equal(r->backend_d_ns, GEN_START + 2100);
	assert_int_equal(r->backend_c_ns, GEN_START + 3000);
	assert_int_equal(r->c_ns, GEN_START + 4000);
	assert_int_equal(r->guest_flush_ns, 200);
	assert_int_equal(r->backend_flush_ns, 30);
	assert_true(r->measured);
	assert_int_equal(r->stages[STAGE_U_Q2D], 500);
	assert_int_equal(r->stages[STAGE_Q2C], 3000);
	assert_int_equal(r->bin, BIN_JOINED);
}

/* What is not known is 0, and there are no stages. */
static void parts_of_it(void **ctx)
{
	const struct xblk_request *r;
	struct told t;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	GUEST(1000, COMPLETE, READ, 64, 8, 100, 0);
	GUEST(2000, QUEUE, READ, 128, 8, 1, 500);
	GUEST(2100, ISSUE, READ, 128, 8, 101, 1);
	read_all(&t, &g);
	assert_int_equal(t.nr, 2);
	r = &t.requests[0];
	assert_int_equal(r->bin, BIN_BEFORE_TRACE);
	assert_false(r->measured);
	assert_int_equal(r->q_ns, 0);
	assert_int_equal(r->d_ns, 0);
	assert_int_equal(r->c_ns, GEN_START + 1000);
	assert_int_equal(r->pid, 0);
	assert_string_equal(t.processes[0], "?");
	r = &t.requests[1];
	assert_int_equal(r->bin, BIN_IN_FLIGHT);
	assert_false(r->measured);
	assert_int_equal(r->q_ns, GEN_START + 2000);
	assert_int_equal(r->d_ns, GEN_START + 2100);
	assert_int_equal(r->c_ns, 0);
	assert_int_equal(r->backend_q_ns, 0);
	assert_int_equal(r->stages[STAGE_Q2C], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it),
		cmocka_unit_test(parts_of_it),
	};

	msg_silent = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
