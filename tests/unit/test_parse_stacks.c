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
#include "stacks.h"
#include "test_parse_util.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_STACKS     128
#define MAX_TOLD       5  /* requests of a trace that are shown */
#define MAX_SEEDS_TOLD 10 /* traces of which some are */
#define CUT_IOS	       60 /* of a trace that is cut off at many places: some rounds of it */

struct tally_of {
	char stack[STACK_NAME];
	uint64_t bins[BIN_MAX], contested, wrong;
};

struct check {
	struct stacks stacks;
	struct bytes bytes;
	struct parse parse;
	uint64_t seed, wrong;
	bool broken;	 /* something is missing at the end of the trace */
	uint64_t end_ns; /* of the trace, by the clock of dom0's records */
};

static struct tally_of tallies[MAX_STACKS];
static unsigned int shapes = (1u << SHAPE_MAX) - 1, traits = (1u << TRAIT_MAX) - 1;
static unsigned int ios = 250;
static uint64_t first_seed = 1, seeds = 1000;
static uint64_t seed_now, wrong_seeds;
/* Requests, and of these those whose bin says less than could be known, see is_doubt(). */
static struct {
	uint64_t requests, cautious;
} doubts[2]; /* of traces without and with losses */
static uint64_t threads, clones, in_flight;
static uint64_t cuts = 4, cut_step = 13, nr_cuts, cut_latencies;

static struct tally_of *tally_of(const char *stack)
{
	unsigned int i;

	for (i = 0; i < MAX_STACKS - 1 && *tallies[i].stack; i++) {
		if (!strcmp(tallies[i].stack, stack))
			break;
	}
	strcpy(tallies[i].stack, stack);
	return &tallies[i];
}

static char letter(unsigned int event)
{
	static const char letters[] = {
#define XBLK_EVENT(number, name, letter, by, fields, id, aux, text) [number] = letter,
#include <xblk/events.def>
	};

	return letters[event];
}

static void print_names(const char *what, const char *const *names, unsigned int nr,
			unsigned int set)
{
	const char *comma = "";

	print_message(" %s=", what);
	for (unsigned int i = 0; i < nr; i++) {
		if (!(set >> i & 1))
			continue;
		print_message("%s%s", comma, names[i]);
		comma = ",";
	}
	if (!*comma)
		print_message("none");
}

/* How to have this trace again. */
static void print_how(uint64_t seed)
{
	print_message("SEED=%" PRIu64 " SEEDS=1 IOS=%u", seed, ios);
	print_names("STACKS", shape_names, SHAPE_MAX, shapes);
	print_names("TRAITS", trait_names, TRAIT_MAX, traits);
	print_message(" build/test/test_parse_stacks\n");
}

