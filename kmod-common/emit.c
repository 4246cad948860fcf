// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record goes to the stream of its CPU behind its process's name, which a
 * reader needs first.
 *
 * When the name finds no room, what it was for is lost too and is not tried, so
 * the sink counts exactly one loss for each lost event.
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
 * @left:	records until the names are forgotten
 * @seen:	processes whose name is in the stream already, by pid.  Two that
 *		share a slot are named again and again; no name is missed.
 */
struct emit_state {
	u32 left;
	struct seen_process seen[1 << SEEN_BITS];
};

/* Records after which names are told again, 0 for never. */
u32 xblk_emit_names_last;
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
 * @records:	a name is told again after so many records of a CPU, for a reader
 *		that sees the newest only; 0: once is enough
 *
 * Before a new stream begins; no probe may be attached.
 */
void xblk_emit_reset(u32 records)
{
	int cpu;

	xblk_emit_names_last = records;
	for_each_possible_cpu (cpu)
		memset(per_cpu_ptr(emit_states, cpu), 0, sizeof(struct emit_state));
}

static void forget_names(struct emit_state *state)
{
	memset(state->seen, 0, sizeof(state->seen));
	state->left = xblk_emit_names_last;
}

/* Not inlined: what builds a record needs registers and stack that most events do not. */
static noinline bool name_process(struct seen_process *seen, u64 time)
{
	struct task_struct *task = current;
	struct xblk_record rec = {
		.time = time,
		.aux = task->pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = task->flags & PF_KTHREAD ? XBLK_PROCESS_KTHREAD : 0,
	};

	BUILD_BUG_ON(TASK_COMM_LEN != XBLK_COMM_LEN);
	memcpy(rec.comm, task->comm, sizeof(rec.comm));
	if (!xblk_sink(&rec))
		return false;
	seen->pid = task->pid;
	memcpy(seen->comm, rec.comm, sizeof(seen->comm));
	return true;
}

/* Where names are told again: one record less until then.  Interrupts off. */
void xblk_emit_count(void)
{
	struct emit_state *state = this_cpu_ptr(emit_states);

	if (!state->left--)
		forget_names(state);
}

/**
 * xblk_emit_pid() - write a record whose aux is the current process's pid
 * @rec:	as for xblk_emit()
 *
 * The process's name goes before it when this CPU's stream has not had it.
 */
void xblk_emit_pid(const struct xblk_record *rec)
{
	struct emit_state *state = this_cpu_ptr(emit_states);
	const struct task_struct *task = current;
	struct seen_process *seen = &state->seen[hash_32(task->pid, SEEN_BITS)];

	if (unlikely(xblk_emit_names_last))
		xblk_emit_count();
	if (likely(seen->pid == task->pid &&
		   !memcmp(seen->comm, task->comm, sizeof(seen->comm))) ||
	    name_process(seen, rec->time))
		xblk_sink(rec);
}
