// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random storage stacks under random guests, see stacks.h: no latency is wrong, in no
 * trace, and no request is in a wrong bin.  It may be ambiguous only where another one
 * was at its place (or flushes overlapped), and lost only where something was lost in its
 * time, or in that of one that it shared its place with.
 *
 *	build/test/test_parse_stacks		1,000 traces
 *	SEEDS=10000 ...				so many, as make check-long has
 *	SEED=17 SEEDS=1 ...			this one
 *	STACKS=plain,mirror ...			only these shapes, see shape_names
 *	TRAITS=same,rings ...			only these besides, see trait_names;
 *						"none": none of them
 *	IOS=30 ...				fewer of them in each trace
 *	CUTS=100 STEP=1 ...			so many small traces cut off at each byte
 *
 * To let a join grow: TRAITS=none first, then one trait after the other, then all.  Each
 * trace has only some of the traits that it may have, and says which.  Of what is wrong
 * the request's right times are shown (of each bio of the backend's: Q, 0-Q2D, end), and
 * all records that are of it.  In the end there is for each stack how many requests there
 * were, and what part of them shared its place, was ambiguous or lost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "stacks_right.h"
#include "stacks_told.h"

#define CUT_IOS 60 /* of a trace that is cut off at many places: some rounds of it */

static uint64_t first_seed = 1, seeds = 1000;
static uint64_t seed_now;
/* Requests, and of these those whose bin says less than could be known, see is_doubt(). */
static struct {
	uint64_t requests, cautious;
} doubts[2]; /* of traces without and with losses */
static uint64_t threads;
static uint64_t cuts = 4, cut_step = 13, nr_cuts, cut_latencies;

/* The address sanitizer calls it before it says what it found. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	print_how(seed_now);
}

static void check_request(void *ctx, const struct xblk_request *r)
{
	struct check *c = ctx;
	struct answer *a = find(&c->stacks, r);
	bool lossy = has(c, 1u << TRAIT_LOSS);
	int64_t sum = 0;
	enum bin bin;

	/* Behind the cut one in flight may have come back, and been merged with another. */
	if (!a && !(c->broken && r->bin == BIN_IN_FLIGHT))
		wrong(c, NULL, r, "there is no such request");
	if (!a)
		return;
	bin = right_bin(a);
	if (c->broken) {
		if (wrong_latency(a, r, bin))
			wrong(c, a, r, "latency");
		cut_latencies += r->measured;
		return;
	}
	tally_of(a->stack)->bins[r->bin]++;
	tally_of(a->stack)->contested += a->contested;
	/* The parts of one that was issued before the trace are told of each. */
	if (a->seen++ && !a->touched && !(a->unseen && a->part_c_ns))
		wrong(c, a, r, "told twice");
	for (int i = 0; i < STAGE_PARTS; i++)
		sum += r->stages[i];
	if (r->measured && sum != r->stages[STAGE_Q2C])
		wrong(c, a, r, "the sum");
	doubts[lossy].requests++;
	if (r->bin != bin && !may_be(c, a, r->bin) && !until_told(a, r->bin) &&
	    is_doubt(c, a, r->bin)) {
		doubts[lossy].cautious++;
		return;
	}
	/* Under way at both ends of the trace. */
	if (r->bin != bin && !may_be(c, a, r->bin) && !until_told(a, r->bin) &&
	    !(bin == BIN_BEFORE_TRACE && !a->c_ns && r->bin == BIN_IN_FLIGHT))
		wrong(c, a, r, bin_names[bin]);
	else if (wrong_latency(a, r, bin))
		wrong(c, a, r, "latency");
	else if (r->measured && !right_thread(a, r))
		wrong(c, a, r, "thread");
	else if (!right_backend(c, a, r))
		wrong(c, a, r, "what dom0 did");
	if (r->measured && r->backend_thread_ns)
		threads++;
}

/* What was issued or came back within the trace is told of. */
static void check_all_told(struct check *c)
{
	for (size_t i = 1; i <= c->stacks.nr; i++) {
		struct answer *a = &c->stacks.answers[i];
		bool within = (a->nr_ds && a->d_ns[a->nr_ds - 1] >= GEN_START) ||
			      a->c_ns >= GEN_START;

		if (within && !a->seen && !a->touched)
			wrong(c, a, NULL, "not told");
	}
}