/* The address sanitizer calls it before it says what it found. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	print_how(seed_now);
}

static void print_request(const struct check *c, const struct answer *a)
{
	size_t about = a - c->stacks.answers;

	print_message("  %s d%u disk %u op 0x%02x sector %" PRIu64
		      "+%u%s%s%s: Q %" PRId64,
		      a->stack, a->domid, a->disk, a->op, a->sector, a->nr_sectors,
		      a->contested ? " contested" : "", a->touched ? " touched" : "",
		      a->unseen ? " unseen" : "", (int64_t)(a->q_ns - GEN_START));
	for (unsigned int i = 0; i < a->nr_ds; i++)
		print_message(" D %" PRId64, (int64_t)(a->d_ns[i] - GEN_START));
	for (unsigned int i = 0; i < a->nr_bios; i++)
		print_message(" [Q %" PRId64 " +%" PRIu64 " end %" PRId64 "]",
			      (int64_t)(a->bios[i].q_ns - GEN_START),
			      a->bios[i].queued_ns,
			      (int64_t)(a->bios[i].end_ns - GEN_START));
	print_message(" C %" PRId64 "\n", a->c_ns ? (int64_t)(a->c_ns - GEN_START) : -1);
	for (size_t i = 0; i < c->stacks.nr_records; i++) {
		const struct sim_record *e = &c->stacks.records[i];

		if (e->about == about)
			print_message("    %8" PRId64 " d%u/%u %c disk %d op 0x%02x "
				      "%" PRIu64 "+%u id %u aux %u\n",
				      (int64_t)(e->r.time - GEN_START), e->domid, e->cpu,
				      letter(e->r.event),
				      e->r.disk == XBLK_NO_DISK ? -1 : e->r.disk, e->r.op,
				      (uint64_t)e->r.sector, e->r.nr_sectors, e->r.id,
				      e->r.aux);
	}
}

static int64_t since(uint64_t ns)
{
	return ns ? (int64_t)(ns - GEN_START) : -1;
}

/* What is told of dom0's part, and of its clones. */
static void print_backend(const struct xblk_request *r)
{
	print_message("; dom0 Q %" PRId64 " D %" PRId64 " C %" PRId64
		      " error %u, %s Q %" PRId64 " C %" PRId64 " +%" PRIu64
		      " of %u bios, %u clones",
		      since(r->backend_q_ns), since(r->backend_d_ns),
		      since(r->backend_c_ns), r->backend_error, r->lowest_disk,
		      since(r->lowest_q_ns), since(r->lowest_c_ns), r->lowest_requeued_ns,
		      r->lowest_nr_bios, r->nr_clones);
	for (unsigned int i = 0; i < r->nr_clones && i < XBLK_CLONES; i++)
		print_message(" [%u %s Q %" PRId64 " D %" PRId64 " C %" PRId64
			      " +%" PRIu64 " error %u]",
			      r->clones[i].level, r->clones[i].disk,
			      since(r->clones[i].q_ns), since(r->clones[i].d_ns),
			      since(r->clones[i].c_ns), r->clones[i].requeued_ns,
			      r->clones[i].error);
}

static void wrong(struct check *c, const struct answer *a, const struct xblk_request *r,
		  const char *what)
{
	if (!c->wrong++) {
		print_how(c->seed);
		print_message(" it has");
		print_names("traits", trait_names, TRAIT_MAX, c->stacks.traits);
		for (size_t i = 0; i < c->stacks.nr_losses; i++)
			print_message("%s d%u %" PRId64 "..%" PRId64,
				      i ? "," : "\n lost:", c->stacks.losses[i].domid,
				      (int64_t)(c->stacks.losses[i].from - GEN_START),
				      (int64_t)(c->stacks.losses[i].until - GEN_START));
		print_message("\n");
	}
	if (a)
		tally_of(a->stack)->wrong++;
	if (c->wrong > MAX_TOLD || wrong_seeds >= MAX_SEEDS_TOLD)
		return;
	print_message(" wrong: %s", what);
	if (r)
		print_message(": d%u disk %u op 0x%02x sector %" PRIu64 " %s, D %" PRId64
			      " C %" PRId64,
			      r->domid, r->disk_index, r->op, r->sector,
			      bin_names[r->bin], (int64_t)(r->d_ns - GEN_START),
			      (int64_t)(r->c_ns - GEN_START));
	for (int i = 0; r && r->measured && i < STAGE_PARTS; i++)
		print_message(" %s %" PRId64, stage_names[i], r->stages[i]);
	if (r && r->backend_q_ns)
		print_backend(r);
	print_message("\n");
	if (a)
		print_request(c, a);
}

static bool has_d(const struct answer *a, uint64_t ns)
{
	for (unsigned int i = 0; i < a->nr_ds; i++) {
		if (a->d_ns[i] == ns)
			return true;
	}
	return false;
}

/* By its D; where that is not in the trace, by its C. */
static struct answer *find(struct stacks *s, const struct xblk_request *r)
{
	struct answer *by_c = NULL;

