// SPDX-License-Identifier: GPL-2.0-only
/*
 * One channel, "contexts", into which each vCPU writes from process, softirq, hardirq and
 * NMI context, each coming in between the ones before: the guest's half of the scenario
 * contexts, whose other half is lab-contexts in dom0.
 *
 * They write for as long as a reader is connected.  debugfs' lab-contexts/counts then has
 * a line for each vCPU and context:
 *
 *	CPU CONTEXT TRIED WRITTEN FULL NMI OTHER CANCELLED BETWEEN AMID
 *
 * What was tried was written, or refused because the ring was full, because this was NMI
 * context, or for another reason, which there is none for; what was cancelled was not
 * tried.  This context came BETWEEN so many times while another was in xenrelay_write(),
 * and AMID when that one's item had its room already, but was not published yet.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/version.h>
#include <asm/nmi.h>
#include "../kmod-xenrelay/xenrelay.h"
#include "lab-contexts.h"

#define BURST	 64 /* items that a task writes before it looks for room again */
#define PATIENCE 20 /* times that it finds none before it writes all the same */

static unsigned int item_size = sizeof(struct lab_contexts_item);
module_param(item_size, uint, 0444);
MODULE_PARM_DESC(item_size, "bytes of an item, 16 to 32");

static unsigned int ring_items = 2048;
module_param(ring_items, uint, 0444);
MODULE_PARM_DESC(ring_items, "items of each vCPU's ring");

static unsigned int min_us = 100, max_us = 600;
module_param(min_us, uint, 0444);
module_param(max_us, uint, 0444);
MODULE_PARM_DESC(min_us, "shortest time from one interrupt to the next");
MODULE_PARM_DESC(max_us, "longest");

/* One context of one CPU. */
struct writer {
	enum lab_context context;
	struct rnd_state random;
	struct hrtimer timer;
	u32 turn;    /* of the ways to write */
	bool writes; /* it is in xenrelay_write() */
	u64 tried, written, full, nmi, other, cancelled;
	u64 between, amid;
};

struct cpu {
	struct writer writers[LAB_CONTEXTS];
	struct task_struct *task;
};

static DEFINE_PER_CPU(struct cpu, cpus);
static struct xenrelay_channel *chan;
static struct dentry *dir;

static const char *const names[LAB_CONTEXTS] = {"task", "softirq", "hardirq", "nmi"};

static u32 below(struct writer *w, u32 n)
{
	return prandom_u32_state(&w->random) % n;
}

static int commit(const struct lab_contexts_item *item)
{
	struct xenrelay_slot slot;
	void *room = xenrelay_reserve(chan, &slot);

	if (IS_ERR(room))
		return PTR_ERR(room);
	memcpy(room, item, item_size);
	xenrelay_commit(&slot);
	return 0;
}

static int cancel(void)
{
	struct xenrelay_slot slot;
	void *room = xenrelay_reserve(chan, &slot);

	if (IS_ERR(room))
		return PTR_ERR(room);
	memset(room, 0xee, item_size);
	xenrelay_cancel(&slot);
	return 0;
}

/* This CPU's and this context's: nobody else changes its numbers. */
static void write_one(struct writer *w)
{
	struct lab_contexts_item item = {
		.seq = w->tried,
		.context = w->context,
		.cpu = smp_processor_id(),
	};
	int ret;

	lab_contexts_fill(&item);
	switch (w->turn++ % (w->context == LAB_TASK ? 32 : 4)) {
	case 0:
		ret = cancel();
		if (!ret) {
			w->cancelled++;
			return;
		}
		break;
	case 1:
		ret = commit(&item);
		break;
	default:
		WRITE_ONCE(w->writes, true);
		ret = xenrelay_write(chan, &item);
		WRITE_ONCE(w->writes, false);
	}
	w->tried++;
	w->written += ret == 0;
	w->full += ret == -ENOSPC;
	w->nmi += ret == -EBUSY;
	w->other += ret && ret != -ENOSPC && ret != -EBUSY;
}

/* In the ring's own words, because no other tells an item that is only begun. */
static bool is_amid(void)
{
	const struct xenrelay_ring *ring = xenrelay_ring(chan);
	unsigned long flags;
	bool amid;

	local_irq_save(flags);
	amid = READ_ONCE(ring->head) != READ_ONCE(ring->published);
	local_irq_restore(flags);
	return amid;
}

static void come_between(struct writer *w)
{
	const struct writer *other = this_cpu_ptr(cpus.writers);
	bool between = false, amid = is_amid();
	u32 n = 1 + below(w, 3);

	for (; other->context < w->context; other++)
		between |= READ_ONCE(other->writes);
	w->between += between;
	w->amid += amid;
	while (n--)
		write_one(w);
	/* The reader, on the same processor, gets to see what is not whole yet. */
	if (amid)
		mdelay(2);
}

static ktime_t from_now(struct writer *w)
{
	return ktime_add_us(ktime_get(), min_us + below(w, max_us - min_us + 1));
}

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct writer *w = container_of(timer, struct writer, timer);

	come_between(w);
	hrtimer_set_expires(timer, from_now(w));
	return HRTIMER_RESTART;
}

