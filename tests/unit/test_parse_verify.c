// SPDX-License-Identifier: GPL-2.0-only
/* --verify: each check, of a trace that is good and of those that break it. */

#include "printed.h"
#include "sinks/verify.h"

static void on_verify(void *user, const struct xblk_event_record *e)
{
	verify_record(user, e);
}

static void on_verify_request(void *user, const struct xblk_request *r)
{
	verify_request(user, r);
}

static struct xblk *open_verify(struct verify *v)
{
	verify_init(v);
	return open_handle((struct xblk_options){
		.user = v, .on_event = on_verify, .on_request = on_verify_request});
}

static bool verified(const uint8_t *data, size_t len, struct printed *p)
{
	struct verify v;
	struct xblk *x = open_verify(&v);
	bool good;

	/* Of what is no trace, nothing more is told. */
	if (!xblk_feed(x, data, len))
		xblk_finish(x);
	printed_init(p);
	good = verify_print(p->out, &v, x);
	verify_deinit(&v);
	xblk_close(x);
	return good;
}

/* One request, and what a fault makes of what was counted of it. */
static void check_fault(void (*fault)(struct verify *v, struct disk_counts *counts),
			const char *line)
{
	struct printed p;
	struct verify v;
	struct xblk *x = open_verify(&v);
	struct gen g;

	generate(&g);
	feed_all(x, g.data, g.len);
	fault(&v, counts_of(domain_disk(model_find(&x->parse.model, GEN_GUEST), 0)));
	printed_init(&p);
	assert_false(verify_print(p.out, &v, x));
	printed_has(&p, line);
	printed_deinit(&p);
	verify_deinit(&v);
	xblk_close(x);
	gen_deinit(&g);
}

static void issued_once_more(struct verify *v, struct disk_counts *counts)
{
	(void)v;
	counts->guest.issued++;
}

static void told_twice(struct verify *v, struct disk_counts *counts)
{
	(void)counts;
	v->requests++;
}

static void sectors_more(struct verify *v, struct disk_counts *counts)
{
	(void)v;
	counts->done[KIND_READ].sectors++;
}

/* Each time is of one clock, and none of them is behind the next. */
static void backwards_in_dom0(struct verify *v, struct disk_counts *counts)
{
	struct xblk_request r = {.q_ns = 1,
				 .d_ns = 2,
				 .c_ns = 9,
				 .backend_q_ns = 4,
				 .backend_d_ns = 3,
				 .backend_c_ns = 5,
				 .measured = true};

	verify_request(v, &r);
	counts->guest.issued++;
	counts->done[KIND_READ].ios++;
}

/* A request of which one waypoint is out of its place. */
static void out_of_place(struct verify *v, struct disk_counts *counts,
			 void (*move)(struct xblk_request *r))
{
	struct xblk_request r = {.q_ns = 10,
				 .first_d_ns = 20,
				 .d_ns = 20,
				 .c_ns = 90,
				 .backend_q_ns = 30,
				 .lowest_q_ns = 32,
				 .backend_d_ns = 40,
				 .lowest_c_ns = 50,
				 .backend_c_ns = 60,
				 .measured = true};

	move(&r);
	verify_request(v, &r);
	counts->guest.issued++;
	counts->done[KIND_READ].ios++;
}

static void first_d_late(struct xblk_request *r)
{
	r->first_d_ns = 21;
}

static void lowest_q_early(struct xblk_request *r)
{
	r->lowest_q_ns = 29;
}

static void lowest_c_late(struct xblk_request *r)
{
	r->lowest_c_ns = 61;
}

static void clone_early(struct xblk_request *r)
{
	r->first_clone_ns = 29;
}

static void first_d_late_fault(struct verify *v, struct disk_counts *counts)
{
	out_of_place(v, counts, first_d_late);
}

static void lowest_q_early_fault(struct verify *v, struct disk_counts *counts)
{
	out_of_place(v, counts, lowest_q_early);
}

static void lowest_c_late_fault(struct verify *v, struct disk_counts *counts)
{
	out_of_place(v, counts, lowest_c_late);
}

static void clone_early_fault(struct verify *v, struct disk_counts *counts)
{
	out_of_place(v, counts, clone_early);
}