	for (size_t i = 1; i <= s->nr; i++) {
		struct answer *a = &s->answers[i];

		if (a->domid != r->domid || a->disk != r->disk_index)
			continue;
		if (a->sector == r->sector && has_d(a, r->d_ns))
			return a;
		if (r->c_ns && (a->c_ns == r->c_ns || a->part_c_ns == r->c_ns))
			by_c = a;
	}
	return by_c;
}

/*
 * A flush of several disks: that of each ends with its flush request or a little later,
 * so that several may be the one that ended last; or it is followed only as far as to a
 * layer that makes flushes of its own.
 */
static bool many_flushes(const struct answer *a)
{
	return !a->nr_sectors &&
	       (strstr(a->stack, "mirror") || strstr(a->stack, "stripe") ||
		strstr(a->stack, "cut") || strstr(a->stack, "raid0"));
}

/* The stages of the bio of the backend's that ended last; several may have. */
static bool right_stages(const struct answer *a, const int64_t *stages)
{
	uint64_t last = 0, d = a->d_ns[a->nr_ds - 1];

	for (unsigned int i = 0; i < a->nr_bios; i++)
		last = a->bios[i].end_ns > last ? a->bios[i].end_ns : last;
	for (unsigned int i = 0; i < 2 * a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i / 2];
		uint64_t end = i % 2 ? b->other_end_ns : b->end_ns;

		if (b->end_ns == last && end &&
		    stages[STAGE_U_Q2D] == (int64_t)(d - a->q_ns) &&
		    stages[STAGE_U_T] == (int64_t)(b->q_ns - d) &&
		    (stages[STAGE_0_Q2D] == (int64_t)b->queued_ns || many_flushes(a)) &&
		    stages[STAGE_0_D2C] ==
			    (int64_t)(end - b->q_ns) - stages[STAGE_0_Q2D] &&
		    stages[STAGE_0_T] == (int64_t)(a->c_ns - end))
			return true;
	}
	return false;
}

/* When the thread went about the slot that the bio is of is known, or not told. */
static bool right_thread(const struct answer *a, const struct xblk_request *r)
{
	for (unsigned int i = 0; i < a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i];

		if (b->q_ns == r->backend_q_ns)
			return r->backend_thread_ns == b->thread_ns ||
			       !r->backend_thread_ns;
	}
	return false;
}

static bool has(const struct check *c, unsigned int trait_bits)
{
	return c->stacks.traits & trait_bits;
}

/* What the trace does not have, though nothing says so: the beginning, names, an order. */
static bool hides(const struct check *c)
{
	return c->broken ||
	       has(c, 1u << TRAIT_LOSS | 1u << TRAIT_MIDDLE | 1u << TRAIT_OLD |
			      1u << TRAIT_BLIND | 1u << TRAIT_CLOCK);
}

static bool is_disk(struct check *c, unsigned int index, const char *label)
{
	const struct disk *disk = domain_disk(c->parse.model.backend, index);

	return disk && !strcmp(disk->label, label);
}

static bool ended_at(const struct answer_clone *c, uint64_t ns)
{
	return c->c_ns == ns || (c->other_c_ns && c->other_c_ns == ns);
}

static bool is_at(struct check *c, const struct answer_clone *a,
		  const struct xblk_clone *t)
{
	return is_disk(c, a->disk, t->disk) && a->sector == t->sector &&
	       a->nr_sectors == t->nr_sectors;
}

/*
 * Whether a layer's flush may have ended with the lower one that was issued at @d_ns:
 * each has two ends, its flush request's and, a little later, its own, and which is the
 * last one of all may differ with these.
 */
