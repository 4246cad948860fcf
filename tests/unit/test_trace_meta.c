// SPDX-License-Identifier: GPL-2.0-only
/*
 * The JSON chunks: what xblk/trace.h promises is there, with the right types,
 * whatever bytes names and arguments are made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "../../xblktrace/meta.h"

static char *argv[] = {"xblktrace", "-d", "caf\xc3\xa9", "-o", "not\xffutf8", NULL};
static const struct options opts = {.argc = 5, .argv = argv};

static struct backing disks[] = {
	{.major = 253, .minor = 1, .name = "dm-1", .part_of = -1},
	{.major = 259, .name = "nvme0n1", .scheduler = "none", .part_of = 0},
};
static const struct backing_table backing = {.entries = disks, .nr = 2};

static struct dom0_cpu cpus[] = {
	{.produced = 10, .lost = 3, .stream = {.records = 7}},
	{.produced = UINT32_MAX + 5ull,
	 .stream = {.cpu = 1, .records = UINT32_MAX + 5ull}},
};
static const struct dom0 dom0 = {
	.cpus = cpus,
	.nr_cpus = 2,
	.clock_uncertainty_ns = 256,
	.probes = "make_response  xen_blkif_be_int ",
};

static struct disk guest_disks[] = {
	{.devid = 268441856,
	 .name = "xvdz",
	 .params = "/dev/\xff\"",
	 .major = 259,
	 .minor = 2,
	 .backing = 1,
	 .start_sector = 1ull << 33},
};
static const struct domain domains[] = {
	{.domid = 3, .name = "web", .uuid = "u", .disks = guest_disks, .nr_disks = 1},
	{.domid = 4, .name = "never connected"},
};
static struct guest_ring rings[] = {
	{.stream = {.domid = 3, .records = 100},
	 .stats = {.produced = 100, .lost = 20, .lost_nmi = 3}},
};
static struct guest guests[] = {
	{.domain = &domains[0],
	 .properties =
		 {.nr_rings = 1, .ring_kib = 512, .contiguous = true, .clock_ns = 1300},
	 .rings = rings,
	 .nr_streams = 1,
	 .probes = "blkif_interrupt",
	 .probes_told = true,
	 .events = 2},
	{.domain = &domains[1]},
};

static struct capture_facts facts = {
	.opts = &opts,
	.backing = &backing,
	.dom0 = &dom0,
	.domains = domains,
	.guests = guests,
	.nr_guests = 2,
	.connected_only = true,
};

/* A value by a path as "guests.0.disks.0.name". */
static json_t *at(json_t *json, const char *path)
{
	char copy[128], *rest = copy, *word;

	strcpy(copy, path);
	while (json && (word = strsep(&rest, ".")))
		json = json_is_array(json) ? json_array_get(json, atoi(word))
					   : json_object_get(json, word);
	if (!json)
		fail_msg("no %s", path);
	return json;
}

static void is_number(json_t *json, const char *path, json_int_t want)
{
	assert_true(json_is_integer(at(json, path)));
	assert_int_equal(json_integer_value(at(json, path)), want);
}

static void is_text(json_t *json, const char *path, const char *want)
{
	assert_true(json_is_string(at(json, path)));
	assert_string_equal(json_string_value(at(json, path)), want);
}

static json_t *parse(char *text)
{
	json_t *json;

	assert_non_null(text);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(text);
	return json;
}

