/* SPDX-License-Identifier: GPL-2.0-only */
/* The module xblk-dom0: the tracer of the domain that serves the disks. */
#ifndef XBLKTRACE_DOM0_H
#define XBLKTRACE_DOM0_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "domains.h"
#include "names.h"
#include "writer.h"

/**
 * struct dom0_cpu - the records of one CPU
 * @fd:		its relay file
 * @produced, @lost, @marks: as dom0_read_stats() found them; produced includes lost.  The
 *		module makes the marks, so they count as such of @stream
 */
struct dom0_cpu {
	int fd;
	uint64_t produced;
	uint64_t lost;
	uint64_t marks;
	struct writer_stream stream;
};

/**
 * struct dom0 - the module, held exclusively from dom0_open() to dom0_close()
 * @buffer_bytes: size of one CPU's buffer
 * @version:	of the control protocol, as the module has it; 0 if it does not say
 * @rings_dropped: requests whose ring the module had no room for: their parts of U-T and
 *		0-T are missing
 * @rings_dropped_said: to the user
 * @clock_uncertainty_ns: how exactly it knows Xen's time, at the worst so far
 * @clock_off_said: that this is not exact enough, to the user
 * @clock:	what times its records; "" if it does not say
 * @no_merges:	it records none
 * @probes, @missing: names, separated by spaces
 * @names:	of its threads, as far as records have been moved
 * @stopper:	tells it to stop, if it is @stopping; what came of that is @stop_err
 */
struct dom0 {
	int control;
	int stats;
	int now;
	struct dom0_cpu *cpus;
	unsigned int nr_cpus;
	uint64_t buffer_bytes;
	unsigned int version;
	unsigned int rings_dropped;
	bool rings_dropped_said;
	unsigned int clock_uncertainty_ns;
	bool clock_off_said;
	char clock[8];
	bool no_merges;
	char probes[1024];
	char missing[1024];
	struct names names;
	pthread_t stopper;
	bool stopping;
	int stop_err;
};

/*
 * All functions return 0 or, after an error message, -1.
 *
 * Whatever becomes of this process, the module's session ends with it.
 */
int dom0_open(struct dom0 *dom0);
int dom0_start(struct dom0 *dom0, unsigned int own_domid, const struct options *opts,
	       const struct backing_table *backing, const struct domain *domains,
	       unsigned int nr_domains);

/* Trace more: @domains, and what is in @backing from @first on. */
int dom0_add(struct dom0 *dom0, const struct backing_table *backing, unsigned int first,
	     const struct domain *domains, unsigned int nr_domains);

/* Xen system time, ns. */
int dom0_now(struct dom0 *dom0, uint64_t *ns);

/*
 * The same, and then how many records wait in the fullest buffer.  @dom0->now can be
 * polled for when one has got a 48th to a 24th fuller than that.
 */
int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level);

/* What @level is, permille. */
unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level);

/**
 * dom0_drain - move records from the relay files into the trace
 * @time:	for the chunks' headers
 * @permille:	raised to how full the fullest buffer was
 *
 * Takes all that was there when it was called, and no more than a buffer's
 * worth of each CPU; less where @w has no room.  Return: records, or -1: told, unless @w
 * has failed.
 */
int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille);

/* Bring the counters of @dom0 up to date. */
int dom0_read_stats(struct dom0 *dom0);

/*
 * Begin to stop tracing: it takes the kernel seconds to detach its probes, in which the
 * caller may do other things, but call nothing else here.
 */
void dom0_stop_begin(struct dom0 *dom0);

/* Stop tracing, or wait until it has been done; the relay files can still be read. */
int dom0_stop(struct dom0 *dom0);
void dom0_close(struct dom0 *dom0);

#endif /* XBLKTRACE_DOM0_H */
