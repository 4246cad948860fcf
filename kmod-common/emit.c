// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record goes to the stream of its CPU behind its process's name, which a
 * reader needs first.
 *
 * When the name finds no room, what it was for is lost too and is not tried, so
 * the sink counts exactly one loss for each lost event.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "emit.h"

/* Records after which names are told again, 0 for never. */
static u32 names_last;
DEFINE_STATIC_KEY_FALSE(xblk_names_again);
struct xblk_names __percpu *xblk_names;

int xblk_emit_init(void)
{
	xblk_names = alloc_percpu(struct xblk_names);
	return xblk_names ? 0 : -ENOMEM;
}

void xblk_emit_exit(void)
{
	free_percpu(xblk_names);
}

/**
 * xblk_emit_reset() - forget what earlier streams were told
 * @records:	a name is told again after so many records of a CPU, for a reader
 *		that sees the newest only; 0: once is enough
 *
 * Before a new stream begins; no probe may be attached.
 *
 * Context: process, may sleep.
 */
void xblk_emit_reset(u32 records)
{
	int cpu;

	names_last = records;
	if (records)
		static_branch_enable(&xblk_names_again);
	else
		static_branch_disable(&xblk_names_again);
	for_each_possible_cpu (cpu)
		memset(per_cpu_ptr(xblk_names, cpu), 0, sizeof(struct xblk_names));
}

/* Where names are told again: one record less until then.  Interrupts off. */
unsigned long xblk_emit_count(void)
{
	struct xblk_names *names = this_cpu_ptr(xblk_names);

	if (!names->left--) {
		memset(names->named, 0, sizeof(names->named));
		names->left = names_last;
	}
	return 0;
}
XBLK_RARE(xblk_emit_count);

/**
 * xblk_emit_name() - the current process's name goes to the stream of this CPU
 * @now:	the time of the record behind it
 *
 * Context: interrupts off.  Return: 0 if there was no room.
 */
unsigned long xblk_emit_name(u64 now)
{
	struct xblk_named *named =
		&this_cpu_ptr(xblk_names)->named[(u32)current->pid % XBLK_NAMED];
	const struct task_struct *task = current;
	struct xblk_place place = {};

	BUILD_BUG_ON(TASK_COMM_LEN != XBLK_COMM_LEN);
	if (!xblk_sink_reserve(&place, now))
		return 0;
	/* Another thread may change it meanwhile: once for both. */
	memcpy(named->comm, task->comm, sizeof(named->comm));
	named->pid = task->pid;
	*place.rec = (struct xblk_record){
		.time = now,
		.aux = task->pid,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
		.op = task->flags & PF_KTHREAD ? XBLK_PROCESS_KTHREAD : 0,
	};
	memcpy(place.rec->comm, named->comm, sizeof(named->comm));
	xblk_sink_commit(&place);
	return 1;
}
XBLK_RARE(xblk_emit_name);
