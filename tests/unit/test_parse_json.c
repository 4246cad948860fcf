// SPDX-License-Identifier: GPL-2.0-only
/* The summary as JSON. */
#include "printed_json.h"
#include "trace_fixture.h"

static const struct filter all;
static struct outcome o;
static struct printed p;
static json_t *j, *disk; /* all of it; what is of the first disk, if any is */

/* Read the trace, and what is printed of it. */
static void read_json(const struct filter *filter)
{
	run(&o, g.data, g.len);
	j = printed_json(&p, &o, filter);
	disk = json_array_get(json_object_get(j, "disks"), 0);
}

static void forget_json(void)
{
	json_decref(j);
	printed_deinit(&p);
	parse_deinit(&o.parse);
}

/* The members that xblkparse(1) promises are there, of the busy disk and of idle ones. */
static void json_members(void **ctx)
{
	static const char *const top[] = {"version",	  "format",
					  "requests",	  "joined",
					  "not_chosen",	  "records",
					  "records_lost", "causality_violations",
					  "disks",	  "streams"};
	static const char *const of_disk[] = {
		"by_operation", "by_size",  "by_process", "by_process_others",
		"bands",	"timeline", "slowest",	  "in_flight",
		"flush_waits",	"stages",   "histograms", "merges"};
	json_t *d;
	size_t i;

	(void)ctx;
	one_read(&g);
	read_json(&all);
	for (size_t k = 0; k < ARRAY_SIZE(top); k++)
		assert_non_null(json_object_get(j, top[k]));
	json_array_foreach (json_object_get(j, "disks"), i, d) {
		for (size_t k = 0; k < ARRAY_SIZE(of_disk); k++)
			assert_non_null(json_object_get(d, of_disk[k]));
	}
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(json_object_get(disk, "by_operation"), "read"),
			"count")),
		1);
	assert_int_equal(json_array_size(json_object_get(disk, "bands")), BANDS);
	assert_int_equal(json_array_size(json_object_get(disk, "slowest")), 1);
	forget_json();
}

/* How much was merged is not known of the side that did not record it. */
static void json_no_merges(void **ctx)
{
	static const char *const names[] = {"back_merges", "front_merges",
					    "request_merges"};
	static const char meta[] = "{\"backend\": {\"domid\": 0, \"merges\": false}}";
	json_t *merges;

	(void)ctx;
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, sizeof(meta) - 1);
	one(&g, 1000002000, XBLK_OP_READ, 64, 8);
	gen_end(&g, 1100000000);
	read_json(&all);
	merges = json_object_get(disk, "merges");
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		assert_true(json_is_null(
			json_object_get(json_object_get(merges, "backend"), names[k])));
		assert_true(json_is_integer(
			json_object_get(json_object_get(merges, "guest"), names[k])));
	}
	forget_json();
}

/* It is written piece by piece, and is what jansson prints of the whole of it. */
static void json_as_a_whole(void **ctx)
{
	static const struct filter none = {.disks = {1, {{"none"}}}};
	static const struct filter *const filters[] = {&all, &none};

	(void)ctx;
	one_read(&g);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		char *whole;

		read_json(filters[i]);
		assert_int_equal(json_array_size(json_object_get(j, "disks")) > 0,
				 i == 0);
		whole = json_dumps(j, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
		assert_non_null(whole);
		assert_int_equal(strlen(whole) + 1, p.len);
		assert_memory_equal(whole, p.text, p.len - 1);
		assert_int_equal(p.text[p.len - 1], '\n');
		free(whole);
		forget_json();
	}
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
	json_t *r;

	(void)ctx;
	gen_process(&g, GEN_GUEST, 1, 10, 500, "fio", 0);
	one(&g, 1000, XBLK_OP_READ, 64, 8);
	GUEST(30000, QUEUE, READ, 128, 8, 3, 500);
	GUEST(31000, ISSUE, READ, 128, 8, 101, 3);
	DOM0(32000, QUEUE, READ, 128, 8, 4, GEN_KTHREAD);
	DOM0(33000, ISSUE, READ, 128, 8, 201, 4);
	GUEST(34000, QUEUE, READ, 256, 8, 5, 500);
	GUEST(35000, ISSUE, READ, 256, 8, 102, 5);
	gen_end(&g, 1000000);
	read_json(&all);
	for (size_t k = 0; k < 3 * ARRAY_SIZE(known); k++) {
		const char *name = known[k / 3];
		json_t *of = k % 3 ? json_object_get(json_object_get(disk, "in_flight"),
						     "oldest")
				   : json_object_get(disk, "slowest");

		r = json_object_get(json_array_get(of, k % 3 == 2), name);
		assert_non_null(r);
		assert_int_equal(json_is_null(r),
				 k % 3 == 2 && strcmp(name, "clone_times"));
	}
	r = json_array_get(json_object_get(json_object_get(disk, "in_flight"), "oldest"),
			   0);
	assert_int_equal(json_integer_value(json_object_get(r, "backend_queued_ns")),
			 32000);
	assert_int_equal(json_integer_value(json_object_get(r, "backend_issued_ns")),
			 33000);
	assert_true(json_is_null(json_object_get(r, "backend_completed_ns")));
	forget_json();
}

/* 10,000 requests of 4 KiB a second, each for 15 us: also in the last, short interval. */
static void json_rates(void **ctx)
{
	static const char *const sides[] = {"guest", "backend"};
	const uint64_t end = 600400000;
	json_t *t;
	size_t nr;

	(void)ctx;
	for (uint64_t ns = 0; ns + 100000 <= end; ns += 100000)
		one(&g, ns, XBLK_OP_READ, 64, 8);
	gen_end(&g, end);
	read_json(&all);
	t = json_object_get(disk, "timeline");
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
	forget_json();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRACE_TEST(json_members),   TRACE_TEST(json_as_a_whole),
		TRACE_TEST(json_no_merges), TRACE_TEST(json_backend),
		TRACE_TEST(json_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
