// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record goes to the stream of its CPU behind the facts that a reader needs
 * first: how many records were lost before it, and its process's name.
 *
 * When one of them finds no room, what it was for is lost too and is not tried,
 * so the sink counts exactly one loss for each lost event.
 */
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "clock.h"
#include "emit.h"

#define SEEN_BITS 7

struct seen_process {
	u32 pid;
	char comm[XBLK_COMM_LEN];
};

/**
 * struct emit_state - of one CPU
 * @lost:	records lost since the last one that was written
 * @first:	time of the first of these
 * @last:	time of the last of these
 * @seen:	processes whose name is in the stream already, by pid.  Two that
 *		share a slot are named again and again; no name is missed.
 */
struct emit_state {
	u64 lost;
	u64 first;
	u64 last;
	struct seen_process seen[1 << SEEN_BITS];
};

static struct emit_state __percpu *emit_states;

int xblk_emit_init(void)
{
	emit_states = alloc_percpu(struct emit_state);
	return emit_states ? 0 : -ENOMEM;
}

void xblk_emit_exit(void)
{
	free_percpu(emit_states);
}

/**
 * xblk_emit_reset() - forget what earlier streams were told
 *
 * Before a new stream begins; no probe may be attached.
 */
void xblk_emit_reset(void)
{
	int cpu;

	for_each_possible_cpu (cpu)
		memset(per_cpu_ptr(emit_states, cpu), 0, sizeof(struct emit_state));
}

static bool emit_lost(struct emit_state *state)
{
	const struct xblk_record rec = {
		.time = state->first,
		.lost = {.until = state->last, .count = state->lost},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	};

	if (!xblk_sink(&rec))
		return false;
	state->lost = 0;
	return true;
}

static bool emit_process(struct emit_state *state, u64 time)
{
	struct task_struct *task = current;
	struct seen_process *seen = &state->seen[hash_32(task->pid, SEEN_BITS)];
	struct xblk_record rec = {
		.time = time,
		.aux = task->pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = task->flags & PF_KTHREAD ? XBLK_PROCESS_KTHREAD : 0,
	};

	BUILD_BUG_ON(TASK_COMM_LEN != XBLK_COMM_LEN);
	if (likely(seen->pid == task->pid &&
		   !memcmp(seen->comm, task->comm, sizeof(seen->comm))))
		return true;

	memcpy(rec.comm, task->comm, sizeof(rec.comm));
	if (!xblk_sink(&rec))
		return false;
	seen->pid = task->pid;
	memcpy(seen->comm, rec.comm, sizeof(seen->comm));
	return true;
}

static void emit(const struct xblk_record *rec, bool process)
{
	struct emit_state *state = this_cpu_ptr(emit_states);

	if (unlikely(state->lost) && !emit_lost(state))
		goto lost;
	if (process && !emit_process(state, rec->time))
		goto lost;
	if (likely(xblk_sink(rec)))
		return;
lost:
	if (!state->lost++)
		state->first = rec->time;
	state->last = rec->time;
}

/**
 * xblk_emit() - write a record
 * @rec:	the record, its time taken with interrupts off
 *
 * The caller takes the time after it has turned interrupts off, so that the
 * records of a CPU are in the order of their times.
 *
 * Context: interrupts off, not NMI.
 */
void xblk_emit(const struct xblk_record *rec)
{
	emit(rec, false);
}

/**
 * xblk_emit_pid() - write a record whose aux is the current process's pid
 * @rec:	as for xblk_emit()
 *
 * The process's name goes before it when this CPU's stream has not had it.
 */
void xblk_emit_pid(const struct xblk_record *rec)
{
	emit(rec, true);
}