static bool right_leg(const struct answer_bio *b, const struct answer_clone *a,
		      uint64_t d_ns)
{
	uint64_t last_ns = 0, ns = 0;

	for (size_t i = 0; i < b->nr_clones; i++) {
		const struct answer_clone *leg = &b->clones[i];

		if (!leg->lowest || leg->level <= a->level || leg->c_ns > a->c_ns)
			continue;
		if (leg->d_ns == a->d_ns)
			last_ns = leg->other_c_ns;
		if (leg->d_ns == d_ns)
			ns = leg->other_c_ns;
	}
	return last_ns && ns >= last_ns;
}

/*
 * Whether @t is told of @a: all of it, or what was by the end of the trace.  By which
 * flush request one was served is known only where that is told.
 */
static bool right_clone(struct check *c, const struct answer_bio *b,
			const struct answer_clone *a, const struct xblk_clone *t,
			bool flush)
{
	bool untold = flush && c->stacks.traits & (1u << TRAIT_OLD | 1u << TRAIT_BLIND);

	if (!a->level || a->level != t->level)
		return false;
	if (untold || t->c_ns) {
		if (!is_at(c, a, t) || a->q_ns != t->q_ns)
			return false;
		if (untold)
			return !t->d_ns && (t->c_ns ? a->c_ns == t->c_ns : a->lowest);
		return ended_at(a, t->c_ns) &&
		       (a->d_ns == t->d_ns || (flush && right_leg(b, a, t->d_ns))) &&
		       a->again_ns == t->requeued_ns && a->requeues == t->requeues &&
		       a->error == t->error;
	}
	if (a->c_ns < c->end_ns || a->made_ns >= c->end_ns)
		return false;
	/* It had not come to its last disk. */
	if (a->q_ns >= c->end_ns)
		return !t->d_ns &&
		       (a->disk != a->first_disk ? is_disk(c, a->first_disk, t->disk)
						 : is_at(c, a, t) && !t->q_ns);
	if (!is_at(c, a, t) || (t->q_ns && a->q_ns != t->q_ns))
		return false;
	return a->in_parts || !a->lowest ||
	       t->d_ns == (a->d_ns < c->end_ns ? a->d_ns : 0);
}

/* What is told of the bio's clones; of one in flight, of those that there are. */
static bool right_clones(struct check *c, const struct answer_bio *b,
			 const struct xblk_request *r)
{
	bool used[256] = {false};
	unsigned int nr = 0;

	for (size_t i = 0; i < b->nr_clones; i++)
		nr += b->clones[i].level && b->clones[i].made_ns < c->end_ns;
	if (nr != r->nr_clones || b->nr_clones > ARRAY_SIZE(used))
		return false;
	for (unsigned int t = 0; t < nr && t < XBLK_CLONES; t++) {
		size_t i = 0;

		while (i < b->nr_clones &&
		       (used[i] ||
			!right_clone(c, b, &b->clones[i], &r->clones[t], !r->nr_sectors)))
			i++;
		if (i == b->nr_clones)
			return false;
		used[i] = true;
		clones++;
	}
	return true;
}

/* The lowest device's part, from which the layers' and the queue's follow. */
static bool right_lowest(struct check *c, const struct answer_bio *b,
			 const struct xblk_request *r)
{
	for (size_t i = 0; i < b->nr_clones; i++) {
		const struct answer_clone *a = &b->clones[i];

		if (a->lowest && is_disk(c, a->disk, r->lowest_disk) &&
		    a->q_ns == r->lowest_q_ns && a->c_ns == r->lowest_c_ns &&
		    a->d_ns == r->backend_d_ns && a->again_ns == r->lowest_requeued_ns &&
		    a->requeues == r->lowest_requeues &&
		    (a->nr_bios == r->lowest_nr_bios || (hides(c) && !r->lowest_nr_bios)))
			return true;
	}
	return false;
}