/* The checks are of what can differ. */
static void verify_faults(void **ctx)
{
	(void)ctx;
	check_fault(issued_once_more, "FAIL  bins");
	check_fault(told_twice, "FAIL  bins");
	check_fault(sectors_more, "FAIL  done");
	check_fault(backwards_in_dom0, "FAIL  waypoints");
	check_fault(first_d_late_fault, "FAIL  waypoints");
	check_fault(lowest_q_early_fault, "FAIL  waypoints");
	check_fault(lowest_c_late_fault, "FAIL  waypoints");
	check_fault(clone_early_fault, "FAIL  waypoints");
}

static void verify_good(void **ctx)
{
	struct printed p;
	struct gen g;

	(void)ctx;
	generate(&g);
	assert_true(verified(g.data, g.len, &p));
	fflush(p.out);
	assert_null(strstr(p.text, "FAIL"));
	printed_deinit(&p);
	gen_deinit(&g);
}

static void check_bad(struct gen *g, const char *line)
{
	struct printed p;

	assert_false(verified(g->data, g->len, &p));
	printed_has(&p, line);
	printed_deinit(&p);
	gen_deinit(g);
}

/* Each check fails for the trace that breaks it. */
static void verify_bad(void **ctx)
{
	struct gen g, other;

	(void)ctx;
	generate(&g);
	g.len -= 64;
	check_bad(&g, "FAIL  end");

	generate(&g);
	g.data[g.len / 2] ^= 1;
	check_bad(&g, "FAIL  checksums");

	gen_init(&g);
	gen_skip(&g, GEN_GUEST, 1, 7);
	one(&g, 1000, XBLK_OP_READ, 64, 8);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  sequence      7 records missing");

	gen_init(&g);
	one(&g, 100000, XBLK_OP_READ, 64, 8);
	one(&g, 50000, XBLK_OP_READ, 64, 8);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  order");

	gen_init(&g);
	one(&g, 100000, 6, 64, 8);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  records");

	gen_init(&g);
	one(&g, 100000, XBLK_OP_READ, 64, 8);
	g.streams[1].produced += 3;
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  conservation");

	gen_init(&g);
	GUEST(10, ISSUE, READ, 128, 8, 101, 0);
	GUEST(20, COMPLETE, READ, 128, 8, 101, 0);
	GUEST(1000, QUEUE, READ, 64, 8, 1, 500);
	GUEST(1010, ISSUE, READ, 64, 8, 100, 1);
	DOM0(1005, QUEUE, READ, 64, 8, 2, GEN_KTHREAD);
	DOM0(2110, ISSUE, READ, 64, 8, 200, 2);
	DOM0(3000, COMPLETE, READ, 64, 8, 200, 0);
	GUEST(4000, COMPLETE, READ, 64, 8, 100, 0);
	gen_end(&g, 1100000000);
	check_bad(&g, "FAIL  causality");

	generate(&g);
	generate(&other);
	g.data = realloc(g.data, g.len + other.len);
	memcpy(g.data + g.len, other.data, other.len);
	g.len += other.len;
	gen_deinit(&other);
	check_bad(&g, "FAIL  one trace");

	gen_init_bare(&g);
	g.data[0] ^= 1;
	check_bad(&g, "FAIL  header");
}

/* A request was merged after its D, of which there is no record. */
static void verify_no_merges(void **ctx)
{
	struct verify v;
	struct xblk *x = open_verify(&v);
	struct printed p;
	struct domain *guest;
	struct gen g;

	(void)ctx;
	generate(&g);
	feed_all(x, g.data, g.len);
	guest = model_find(&x->parse.model, GEN_GUEST);
	counts_of(domain_disk(guest, 0))->guest.issued++;
	guest->no_merges = true;
	printed_init(&p);
	assert_true(verify_print(p.out, &v, x));
	printed_has(&p, "at most - merged after their D");
	printed_deinit(&p);
	verify_deinit(&v);
	xblk_close(x);
	gen_deinit(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verify_good),
		cmocka_unit_test(verify_bad),
		cmocka_unit_test(verify_faults),
		cmocka_unit_test(verify_no_merges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
