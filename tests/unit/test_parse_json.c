// SPDX-License-Identifier: GPL-2.0-only
/* The summary as JSON. */
#include <jansson.h>

#include "printed.h"
#include "sinks/output.h"

/* The members that xblkparse(1) promises are there, of the busy disk and of idle ones. */
static void json_members(void **ctx)
{
	static const struct filter all;
	static const char *const top[] = {"version",	  "format",
					  "requests",	  "joined",
					  "not_chosen",	  "records",
					  "records_lost", "causality_violations",
					  "disks",	  "streams"};
	static const char *const disk[] = {
		"by_operation", "by_size",  "by_process", "by_process_others",
		"bands",	"timeline", "slowest",	  "in_flight",
		"flush_waits",	"stages",   "histograms", "merges"};
	struct printed p;
	struct outcome o;
	struct gen g;
	json_t *j, *d;
	size_t i;

	(void)ctx;
	generate(&g);
	run(&o, g.data, g.len);
	printed_init(&p);
	assert_true(json_print(p.out, &o.x, &all));
	fflush(p.out);
	j = json_loads(p.text, 0, NULL);
	assert_non_null(j);
	for (size_t k = 0; k < ARRAY_SIZE(top); k++)
		assert_non_null(json_object_get(j, top[k]));
	json_array_foreach (json_object_get(j, "disks"), i, d) {
		for (size_t k = 0; k < ARRAY_SIZE(disk); k++)
			assert_non_null(json_object_get(d, disk[k]));
	}
	d = json_array_get(json_object_get(j, "disks"), 0);
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(json_object_get(d, "by_operation"), "read"),
			"count")),
		1);
	assert_int_equal(json_array_size(json_object_get(d, "bands")), BANDS);
	assert_int_equal(json_array_size(json_object_get(d, "slowest")), 1);
	json_decref(j);
	printed_deinit(&p);
	done(&o, &g);
}

/* How much was merged is not known of the side that did not record it. */
static void json_no_merges(void **ctx)
{
	static const char *const names[] = {"back_merges", "front_merges",
					    "request_merges"};
	static const char meta[] = "{\"backend\": {\"domid\": 0, \"merges\": false}}";
	static const struct filter all;
	struct printed p;
	struct outcome o;
	struct gen g;
	json_t *j, *merges;

	(void)ctx;
	gen_init(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, sizeof(meta) - 1);
	one(&g, 1000002000, XBLK_OP_READ, 64, 8);
	gen_end(&g, 1100000000);
	run(&o, g.data, g.len);
	printed_init(&p);
	assert_true(json_print(p.out, &o.x, &all));
	fflush(p.out);
	j = json_loads(p.text, 0, NULL);
	merges =
		json_object_get(json_array_get(json_object_get(j, "disks"), 0), "merges");
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		assert_true(json_is_null(
			json_object_get(json_object_get(merges, "backend"), names[k])));
		assert_true(json_is_integer(
			json_object_get(json_object_get(merges, "guest"), names[k])));
	}
	json_decref(j);
	printed_deinit(&p);
	done(&o, &g);
}

/* It is written piece by piece, and is what jansson prints of the whole of it. */
static void json_as_a_whole(void **ctx)
{
	static const struct filter all, none = {.disks = {1, {{"none"}}}};
	static const struct filter *const filters[] = {&all, &none};
	struct outcome o;
	struct gen g;

	(void)ctx;
	generate(&g);
	run(&o, g.data, g.len);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct printed p;
		char *whole;
		json_t *j;

		printed_init(&p);
		assert_true(json_print(p.out, &o.x, filters[i]));
		fflush(p.out);
		j = json_loads(p.text, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(j);
		assert_int_equal(json_array_size(json_object_get(j, "disks")) > 0,
				 i == 0);
		whole = json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
		assert_non_null(whole);
		assert_int_equal(strlen(whole) + 1, p.len);
		assert_memory_equal(whole, p.text, p.len - 1);
		assert_int_equal(p.text[p.len - 1], '\n');
		free(whole);
		json_decref(j);
		printed_deinit(&p);
	}
	done(&o, &g);
}

static double value_at(const json_t *side, const char *key, size_t i)
{
	const json_t *v = json_array_get(json_object_get(side, key), i);

	assert_non_null(v);
	return json_number_value(v);
}

