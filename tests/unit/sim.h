/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Machines that are played: a backend domain and guests, whose CPUs run pieces of
 * code at times of a common clock and record what the tracers would.  What the
 * code is, see stacks.h; here are time, identities, and how a trace is made of
 * all that was recorded: from a beginning to an end, with clocks a little off and
 * with records lost.
 *
 * A piece of code runs in one go, though its time passes: what several CPUs use has
 * to carry the time from which on it can be had.
 */
#ifndef XBLK_TEST_SIM_H
#define XBLK_TEST_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_gen.h"

#define SIM_CPUS    4 /* of each domain */
#define SIM_GUESTS  3
#define SIM_DOMAINS (1 + SIM_GUESTS)

struct sim;

/* Code that runs on a CPU. */
struct run {
	struct sim *sim;
	unsigned int domid, cpu;
	uint32_t pid;
	uint64_t ns;	    /* how far it is */
	unsigned int about; /* the request that it is for, 0: none */
};

typedef void (*sim_fn)(struct run *run, void *what);

struct sim_event {
	struct run run;
	uint64_t nr;
	sim_fn fn;
	void *what;
};

struct sim_record {
	struct xblk_record r;
	unsigned int domid, cpu, about;
	size_t nr;
};

/* Records of @domid that the trace lacks, as it tells, in times of records. */
struct sim_loss {
	unsigned int domid;
	uint64_t from, until;
	bool late; /* told later than with the next record */
};

/* Identities: the one that became free last is taken first. */
struct sim_ids {
	struct sim_free {
		uint32_t id;
		uint64_t ns;
	} * free;
	size_t nr, room;
	uint32_t used;
};

struct sim {
	uint64_t random;
	struct sim_event *heap;
	size_t nr_events, room_events;
	uint64_t events; /* so far */
	uint64_t last_ns[SIM_DOMAINS][SIM_CPUS];
	struct sim_record *records;
	size_t nr, room;
	struct sim_ids bios[SIM_DOMAINS], rqs[SIM_DOMAINS];
	int64_t off_ns[SIM_DOMAINS]; /* how wrong a domain's clock is */
	struct sim_loss *losses;
	size_t nr_losses, room_losses;
};

void sim_deinit(struct sim *s);

uint64_t sim_random(struct sim *s, uint64_t below);
/* True in so many of a thousand cases. */
bool sim_chance(struct sim *s, unsigned int of_1000);
/* An array with room for one more than @nr. */
void *sim_more(void *array, size_t nr, size_t *room, size_t size);

/* The backend's domid is 0, the first guest's this one. */
#define SIM_FIRST_GUEST 3
unsigned int sim_domain(unsigned int domid);

uint32_t sim_take_id(struct sim *s, struct sim_ids *ids, uint64_t ns);
void sim_give_id(struct sim_ids *ids, uint32_t id, uint64_t ns);

/* @fn runs on the CPU at @ns, or as soon as that has time. */
void sim_at(struct sim *s, unsigned int domid, unsigned int cpu, uint32_t pid,
	    uint64_t ns, sim_fn fn, void *what);
/* On any CPU of the domain that @run is on, within @most from now on. */
void sim_later(struct run *run, uint32_t pid, uint64_t most, sim_fn fn, void *what);
/* All that is planned, and what that plans. */
void sim_run(struct sim *s);
/* Here it can be interrupted: what else the CPU has to do by now is done before it goes
 * on. */
void sim_give_way(struct run *run);

/* It takes some time, up to @most. */
void sim_spend(struct run *run, uint64_t most);
/* Return: when it happened, which is no other record's time in this domain. */
uint64_t sim_record(struct run *run, unsigned int event, unsigned int disk,
		    unsigned int op, uint64_t sector, uint32_t nr, uint32_t id,
		    uint32_t aux);
/* The same at the time of the one before, on its CPU. */
void sim_record_with(struct run *run, unsigned int event, unsigned int disk,
		     unsigned int op, uint64_t sector, uint32_t nr, uint32_t id,
		     uint32_t aux);

/* By time, and those of one time by @nr. */
void sim_sort(struct sim_record *records, size_t nr);

/* A time of a domain's records that is @ns of the played time. */
uint64_t sim_stamp(const struct sim *s, unsigned int domid, uint64_t begin, uint64_t ns);
/*
 * What was recorded from @begin to @end goes into @g, whose time begins with @begin.
 * @name: of a thread.  @losses: so many at most in each stream.
 */
void sim_write(struct sim *s, struct gen *g, uint64_t begin, uint64_t end,
	       unsigned int losses,
	       const char *(*name)(void *ctx, unsigned int domid, uint32_t pid,
				   bool *kernel),
	       void *ctx);

#endif
