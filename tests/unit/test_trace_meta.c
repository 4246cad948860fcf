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
#include "xblk/record.h"

static char *argv[] = {"xblktrace", "-d", "caf\xc3\xa9", "-o", "not\xffutf8", NULL};
static const struct options opts = {.argc = 5, .argv = argv};

static struct backing disks[] = {
	{.major = 253, .minor = 1, .name = "dm-1", .part_of = -1},
	{.major = 259, .name = "nvme0n1", .scheduler = "none", .part_of = 0},
};
static struct backing_table backing = {.entries = disks, .nr = 2};

static struct dom0_cpu cpus[] = {
	{.produced = 10, .lost = 3, .stream = {.records = 7}},
	{.produced = UINT32_MAX + 5ull,
	 .stream = {.cpu = 1, .records = UINT32_MAX + 5ull}},
};
static const struct dom0 dom0 = {
	.cpus = cpus,
	.nr_cpus = 2,
	.clock_uncertainty_ns = 256,
	.clock = XBLK_CLOCK_TSC,
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
static struct domain domains[] = {
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
	 .clock = XBLK_CLOCK_XEN,
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

/* All that there is to tell. */
static char *whole_meta(void)
{
	meta_forget(&facts);
	return meta_text(&facts);
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
	json_t *json = parse(whole_meta());

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
	is_text(json, "backend.clock", "tsc");
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
	is_text(json, "guests.0.clock", "xen");
	is_number(json, "guests.0.xenrelay.ring_kib", 512);
	assert_true(json_is_true(at(json, "guests.0.xenrelay.contiguous")));
	is_number(json, "guests.0.disks.0.index", 0);
	is_number(json, "guests.0.disks.0.devid", 268441856);
	is_text(json, "guests.0.disks.0.params", "/dev/?\"");
	is_text(json, "guests.0.disks.0.dev", "259:2");
	is_number(json, "guests.0.disks.0.backend_disk", 1);
	is_number(json, "guests.0.disks.0.start_sector", 1ll << 33);
	assert_int_equal(json_array_size(at(json, "guests")), 1);
	assert_null(json_object_get(json, "ops"));
	assert_null(json_object_get(at(json, "backend"), "merges"));
	assert_null(json_object_get(at(json, "guests.0"), "merges"));
	json_decref(json);
}

/* Of each side that records no merges, whatever was asked for. */
static void test_no_merges(void **state)
{
	struct dom0 dom0 = *facts.dom0;
	struct capture_facts without = facts;
	json_t *json;

	(void)state;
	dom0.no_merges = true;
	without.dom0 = &dom0;
	meta_forget(&without);
	json = parse(meta_text(&without));
	assert_true(json_is_false(at(json, "backend.merges")));
	assert_null(json_object_get(at(json, "guests.0"), "merges"));
	json_decref(json);
	facts.guests[0].no_merges = true;
	meta_forget(&facts);
	json = parse(meta_text(&facts));
	facts.guests[0].no_merges = false;
	assert_null(json_object_get(at(json, "backend"), "merges"));
	assert_true(json_is_false(at(json, "guests.0.merges")));
	json_decref(json);
}

/* It is said what was recorded if that is not everything. */
static void test_chosen(void **state)
{
	struct options chosen = opts;
	struct capture_facts some = facts;
	json_t *json;

	(void)state;
	chosen.ops = XBLK_OP_BIT(READ) | XBLK_OP_BIT(FLUSH);
	some.opts = &chosen;
	meta_forget(&some);
	json = parse(meta_text(&some));
	is_text(json, "ops.0", "read");
	is_text(json, "ops.1", "flush");
	assert_int_equal(json_array_size(at(json, "ops")), 2);
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
	meta_forget(&early);
	json = parse(meta_text(&early));
	assert_int_equal(json_array_size(at(json, "guests")), 2);
	assert_null(json_object_get(at(json, "guests.0"), "nr_rings"));
	is_text(json, "guests.1.name", "never connected");
	json_decref(json);
}

/* Each is told once, and again when it is another. */
static void test_news(void **state)
{
	json_t *json;

	(void)state;
	free(whole_meta());
	assert_false(meta_has_news(&facts));
	disks[1].told = false;
	assert_true(meta_has_news(&facts));
	json = parse(meta_text(&facts));
	is_number(json, "backend.disks.0.index", 1);
	assert_int_equal(json_array_size(at(json, "backend.disks")), 1);
	assert_int_equal(json_array_size(at(json, "guests")), 0);
	json_decref(json);
	assert_false(meta_has_news(&facts));

	guest_disks[0].told = false;
	assert_true(meta_has_news(&facts));
	json = parse(meta_text(&facts));
	assert_int_equal(json_array_size(at(json, "backend.disks")), 0);
	is_number(json, "guests.0.disks.0.devid", 268441856);
	json_decref(json);

	guests[0].told = false;
	assert_true(meta_has_news(&facts));
	json = parse(meta_text(&facts));
	is_number(json, "guests.0.nr_rings", 1);
	assert_int_equal(json_array_size(at(json, "guests.0.disks")), 0);
	json_decref(json);

	/* What has gone or was never traced is nothing to tell of. */
	guest_disks[0].told = false;
	guest_disks[0].gone = true;
	assert_false(meta_has_news(&facts));
	guest_disks[0].gone = false;
	guest_disks[0].left_out = true;
	assert_false(meta_has_news(&facts));
	guest_disks[0].left_out = false;
	guests[1].expected = true;
	free(whole_meta());
	assert_true(guests[1].told);
	guests[1].expected = false;
}

/* A guest that is no more is told of once, by META or else by END. */
static void test_guest_ends(void **state)
{
	json_t *json;

	(void)state;
	free(whole_meta());
	guests[0].gone = true;
	assert_true(meta_has_news(&facts));
	json = parse(end_text(&facts, "interrupted", 1, false, 0));
	is_number(json, "streams.0.domid", 3);
	is_number(json, "events_sent.0.domid", 3);
	json_decref(json);

	json = parse(meta_text(&facts));
	assert_int_equal(json_array_size(at(json, "guests")), 0);
	is_number(json, "ended.streams.0.domid", 3);
	is_number(json, "ended.streams.0.written", 100);
	is_number(json, "ended.streams.0.lost", 23);
	is_number(json, "ended.events_sent.0.events", 2);
	json_decref(json);
	assert_false(meta_has_news(&facts));
	assert_true(guests[0].end_told);

	/* Until it is in the trace it may have to be told once more, in another file. */
	json = parse(end_text(&facts, "interrupted", 1, false, 0));
	is_number(json, "streams.0.domid", 3);
	json_decref(json);
	meta_forget(&facts);
	assert_false(guests[0].end_told);
	guests[0].end_told = true;
	guests[0].end_at = 1;
	meta_forget(&facts);
	assert_true(guests[0].end_told);
	json = parse(end_text(&facts, "interrupted", 1, false, 0));
	is_number(json, "streams.0.domid", 0);
	assert_int_equal(json_array_size(at(json, "events_sent")), 0);
	json_decref(json);
	guests[0].gone = guests[0].end_told = false;
	guests[0].end_at = 0;
}

static void fill(char *to, size_t size)
{
	memset(to, '"', size - 1);
	to[size - 1] = '\0';
}

#define MANY_GUESTS 1024
#define MANY_DISKS  4096

/* As much as can be traced, with the longest names, fits chunks. */
static void test_many(void **state)
{
	struct disk *many_disks = calloc(MANY_DISKS, sizeof(*many_disks));
	struct domain *many_domains = calloc(MANY_GUESTS, sizeof(*many_domains));
	struct guest *many_guests = calloc(MANY_GUESTS, sizeof(*many_guests));
	struct backing *devices = calloc(MANY_DISKS, sizeof(*devices));
	struct backing_table table = {.entries = devices, .nr = MANY_DISKS};
	struct capture_facts many = {
		.opts = &opts,
		.backing = &table,
		.dom0 = &dom0,
		.guests = many_guests,
		.nr_guests = MANY_GUESTS,
	};
	unsigned int i, nr_devices = 0, nr_disks = 0, nr_texts = 0;

	(void)state;
	for (i = 0; i < MANY_DISKS; i++) {
		fill(many_disks[i].name, sizeof(many_disks[i].name));
		fill(many_disks[i].params, sizeof(many_disks[i].params));
		fill(devices[i].name, sizeof(devices[i].name));
		many_disks[i].devid = many_disks[i].major = UINT32_MAX;
		many_disks[i].start_sector = 1ull << 62;
	}
	for (i = 0; i < MANY_GUESTS; i++) {
		many_domains[i] = (struct domain){
			.domid = i, .disks = &many_disks[4 * i], .nr_disks = 4};
		fill(many_domains[i].name, sizeof(many_domains[i].name));
		many_guests[i].domain = &many_domains[i];
	}
	while (meta_has_news(&many)) {
		char *text = meta_text(&many);
		json_t *json, *guest;
		size_t g;

		assert_in_range(strlen(text), 1, XBLK_CHUNK_MAX_PAYLOAD);
		json = parse(text);
		nr_devices += json_array_size(at(json, "backend.disks"));
		json_array_foreach (at(json, "guests"), g, guest) {
			/* A disk's device has been told before. */
			assert_int_equal(nr_devices, MANY_DISKS);
			nr_disks += json_array_size(at(guest, "disks"));
		}
		json_decref(json);
		nr_texts++;
	}
	assert_int_equal(nr_devices, MANY_DISKS);
	assert_int_equal(nr_disks, MANY_DISKS);
	assert_in_range(nr_texts, 2, 16);
	free(many_disks);
	free(many_domains);
	free(many_guests);
	free(devices);
}

static void test_end(void **state)
{
	json_t *json = parse(end_text(&facts, "timeout", 1ull << 40, false, 0));

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

/* What earlier files have said is not said again, and what is not read yet is the next
 * one's. */
static void test_end_of_a_file(void **state)
{
	struct guest_ring *ring = &facts.guests[0].rings[0];
	struct guest_ring before = *ring;
	json_t *json;

	(void)state;
	/* 123 were produced: 60 written and 20 lost in an earlier file; two are unread. */
	ring->stream.produced_before = 80;
	ring->stream.lost_before = 20;
	ring->stream.records = 39;
	ring->stream.marks = 1;
	json = parse(end_text(&facts, "rotated", 1, true, 0));
	is_number(json, "streams.0.written", 38);
	is_number(json, "streams.0.lost", 3);
	is_number(json, "streams.0.marks", 1);
	is_number(json, "streams.0.produced", 41);
	json_decref(json);
	json = parse(end_text(&facts, "timeout", 1, false, 0));
	is_number(json, "streams.0.written", 38);
	is_number(json, "streams.0.lost", 3);
	is_number(json, "streams.0.produced", 43);
	json_decref(json);
	*ring = before;
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
	json = parse(end_text(&facts, "timeout", 1, false, 0));
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
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_no_merges),
		cmocka_unit_test(test_first_meta),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_guest_ends),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_end_of_a_file),
		cmocka_unit_test(test_end_of_a_liar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