/* What dom0 did is there of the slowest, and of what hangs in it as far as it is known. */
static void json_backend(void **ctx)
{
	static const char *const known[] = {"backend_pid",
					    "backend_comm",
					    "backend_failed",
					    "backend_error",
					    "backend_queued_ns",
					    "backend_issued_ns",
					    "lowest_disk",
					    "lowest_queued_ns",
					    "lowest_requeues",
					    "lowest_bios",
					    "clones",
					    "clone_times"};
	static const struct filter all;
	struct printed p;
	struct outcome o;
	struct gen g;
	json_t *j, *d, *r;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, GEN_GUEST, 1, 10, 500, "fio", 0);
	one(&g, 1000, XBLK_OP_READ, 64, 8);
	GUEST(30000, QUEUE, READ, 128, 8, 3, 500);
	GUEST(31000, ISSUE, READ, 128, 8, 101, 3);
	DOM0(32000, QUEUE, READ, 128, 8, 4, GEN_KTHREAD);
	DOM0(33000, ISSUE, READ, 128, 8, 201, 4);
	GUEST(34000, QUEUE, READ, 256, 8, 5, 500);
	GUEST(35000, ISSUE, READ, 256, 8, 102, 5);
	gen_end(&g, 1000000);
	run(&o, g.data, g.len);
	printed_init(&p);
	assert_true(json_print(p.out, &o.x, &all));
	fflush(p.out);
	j = json_loads(p.text, 0, NULL);
	assert_non_null(j);
	d = json_array_get(json_object_get(j, "disks"), 0);
	for (size_t k = 0; k < 3 * ARRAY_SIZE(known); k++) {
		const char *name = known[k / 3];
		json_t *of =
			k % 3 ? json_object_get(json_object_get(d, "in_flight"), "oldest")
			      : json_object_get(d, "slowest");

		r = json_object_get(json_array_get(of, k % 3 == 2), name);
		assert_non_null(r);
		assert_int_equal(json_is_null(r),
				 k % 3 == 2 && strcmp(name, "clone_times"));
	}
	r = json_array_get(json_object_get(json_object_get(d, "in_flight"), "oldest"), 0);
	assert_int_equal(json_integer_value(json_object_get(r, "backend_queued_ns")),
			 32000);
	assert_int_equal(json_integer_value(json_object_get(r, "backend_issued_ns")),
			 33000);
	assert_true(json_is_null(json_object_get(r, "backend_completed_ns")));
	json_decref(j);
	printed_deinit(&p);
	done(&o, &g);
}

/* 10,000 requests of 4 KiB a second, each for 15 us: also in the last, short interval. */
static void json_rates(void **ctx)
{
	static const char *const sides[] = {"guest", "backend"};
	static const struct filter all;
	const uint64_t end = 600400000;
	struct printed p;
	struct outcome o;
	struct gen g;
	json_t *j, *t;
	size_t nr;

	(void)ctx;
	gen_init(&g);
	for (uint64_t ns = 0; ns + 100000 <= end; ns += 100000)
		one(&g, ns, XBLK_OP_READ, 64, 8);
	gen_end(&g, end);
	run(&o, g.data, g.len);
	printed_init(&p);
	assert_true(json_print(p.out, &o.x, &all));
	fflush(p.out);
	j = json_loads(p.text, 0, NULL);
	assert_non_null(j);
	t = json_object_get(json_array_get(json_object_get(j, "disks"), 0), "timeline");
	nr = json_integer_value(json_object_get(t, "intervals"));
	assert_in_range(nr, 2, TIMELINE_INTERVALS);
	assert_in_range(json_integer_value(json_object_get(t, "last_interval_ns")), 1,
			json_integer_value(json_object_get(t, "interval_ns")) / 2);
	for (size_t i = 0; i < 2 * nr; i++) {
		const json_t *side = json_object_get(t, sides[i % 2]);
		double iops = value_at(side, "iops", i / 2),
		       rate = value_at(side, "bytes_per_s", i / 2),
		       depth = value_at(side, "depth_q2c", i / 2);

		assert_true(iops > 9000 && iops < 11000);
		assert_true(rate > 4096 * 9000. && rate < 4096 * 11000.);
		assert_true(depth > (i % 2 ? 0.05 : 0.13) &&
			    depth < (i % 2 ? 0.07 : 0.17));
	}
	json_decref(j);
	printed_deinit(&p);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_members),	  cmocka_unit_test(json_as_a_whole),
		cmocka_unit_test(json_no_merges), cmocka_unit_test(json_backend),
		cmocka_unit_test(json_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
