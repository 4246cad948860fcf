/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is shown of the requests that are wrong, and how to have their trace again; and in
 * the end, for each stack, how many requests there were, in which bins.
 */
#ifndef XBLK_TEST_STACKS_TOLD_H
#define XBLK_TEST_STACKS_TOLD_H

#include <inttypes.h>

#include "stacks_check.h"

#define MAX_STACKS     128
#define MAX_TOLD       5  /* requests of a trace that are shown */
#define MAX_SEEDS_TOLD 10 /* traces of which some are */

struct tally_of {
	char stack[STACK_NAME];
	uint64_t bins[BIN_MAX], contested, wrong;
};

static struct tally_of tallies[MAX_STACKS];
/* What traces there are. */
static unsigned int shapes = (1u << SHAPE_MAX) - 1, traits = (1u << TRAIT_MAX) - 1;
static unsigned int ios = 250;
static uint64_t wrong_seeds;

static inline struct tally_of *tally_of(const char *stack)
{
	unsigned int i;

	for (i = 0; i < MAX_STACKS - 1 && *tallies[i].stack; i++) {
		if (!strcmp(tallies[i].stack, stack))
			break;
	}
	strcpy(tallies[i].stack, stack);
	return &tallies[i];
}

static inline char letter(unsigned int event)
{
	static const char letters[] = {
#define XBLK_EVENT(number, name, letter, by, fields, id, aux, text) [number] = letter,
#include <xblk/events.def>
	};

	return letters[event];
}

static inline void print_names(const char *what, const char *const *names,
			       unsigned int nr, unsigned int set)
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
static inline void print_how(uint64_t seed)
{
	print_message("SEED=%" PRIu64 " SEEDS=1 IOS=%u", seed, ios);
	print_names("STACKS", shape_names, SHAPE_MAX, shapes);
	print_names("TRAITS", trait_names, TRAIT_MAX, traits);
	print_message(" build/test/test_parse_stacks\n");
}

static inline void print_request(const struct check *c, const struct answer *a)
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

static inline int64_t since(uint64_t ns)
{
	return ns ? (int64_t)(ns - GEN_START) : -1;
}

/* What is told of dom0's part, and of its clones. */
static inline void print_backend(const struct xblk_request *r)
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

static inline void wrong(struct check *c, const struct answer *a,
			 const struct xblk_request *r, const char *what)
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

static inline void print_tally(const struct tally_of *t)
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

static inline void print_tallies(void)
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

#endif /* XBLK_TEST_STACKS_TOLD_H */