/* It had not come back: how far the bio was. */
static bool right_so_far(struct check *c, const struct answer_bio *b,
			 const struct xblk_request *r)
{
	const struct answer_clone *self = &b->clones[b->nr_clones - 1];

	in_flight++;
	if (r->backend_c_ns)
		return b->end_ns == r->backend_c_ns && right_lowest(c, b, r);
	if (b->end_ns < c->end_ns)
		return false;
	return !*r->lowest_disk || self->q_ns >= c->end_ns ||
	       (is_disk(c, self->disk, r->lowest_disk) && self->q_ns == r->lowest_q_ns &&
		(!r->backend_d_ns || self->in_parts || self->d_ns == r->backend_d_ns));
}

/* What is told of blkback's bio, if any is, is of one, and what it was. */
static bool right_backend(struct check *c, const struct answer *a,
			  const struct xblk_request *r)
{
	bool failed = false;

	/* What failed of one from before the trace may be what had to be done again. */
	if (r->backend_error && a->unseen && a->contested)
		return true;

	for (unsigned int i = 0; i < a->nr_bios; i++) {
		for (size_t n = 0; n < a->bios[i].nr_clones; n++)
			failed |= a->bios[i].clones[n].error;
	}
	if (r->measured && r->backend_error != (failed ? 5 : 0))
		return false;
	for (unsigned int i = 0; i < a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i];

		if (b->q_ns != r->backend_q_ns)
			continue;
		return right_clones(c, b, r) &&
		       (!r->measured ? right_so_far(c, b, r)
				     : !r->nr_sectors || right_lowest(c, b, r));
	}
	return !r->backend_q_ns;
}

/*
 * How many bios of the backend contradict the clock, and whether that is so of the last;
 * by the other end of each if it has one (@other).
 */
static unsigned int contradictions(const struct answer *a, bool other, bool *of_last)
{
	unsigned int nr = 0;
	uint64_t last = 0;

	for (unsigned int i = 0; i < a->nr_bios; i++) {
		const struct answer_bio *b = &a->bios[i];
		uint64_t end = other && b->other_end_ns ? b->other_end_ns : b->end_ns;
		bool bad = b->q_ns < a->d_ns[a->nr_ds - 1] || end > a->c_ns;

		nr += bad;
		if (b->end_ns >= last)
			*of_last = bad;
		last = b->end_ns > last ? b->end_ns : last;
	}
	return nr;
}

/* A bin that a loss explains when it is told of: in the end nothing may be in it. */
static bool until_told(const struct answer *a, enum bin bin)
{
	return a->touched && (bin == BIN_MALFORMED || bin == BIN_INCOMPLETE ||
			      bin == BIN_NO_BACKEND_IO || bin == BIN_BEFORE_TRACE);
}

/*
 * Its ring and its order there tell it from all others at its place: the trace has all of
 * them, and no layer sends on later what it got, in another order, or as parts of which
 * one may be another request's.
 */
static bool told_apart(const struct check *c, const struct answer *a)
{
	const unsigned int untold = 1u << TRAIT_OLD | 1u << TRAIT_BLIND |
				    1u << TRAIT_GAPS | 1u << TRAIT_OWN |
				    1u << TRAIT_SLOTS | 1u << TRAIT_CLOCK |
				    1u << TRAIT_MIDDLE | 1u << TRAIT_LOSS;

	return a->nr_sectors && !has(c, untold) && !strstr(a->stack, "defer") &&
	       !strstr(a->stack, "crypt") && !strstr(a->stack, "stripe") &&
	       !strstr(a->stack, "raid0") && !strstr(a->stack, "cut/") &&
	       !strstr(a->stack, "mirror/");
}

/* A flush's bio has two ends, of which the clock may contradict one. */
static bool joined_by_other_end(const struct answer *a)
{
	bool of_last = true;

	if (a->q_ns < GEN_START || !a->c_ns)
		return false;
	contradictions(a, true, &of_last);
	return !of_last;
}