/* Also when all losses have been told of. */
static void check_bins_at_end(struct check *c)
{
	uint64_t bins[BIN_MAX] = {0}, no_backend = 0, before = 0;

	for (size_t i = 0; i < c->parse.model.nr_disks; i++) {
		for (int b = 0; b < BIN_MAX; b++)
			bins[b] += stats_of(c->parse.model.all_disks[i])->bins[b];
	}
	for (size_t i = 1; i <= c->stacks.nr; i++) {
		no_backend += c->stacks.answers[i].no_backend;
		before += c->stacks.answers[i].unseen;
	}
	if (bins[BIN_MALFORMED] || (bins[BIN_INCOMPLETE] && !hides(c)) ||
	    bins[BIN_EVICTED] || bins[BIN_NOT_SERVED] || bins[BIN_CLOCK_CHANGE])
		wrong(c, NULL, NULL, "the bins at the end");
	if (bins[BIN_NO_BACKEND_IO] > no_backend)
		wrong(c, NULL, NULL, "more without I/O at the end");
	if (bins[BIN_BEFORE_TRACE] > 2 * before && !hides(c))
		wrong(c, NULL, NULL, "more of before the trace at the end");
}

/* Where the last chunk of one of its streams is. */
static size_t last_chunk(const struct gen *g, uint64_t nr)
{
	const struct gen_stream *s = &g->streams[nr % g->nr_streams];
	size_t last = 0, at = sizeof(struct xblk_trace_header);
	struct xblk_chunk c;

	for (; at < g->len; at += sizeof(c) + (c.payload + 31) / 32 * 32) {
		memcpy(&c, g->data + at, sizeof(c));
		if (c.type == XBLK_CHUNK_DATA && c.domid == s->domid && c.cpu == s->cpu)
			last = at;
	}
	return last;
}

/* A chunk is damaged behind which no other of its stream tells; or the trace is cut off. */
static void break_end(struct check *c)
{
	struct gen *g = &c->stacks.gen;

	if (c->seed % 2)
		g->data[last_chunk(g, c->seed / 2) + sizeof(struct xblk_chunk)] ^= 1;
	else
		c->bytes.len -= c->bytes.len * (1 + c->seed % 9) / 11 + c->seed % 64;
}

/* The trace is read, all of it or what break_end() left of it. */
static void run_check(struct check *c)
{
	uint64_t before = c->wrong;

	parse_init(&c->parse, read_bytes, &c->bytes);
	c->parse.tally.on_request = check_request;
	c->parse.tally.ctx = c;
	parse_run(&c->parse);
	if (c->parse.problems != c->broken)
		wrong(c, NULL, NULL,
		      c->broken ? "nothing is said" : "the trace has problems");
	if (!c->broken)
		check_all_told(c);
	check_bins_at_end(c);
	if (c->wrong > before && c->wrong > MAX_TOLD)
		print_message(" and %" PRIu64 " more\n", c->wrong - MAX_TOLD);
	parse_deinit(&c->parse);
}

static void make_trace(struct check *c, unsigned int nr)
{
	seed_now = c->seed;
	stacks_make(&c->stacks, c->seed, shapes, traits, nr);
	c->end_ns = GEN_START + c->stacks.end_ns - c->stacks.begin_ns;
	c->bytes.data = c->stacks.gen.data;
	c->bytes.len = c->stacks.gen.len;
}

static void run_seed(uint64_t seed, bool broken)
{
	struct check c = {.seed = seed, .broken = broken};

	make_trace(&c, ios);
	if (broken)
		break_end(&c);
	run_check(&c);
	wrong_seeds += c.wrong != 0;
	stacks_deinit(&c.stacks);
}

/* One trace that is cut off at each of its bytes; behind the padding of its end nothing
 * is missing. */
