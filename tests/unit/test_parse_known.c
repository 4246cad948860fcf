// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces whose right result is known, of every shape that a request has: the
 * parser finds exactly that.  With records lost it may find less, and says of
 * each request that it does not that something was lost; what it finds is right.
 */
#include "known.h"
#include "sinks/verify.h"
#include "test_parse_util.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
	struct known known;
	struct bytes bytes;
	union {
		struct xblk x;
		struct parse parse;
	};
	struct verify verify;
	uint64_t measured, wrong, bins[BIN_MAX];
};

static void wrong(struct check *c, const struct xblk_request *r, const char *what)
{
	if (c->wrong++ < 10)
		print_message("disk %u, sector %" PRIu64 ", op %u, D at %" PRIu64
			      ": %s\n",
			      r->disk_index, r->sector, r->op,
			      (uint64_t)(r->d_ns - GEN_START), what);
}

static void check_request(void *ctx, const struct xblk_request *r)
{
	struct check *c = ctx;
	struct known_request *k;

	c->bins[r->bin]++;
	verify_request(&c->verify, r);
	if (r->bin != BIN_JOINED)
		return;
	c->measured++;
	k = known_find(&c->known, r->disk_index, r->sector, r->d_ns);
	if (!k || k->seen) {
		wrong(c, r, k ? "found twice" : "there is no such request");
		return;
	}
	k->seen = true;
	for (int i = 0; i < STAGE_PARTS; i++) {
		if (r->stages[i] != (int64_t)(k->times[i + 1] - k->times[i]))
			wrong(c, r, stage_names[i]);
	}
}

/* Counts that are taken in different places agree, also where records are missing. */
static void check_verified(const struct check *c)
{
	static const char *const checks[] = {"bins", "done", "waypoints"};
	char *text, line[32];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	verify_print(out, &c->verify, &c->x);
	fclose(out);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		snprintf(line, sizeof(line), "ok    %s ", checks[i]);
		if (!strstr(text, line))
			fail_msg("%s", text);
	}
	free(text);
}

static void run_known(struct check *c, uint64_t seed, unsigned int shapes,
		      unsigned int lose)
{
	memset(c, 0, sizeof(*c));
	known_make(&c->known, seed, shapes, lose);
	c->bytes.data = c->known.gen.data;
	c->bytes.len = c->known.gen.len;
	msg_silent = true;
	parse_init(&c->parse, read_bytes, &c->bytes);
	c->parse.tally.on_request = check_request;
	c->parse.tally.ctx = c;
	verify_init(&c->verify);
	parse_run(&c->parse);
	check_verified(c);
	if (c->wrong)
		print_message("seed %" PRIu64 ": %" PRIu64 " wrong\n", seed, c->wrong);
	assert_false(c->parse.problems);
	assert_int_equal(c->wrong, 0);
}

static void known_done(struct check *c)
{
	verify_deinit(&c->verify);
	parse_deinit(&c->parse);
	known_deinit(&c->known);
}

static void nothing_lost(void **ctx)
{
	struct check c;

	(void)ctx;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t own = 0;

		run_known(&c, seed, 2000, 0);
		assert_int_equal(c.measured, c.known.nr);
		for (int b = 0; b < BIN_MAX; b++)
			assert_true(b == BIN_JOINED || !c.bins[b]);
		for (unsigned int i = 0; i < 3; i++)
			own += counts_of(domain_disk(c.parse.model.backend, i))->own_bios;
		assert_int_equal(own, c.known.own_bios);
		known_done(&c);
	}
}

static void records_lost(void **ctx)
{
	static const unsigned int rates[] = {100, 1000, 20000};
	struct check c;

	(void)ctx;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct account a;
		uint64_t bins[BIN_MAX] = {0};

		run_known(&c, seed, 2000, rates[seed % ARRAY_SIZE(rates)]);
		parse_account(&c.parse, NULL, &a);
		assert_int_equal(a.lost, c.known.dropped);
		/* The verdicts at the end: a loss can be told of late. */
		for (size_t i = 0; i < c.parse.model.nr_disks; i++) {
			for (int b = 0; b < BIN_MAX; b++)
				bins[b] += stats_of(c.parse.model.all_disks[i])->bins[b];
		}
		for (int b = 0; b < BIN_MAX; b++) {
			if (b != BIN_JOINED && b != BIN_LOST && bins[b])
				print_message("seed %" PRIu64 ": %" PRIu64 " %s\n", seed,
					      bins[b], bin_names[b]);
			assert_true(b == BIN_JOINED || b == BIN_LOST || !bins[b]);
		}
		known_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost),
		cmocka_unit_test(records_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