/* What it may be in, besides where it has to be. */
static bool may_be(const struct check *c, const struct answer *a, enum bin bin)
{
	bool of_last;

	switch (bin) {
	case BIN_LOST:
		return a->touched;
	case BIN_AMBIGUOUS:
		return (a->contested && !told_apart(c, a)) || a->touched || a->first;
	case BIN_BEFORE_TRACE:
		return a->unseen;
	case BIN_CAUSALITY:
		return contradictions(a, false, &of_last);
	case BIN_JOINED:
		return joined_by_other_end(a);
	case BIN_NO_BACKEND_IO:
		return a->no_backend && a->unseen;
	case BIN_INCOMPLETE:
		return a->contested && a->unseen;
	default:
		return false;
	}
}

static enum bin right_bin(const struct answer *a)
{
	bool of_last = false;

	if (a->q_ns < GEN_START)
		return BIN_BEFORE_TRACE;
	if (!a->c_ns)
		return BIN_IN_FLIGHT;
	if (a->no_backend)
		return BIN_NO_BACKEND_IO;
	contradictions(a, false, &of_last);
	return of_last ? BIN_CAUSALITY : BIN_JOINED;
}

/*
 * A doubt outlives its reason, or has one that the answer does not know.  A reader does
 * not know when what was lost would have come, nor, at the beginning, which flushes were
 * under way, or which of those at a place the ones were that a bio may have been of.
 * Which flush did what is told by little of what is recorded of flushes.  Where orders are
 * not told, or parts that a layer has cut off are told apart by their places, one that
 * went wrong leaves in doubt all that are at its place, and what goes on behind them.
 */
static bool is_doubt(const struct check *c, const struct answer *a, enum bin bin)
{
	switch (bin) {
	case BIN_LOST:
		return has(c, 1u << TRAIT_LOSS);
	case BIN_BEFORE_TRACE:
		return (!a->nr_sectors || a->contested) &&
		       has(c, 1u << TRAIT_MIDDLE | 1u << TRAIT_LOSS);
	case BIN_AMBIGUOUS:
		return !a->nr_sectors || strstr(a->stack, "cut/") ||
		       has(c, 1u << TRAIT_LOSS | 1u << TRAIT_GAPS | 1u << TRAIT_OLD |
				      1u << TRAIT_BLIND | 1u << TRAIT_SLOTS);
	case BIN_INCOMPLETE:
		return hides(c);
	default:
		return false;
	}
}

static bool wrong_latency(const struct answer *a, const struct xblk_request *r,
			  enum bin bin)
{
	return r->measured && (bin == BIN_BEFORE_TRACE || !right_stages(a, r->stages));
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

static void print_tally(const struct tally_of *t)
{
	uint64_t rest = 0, all = 0;
	double part;

	for (int b = 0; b < BIN_MAX; b++) {
		all += t->bins[b];
		if (b != BIN_JOINED && b != BIN_AMBIGUOUS && b != BIN_LOST)
			rest += t->bins[b];
	}
	part = all ? 100.0 / all : 0;
	print_message("%-16s %9" PRIu64 " %9" PRIu64 " %9.3f%% %9.3f%% %9.3f%% %8" PRIu64
		      " %8" PRIu64 "\n",
		      t->stack, all, t->bins[BIN_JOINED], part * t->contested,
		      part * t->bins[BIN_AMBIGUOUS], part * t->bins[BIN_LOST], rest,
		      t->wrong);
}

static void print_tallies(void)
{
	struct tally_of sum = {.stack = "all"};

	print_message("%-16s %9s %9s %10s %10s %10s %8s %8s\n", "stack", "requests",
		      "joined", "shared", "ambiguous", "lost", "other", "wrong");
	for (unsigned int i = 0; i < MAX_STACKS && *tallies[i].stack; i++) {
		print_tally(&tallies[i]);
		for (int b = 0; b < BIN_MAX; b++)
			sum.bins[b] += tallies[i].bins[b];
		sum.contested += tallies[i].contested;
		sum.wrong += tallies[i].wrong;
	}
	print_tally(&sum);
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