static int nmi_came(unsigned int type, struct pt_regs *regs)
{
	come_between(this_cpu_ptr(&cpus.writers[LAB_NMI]));
	return NMI_HANDLED;
}

/* Both rings may be short of room, if there is little in all. */
static void wait_for_room(void)
{
	struct xenrelay_stats stats;
	unsigned int times;

	for (times = 0; times < PATIENCE; times++) {
		xenrelay_get_stats(chan, &stats);
		if (stats.unread <= stats.ring_items / 2 || kthread_should_stop())
			break;
		usleep_range(100, 200);
	}
}

static int task_writes(void *arg)
{
	struct cpu *cpu = arg;
	unsigned int i;

	hrtimer_start(&cpu->writers[LAB_SOFTIRQ].timer,
		      from_now(&cpu->writers[LAB_SOFTIRQ]), HRTIMER_MODE_ABS_PINNED_SOFT);
	hrtimer_start(&cpu->writers[LAB_HARDIRQ].timer,
		      from_now(&cpu->writers[LAB_HARDIRQ]), HRTIMER_MODE_ABS_PINNED_HARD);
	while (!kthread_should_stop()) {
		wait_for_room();
		/* So that who sees @writes is in between, not in its stead. */
		preempt_disable();
		for (i = 0; i < BURST; i++)
			write_one(&cpu->writers[LAB_TASK]);
		preempt_enable();
		cond_resched();
	}
	hrtimer_cancel(&cpu->writers[LAB_SOFTIRQ].timer);
	hrtimer_cancel(&cpu->writers[LAB_HARDIRQ].timer);
	return 0;
}

static void stop_all(void)
{
	unsigned int i;

	for_each_possible_cpu (i) {
		struct cpu *cpu = per_cpu_ptr(&cpus, i);

		if (cpu->task)
			kthread_stop(cpu->task);
		cpu->task = NULL;
	}
	unregister_nmi_handler(NMI_UNKNOWN, "lab-contexts");
}

/* Linux 6.13 has it; 7.2 has no hrtimer_init(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static void hrtimer_setup(struct hrtimer *timer,
			  enum hrtimer_restart (*function)(struct hrtimer *),
			  clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

static void init_cpu(struct cpu *cpu, unsigned int number)
{
	unsigned int i;

	memset(cpu, 0, sizeof(*cpu));
	for (i = 0; i < LAB_CONTEXTS; i++) {
		cpu->writers[i].context = i;
		prandom_seed_state(&cpu->writers[i].random, number * LAB_CONTEXTS + i);
		hrtimer_setup(&cpu->writers[i].timer, timer_fired, CLOCK_MONOTONIC,
			      i == LAB_SOFTIRQ ? HRTIMER_MODE_ABS_PINNED_SOFT
					       : HRTIMER_MODE_ABS_PINNED_HARD);
	}
}

static int reader_connect(struct xenrelay_channel *opened, void *priv, const char *config)
{
	unsigned int i;
	int err;

	chan = opened;
	for_each_possible_cpu (i)
		init_cpu(per_cpu_ptr(&cpus, i), i);
	err = register_nmi_handler(NMI_UNKNOWN, nmi_came, 0, "lab-contexts");
	if (err)
		return err;
	for_each_online_cpu (i) {
		struct cpu *cpu = per_cpu_ptr(&cpus, i);
		struct task_struct *task =
			kthread_create_on_cpu(task_writes, cpu, i, "lab-contexts/%u");

		if (IS_ERR(task)) {
			stop_all();
			return PTR_ERR(task);
		}
		cpu->task = task;
		wake_up_process(task);
	}
	return 0;
}

static void reader_disconnect(void *priv)
{
	stop_all();
}

static int counts_show(struct seq_file *m, void *v)
{
	unsigned int cpu, i;

	for_each_online_cpu (cpu) {
		for (i = 0; i < LAB_CONTEXTS; i++) {
			struct writer *w = &per_cpu_ptr(&cpus, cpu)->writers[i];

			seq_printf(m, "%u %s %llu %llu %llu %llu %llu %llu %llu %llu\n",
				   cpu, names[i], w->tried, w->written, w->full, w->nmi,
				   w->other, w->cancelled, w->between, w->amid);
		}
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static int __init lab_contexts_init(void)
{
	struct xenrelay_params params = {
		.name = "contexts",
		.item_size = item_size,
		.ring_items = ring_items,
		.max_ring_items = ring_items,
		.mode = XENRELAY_DISCARD,
		.fixed_mode = true,
		.connect = reader_connect,
		.disconnect = reader_disconnect,
	};

	if (item_size < LAB_CONTEXTS_MIN_SIZE || max_us < min_us ||
	    item_size > sizeof(struct lab_contexts_item))
		return -EINVAL;
	chan = xenrelay_open(&params);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	dir = debugfs_create_dir("lab-contexts", NULL);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	return 0;
}

static void __exit lab_contexts_exit(void)
{
	debugfs_remove(dir);
	xenrelay_close(chan);
}

module_init(lab_contexts_init);
module_exit(lab_contexts_exit);

MODULE_DESCRIPTION("Writes to a channel from all contexts at once, for the tests");
MODULE_LICENSE("GPL");
