/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a probe to the stream of this CPU, with the name that goes before it.
 *
 *	struct xblk_place place = {};
 *
 *	local_irq_save(flags);
 *	now = xblk_clock_now();
 *	if (likely(xblk_emit_begin(&place, now))) {
 *		*place.rec = (struct xblk_record){.time = now, ...};
 *		xblk_emit_end(&place);
 *	}
 *	local_irq_restore(flags);
 *
 * The time is taken after interrupts have been turned off, so that the records of a CPU
 * are in the order of their times.  What the record holds is put together when its place
 * is there, where it stays, and what is rare is a call that keeps no register from use
 * (XBLK_RARE).  @place has a value from the beginning: else a kernel that gives all
 * variables one (CONFIG_INIT_STACK_ALL_ZERO) puts it on the stack for that.
 */
#ifndef XBLK_EMIT_H
#define XBLK_EMIT_H

#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>
#include "compat.h"
#include "sink.h"
#include "xblk/record.h"

/*
 * In each module's sink.h, with interrupts off:
 *
 * xblk_sink_reserve() gives the place of the next record in the stream of this CPU.  It
 * returns false if there is no room; it has counted that as one loss, and whoever reads
 * the stream finds out about it there.
 *
 * xblk_sink_commit() publishes the record.
 */

/* A power of two. */
#define XBLK_NAMED 128

/**
 * struct xblk_named - a process whose name is in the stream already
 * @comm:	the name
 * @pid:	the process
 */
struct xblk_named {
	char comm[XBLK_COMM_LEN];
	u32 pid;
} __aligned(2 * XBLK_COMM_LEN);

/**
 * struct xblk_names - of one CPU
 * @named:	by pid.  Two that share a slot are named again and again; no name is
 * missed.
 * @left:	records until the names are forgotten
 */
struct xblk_names {
	struct xblk_named named[XBLK_NAMED];
	u32 left;
};

extern struct xblk_names __percpu *xblk_names;
/* They are told again, and records counted. */
DECLARE_STATIC_KEY_FALSE(xblk_names_again);

int xblk_emit_init(void);
void xblk_emit_exit(void);
void xblk_emit_reset(u32 records);
unsigned long xblk_emit_count(void);
unsigned long xblk_emit_name(u64 now);

/**
 * xblk_emit_begin() - the place of a record
 * @place:	the caller's, who fills in @place->rec, all of it, and calls
 * xblk_emit_end()
 * @now:	the record's time
 *
 * Context: interrupts off, from before the time is taken until the end; not NMI.
 * Return: whether there is one; if not, the record is counted as lost.
 */
static __always_inline bool xblk_emit_begin(struct xblk_place *place, u64 now)
{
	if (static_branch_unlikely(&xblk_names_again))
		xblk_rarely0(xblk_emit_count);
	return xblk_sink_reserve(place, now);
}

/**
 * xblk_emit_begin_pid() - the same of a record whose aux is the current process's pid
 * @place:	likewise
 * @now:	likewise
 *
 * The process's name goes before it when this CPU's stream has not had it.
 */
static __always_inline bool xblk_emit_begin_pid(struct xblk_place *place, u64 now)
{
	const struct task_struct *task = current;
	const struct xblk_named *named;

	if (static_branch_unlikely(&xblk_names_again))
		xblk_rarely0(xblk_emit_count);
	named = &this_cpu_ptr(xblk_names)->named[(u32)task->pid % XBLK_NAMED];
	if (unlikely(named->pid != task->pid ||
		     memcmp(named->comm, task->comm, sizeof(named->comm))) &&
	    !xblk_rarely1(xblk_emit_name, now))
		return false;
	return xblk_sink_reserve(place, now);
}

/**
 * xblk_emit_end() - publish the record
 * @place:	what xblk_emit_begin() has given
 */
static __always_inline void xblk_emit_end(struct xblk_place *place)
{
	xblk_sink_commit(place);
}

#endif /* XBLK_EMIT_H */