static void run_cuts(uint64_t seed)
{
	struct check c = {.seed = seed, .broken = true};

	make_trace(&c, CUT_IOS);
	for (size_t len = 0; len <= c.stacks.gen.len - 32; len += cut_step) {
		nr_cuts++;
		c.bytes.data = malloc(len + !len); /* so that a sanitizer sees its end */
		assert_non_null(c.bytes.data);
		memcpy((uint8_t *)c.bytes.data, c.stacks.gen.data, len);
		c.bytes.len = len;
		c.bytes.pos = 0;
		run_check(&c);
		free((uint8_t *)c.bytes.data);
	}
	wrong_seeds += c.wrong != 0;
	stacks_deinit(&c.stacks);
}

static void any_stack(void **ctx)
{
	(void)ctx;
	msg_silent = true;
	for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++)
		run_seed(seed, false);
	print_tallies();
	if (wrong_seeds)
		print_message("%" PRIu64 " of %" PRIu64 " traces are wrong\n",
			      wrong_seeds, seeds);
	for (int lossy = 0; lossy < 2; lossy++)
		print_message("%" PRIu64 " of %" PRIu64
			      " requests in doubt longer than needed, of traces with%s "
			      "losses\n",
			      doubts[lossy].cautious, doubts[lossy].requests,
			      lossy ? "" : "out");
	print_message("%" PRIu64 " times of threads, %" PRIu64 " clones, %" PRIu64
		      " in flight in dom0\n",
		      threads, clones, in_flight);
	assert_int_equal(wrong_seeds, 0);
	/* Of a thousand: in traces without losses nearly all are flushes. */
	if (seeds >= 1000) {
		assert_true(doubts[0].cautious * 1000 <= 12 * doubts[0].requests);
		assert_true(doubts[1].cautious * 1000 <= 40 * doubts[1].requests);
	}
}

static void from_environment(const char *name, uint64_t *to)
{
	const char *text = getenv(name);

	if (text)
		*to = strtoull(text, NULL, 10);
}

/* What is missing at the end makes no latency wrong, and puts nothing into another bin. */
static void broken_end(void **ctx)
{
	(void)ctx;
	msg_silent = true;
	wrong_seeds = 0;
	for (uint64_t seed = first_seed; seed < first_seed + (seeds + 3) / 4; seed++)
		run_seed(seed, true);
	assert_int_equal(wrong_seeds, 0);
}

/* Wherever a trace is cut off, each latency is right that is still told. */
static void cut_off(void **ctx)
{
	(void)ctx;
	msg_silent = true;
	wrong_seeds = cut_latencies = 0;
	for (uint64_t seed = first_seed; seed < first_seed + cuts; seed++)
		run_cuts(seed);
	print_message("%" PRIu64 " cuts, %" PRIu64 " latencies\n", nr_cuts,
		      cut_latencies);
	assert_int_equal(wrong_seeds, 0);
	if (cuts >= 4)
		assert_true(cut_latencies > 0);
}

/* A list of names, with commas between them. */
static unsigned int names_from_environment(const char *name, const char *const *names,
					   unsigned int nr, unsigned int all)
{
	const char *text = getenv(name);
	unsigned int set = 0;

	if (!text)
		return all;
	while (*text && strcmp(text, "none")) {
		size_t len = strcspn(text, ",");
		unsigned int i;

		for (i = 0; i < nr; i++) {
			if (strlen(names[i]) == len && !strncmp(names[i], text, len))
				break;
		}
		if (i == nr) {
			fprintf(stderr, "%s: there is no \"%s\"\n", name, text);
			exit(2);
		}
		set |= 1u << i;
		text += len + (text[len] == ',');
	}
	return set;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_stack),
		cmocka_unit_test(broken_end),
		cmocka_unit_test(cut_off),
	};
	uint64_t nr = ios;

	from_environment("SEED", &first_seed);
	from_environment("SEEDS", &seeds);
	from_environment("CUTS", &cuts);
	from_environment("STEP", &cut_step);
	from_environment("IOS", &nr);
	ios = nr;
	shapes = names_from_environment("STACKS", shape_names, SHAPE_MAX, shapes);
	traits = names_from_environment("TRAITS", trait_names, TRAIT_MAX, traits);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