static void test_meta(void **state)
{
	json_t *json = parse(meta_text(&facts));

	(void)state;
	assert_non_null(strstr(json_string_value(at(json, "tool")), "xblktrace "));
	assert_true(json_is_string(at(json, "host")));
	assert_true(json_is_string(at(json, "kernel")));
	assert_true(json_is_string(at(json, "xen")));
	is_text(json, "argv.2", "caf\xc3\xa9");
	is_text(json, "argv.4", "not?utf8");

	is_number(json, "backend.domid", 0);
	is_number(json, "backend.nr_cpus", 2);
	is_number(json, "backend.clock_uncertainty_ns", 256);
	is_text(json, "backend.probes.0", "make_response");
	is_text(json, "backend.probes.1", "xen_blkif_be_int");
	assert_int_equal(json_array_size(at(json, "backend.probes")), 2);
	is_text(json, "backend.disks.0.dev", "253:1");
	is_text(json, "backend.disks.0.name", "dm-1");
	assert_true(json_is_null(at(json, "backend.disks.0.scheduler")));
	assert_true(json_is_null(at(json, "backend.disks.0.part_of")));
	is_text(json, "backend.disks.1.scheduler", "none");
	is_number(json, "backend.disks.1.part_of", 0);

	is_number(json, "guests.0.domid", 3);
	is_text(json, "guests.0.name", "web");
	is_text(json, "guests.0.uuid", "u");
	is_number(json, "guests.0.nr_rings", 1);
	is_text(json, "guests.0.probes.0", "blkif_interrupt");
	is_number(json, "guests.0.clock_uncertainty_ns", 1300);
	is_number(json, "guests.0.xenrelay.ring_kib", 512);
	assert_true(json_is_true(at(json, "guests.0.xenrelay.contiguous")));
	is_number(json, "guests.0.disks.0.index", 0);
	is_number(json, "guests.0.disks.0.devid", 268441856);
	is_text(json, "guests.0.disks.0.params", "/dev/?\"");
	is_text(json, "guests.0.disks.0.dev", "259:2");
	is_number(json, "guests.0.disks.0.backend_disk", 1);
	is_number(json, "guests.0.disks.0.start_sector", 1ll << 33);
	assert_int_equal(json_array_size(at(json, "guests")), 1);
	json_decref(json);
}

/* Before anyone is connected all are named, without what is not known yet. */
static void test_first_meta(void **state)
{
	struct guest unconnected[] = {{.domain = &domains[0]}, {.domain = &domains[1]}};
	struct capture_facts early = facts;
	json_t *json;

	(void)state;
	early.connected_only = false;
	early.guests = unconnected;
	json = parse(meta_text(&early));
	assert_int_equal(json_array_size(at(json, "guests")), 2);
	assert_null(json_object_get(at(json, "guests.0"), "nr_rings"));
	is_text(json, "guests.1.name", "never connected");
	json_decref(json);
}

static void test_end(void **state)
{
	json_t *json = parse(end_text(&facts, "timeout", 1ull << 40));

	(void)state;
	is_text(json, "reason", "timeout");
	is_number(json, "duration_ns", 1ll << 40);
	assert_int_equal(json_array_size(at(json, "streams")), 3);
	is_number(json, "streams.0.domid", 3);
	is_number(json, "streams.0.cpu", 0);
	is_number(json, "streams.0.produced", 123);
	is_number(json, "streams.0.written", 100);
	is_number(json, "streams.0.lost", 23);
	is_number(json, "streams.1.domid", 0);
	is_number(json, "streams.1.produced", 10);
	is_number(json, "streams.1.written", 7);
	is_number(json, "streams.1.lost", 3);
	is_number(json, "streams.2.cpu", 1);
	is_number(json, "streams.2.produced", UINT32_MAX + 5ll);
	is_number(json, "events_sent.0.domid", 3);
	is_number(json, "events_sent.0.events", 2);
	assert_int_equal(json_array_size(at(json, "events_sent")), 1);
	json_decref(json);
}

/* Counts that no honest guest has: the others' account stays as it is. */
static void test_end_of_a_liar(void **state)
{
	struct guest_ring *ring = &facts.guests[0].rings[0];
	struct xenrelay_ring_stats honest = ring->stats;
	json_t *json;

	(void)state;
	ring->stats.lost = 1ull << 63;
	ring->stats.produced = UINT64_MAX;
	json = parse(end_text(&facts, "timeout", 1));
	ring->stats = honest;
	is_number(json, "streams.0.lost", INT64_MAX);
	is_number(json, "streams.0.produced", INT64_MAX);
	assert_int_equal(json_array_size(at(json, "streams")), 3);
	is_number(json, "streams.1.produced", 10);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meta),
		cmocka_unit_test(test_first_meta),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_of_a_liar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
