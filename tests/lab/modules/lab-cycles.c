// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels that open, write and close in random orders, from a seed: the guest's half of
 * tests/lab/long/cycles, whose other half is lab-cycles in dom0.  Neither knows what
 * the other is about to do.
 *
 * A reader names each of its connections in the configuration that it leaves:
 * "tag=NUMBER". For each, debugfs' lab-cycles/sessions has "TAG WRITTEN LOST" as counted
 * here, by whoever wrote the items; the reader must come to the same sums.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include "../kmod-xenrelay/xenrelay.h"
#include "xenrelay/wire.h"
#include "lab-cycles.h"

static unsigned long long seed = 1;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "of all that is random");

static unsigned int channels = 2;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "cycles0, cycles1, ...");

static unsigned int rounds = 100;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "times that each is opened and closed");

struct count {
	u64 written;
	u64 lost;
};

struct session {
	struct list_head list;
	u32 tag;
	struct count __percpu *counts;
};

struct client {
	char name[20];
	struct rnd_state random;
	struct task_struct *task;
	struct xenrelay_channel *chan;
	u32 item_size;
	struct session __rcu *live; /* whose items are written now */
	unsigned int burst;
};

static struct client *clients;
static LIST_HEAD(sessions);
static DEFINE_MUTEX(sessions_lock);

/* What happened, for the scenario's note; and what must not have happened. */
static atomic_t nr_running, nr_opened, nr_connected, nr_refused, nr_wrong;
static struct dentry *dir;

static u32 below(struct client *c, u32 n)
{
	return prandom_u32_state(&c->random) % n;
}

static void check(struct client *c, bool right, const char *what)
{
	if (right)
		return;
	atomic_inc(&nr_wrong);
	pr_err("%s: %s\n", c->name, what);
}

static int reader_connect(struct xenrelay_channel *chan, void *priv, const char *config)
{
	struct client *c = priv;
	struct session *s;
	u32 tag;

	if (sscanf(config, "tag=%u", &tag) != 1) {
		atomic_inc(&nr_refused);
		return -EINVAL;
	}
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->counts = alloc_percpu(struct count);
	if (!s->counts) {
		kfree(s);
		return -ENOMEM;
	}
	s->tag = tag;
	mutex_lock(&sessions_lock);
	list_add_tail(&s->list, &sessions);
	mutex_unlock(&sessions_lock);
	atomic_inc(&nr_connected);
	rcu_assign_pointer(c->live, s);
	return 0;
}

static void reader_disconnect(void *priv)
{
	struct client *c = priv;

	RCU_INIT_POINTER(c->live, NULL);
}

static void fill(void *to, u32 size, u32 tag, u64 seq)
{
	struct lab_cycles_item item = {.seq = seq, .tag = tag, .cpu = smp_processor_id()};

	memcpy(to, &item, sizeof(item));
	memset(to + sizeof(item), (u8)seq, size - sizeof(item));
}

/* Interrupts are off, so that number and item cannot be torn apart. */
static int write_one(struct client *c, struct session *s, u64 seq)
{
	u8 small[LAB_CYCLES_SMALL];
	struct xenrelay_slot slot;
	void *room;

	if (c->item_size <= sizeof(small) && seq % 2) {
		fill(small, c->item_size, s->tag, seq);
		return xenrelay_write(c->chan, small);
	}
	room = xenrelay_reserve(c->chan, &slot);
	if (!IS_ERR(room) && seq % 16 == 4) {
		memset(room, 0xee, c->item_size);
		xenrelay_cancel(&slot); /* as if it had never been */
		room = xenrelay_reserve(c->chan, &slot);
	}
	if (IS_ERR(room))
		return PTR_ERR(room);
	fill(room, c->item_size, s->tag, seq);
	xenrelay_commit(&slot);
	return 0;
}

static void write_burst(void *arg)
{
	struct client *c = arg;
	struct count *count;
	unsigned long flags;
	struct session *s;
	unsigned int i;
	int ret;

	local_irq_save(flags);
	s = rcu_dereference_sched(c->live);
	for (i = 0; s && i < c->burst; i++) {
		count = this_cpu_ptr(s->counts);
		ret = write_one(c, s, count->written + count->lost);
		if (!ret)
			count->written++;
		else if (ret == -ENOSPC)
			count->lost++;
		else
			break; /* the reader has gone */
	}
	local_irq_restore(flags);
}

/* Parameters that must be refused, each for its own reason. */
static void try_bad_open(struct client *c, const struct xenrelay_params *good)
{
	struct xenrelay_params bad = *good;
	struct xenrelay_channel *chan;
	long want = -EINVAL;

	switch (below(c, 7)) {
	case 0:
		bad.name = "no/such name";
		break;
	case 1:
		bad.item_size = XENRELAY_MIN_ITEM_SIZE - 1;
		break;
	case 2:
		bad.max_ring_items = bad.ring_items - 1;
		break;
	case 3:
		bad.connect = NULL;
		break;
	case 4:
		bad.item_size = U32_MAX;
		break;
	case 5:
		bad.ring_items = 0;
		break;
	case 6: /* its name is taken */
		want = -EEXIST;
		break;
	}
	chan = xenrelay_open(&bad);
	check(c, chan == ERR_PTR(want), "a bad open was not refused as it should be");
	xenrelay_close(chan);
}

/* No reader can come, so nothing can be written. */
static void try_unread(struct client *c, const struct xenrelay_params *good)
{
	struct xenrelay_params params = *good;
	struct xenrelay_channel *chan;
	struct xenrelay_stats stats;
	char name[32];

	snprintf(name, sizeof(name), "%s-unread", c->name);
	params.name = name;
	params.item_size = LAB_CYCLES_SMALL;
	params.ring_items = params.max_ring_items = 64;
	params.reader = 32000;
	chan = xenrelay_open(&params);
	check(c, !IS_ERR(chan), "a second channel cannot be opened");
	if (IS_ERR(chan))
		return;
	check(c, xenrelay_write(chan, name) == -ENOTCONN,
	      "an item without a reader was taken");
	xenrelay_get_stats(chan, &stats);
	check(c, !stats.connected && !stats.written && !stats.lost,
	      "counts without a reader");
	xenrelay_close(chan);
}

static void one_step(struct client *c)
{
	struct xenrelay_stats stats;

	c->burst = 1 + below(c, 200);
	switch (below(c, 6)) {
	case 0:
		write_burst(c);
		break;
	case 1: /* hardirq on the others */
		on_each_cpu(write_burst, c, 1);
		break;
	case 2:
		local_bh_disable();
		write_burst(c);
		local_bh_enable();
		break;
	case 3:
		xenrelay_get_stats(c->chan, &stats);
		check(c, stats.unread <= stats.written,
		      "more to be read than was written");
		break;
	default:
		msleep(below(c, 60));
	}
}

static void one_round(struct client *c)
{
	static const u32 sizes[] = {16, 24, 32, 100, LAB_CYCLES_SMALL, 1000, 4096, 5000};
	struct xenrelay_params params = {
		.name = c->name,
		.item_size = sizes[below(c, ARRAY_SIZE(sizes))],
		.mode = below(c, 2) ? XENRELAY_DISCARD : XENRELAY_OVERWRITE,
		.fixed_mode = !below(c, 4),
		.reader = below(c, 2) ? 0 : XENRELAY_ANY_READER,
		.connect = reader_connect,
		.disconnect = reader_disconnect,
		.priv = c,
	};
	unsigned int steps = below(c, 48);

	params.ring_items = 2 + below(c, 400);
	params.max_ring_items = params.ring_items + below(c, 400);
	c->item_size = params.item_size;
	c->chan = xenrelay_open(&params);
	check(c, !IS_ERR(c->chan), "a channel cannot be opened");
	if (IS_ERR(c->chan))
		return;
	atomic_inc(&nr_opened);
	if (!below(c, 4))
		try_bad_open(c, &params);
	if (!below(c, 8))
		try_unread(c, &params);
	while (steps--)
		one_step(c);
	xenrelay_close(c->chan);
	if (!below(c, 8))
		xenrelay_close(NULL);
	msleep(below(c, 10));
}

static int run(void *arg)
{
	struct client *c = arg;
	unsigned int i;

	for (i = 0; i < rounds && !kthread_should_stop(); i++)
		one_round(c);
	atomic_dec(&nr_running);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static int sessions_show(struct seq_file *m, void *v)
{
	struct session *s;
	int cpu;

	mutex_lock(&sessions_lock);
	list_for_each_entry (s, &sessions, list) {
		struct count sum = {};

		for_each_possible_cpu (cpu) {
			sum.written += per_cpu_ptr(s->counts, cpu)->written;
			sum.lost += per_cpu_ptr(s->counts, cpu)->lost;
		}
		seq_printf(m, "%u %llu %llu\n", s->tag, sum.written, sum.lost);
	}
	mutex_unlock(&sessions_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sessions);

static void free_all(void)
{
	struct session *s, *next;

	debugfs_remove_recursive(dir);
	list_for_each_entry_safe (s, next, &sessions, list) {
		free_percpu(s->counts);
		kfree(s);
	}
	kfree(clients);
}

static void stop_all(void)
{
	unsigned int i;

	for (i = 0; i < channels; i++)
		if (clients[i].task)
			kthread_stop(clients[i].task);
}

static int __init lab_cycles_init(void)
{
	unsigned int i;

	clients = kcalloc(channels, sizeof(*clients), GFP_KERNEL);
	if (!clients)
		return -ENOMEM;
	dir = debugfs_create_dir("lab-cycles", NULL);
	debugfs_create_file("sessions", 0400, dir, NULL, &sessions_fops);
	debugfs_create_atomic_t("running", 0400, dir, &nr_running);
	debugfs_create_atomic_t("opened", 0400, dir, &nr_opened);
	debugfs_create_atomic_t("connected", 0400, dir, &nr_connected);
	debugfs_create_atomic_t("refused", 0400, dir, &nr_refused);
	debugfs_create_atomic_t("wrong", 0400, dir, &nr_wrong);
	for (i = 0; i < channels; i++) {
		struct client *c = &clients[i];
		struct task_struct *task;

		snprintf(c->name, sizeof(c->name), "cycles%u", i);
		prandom_seed_state(&c->random, seed + i);
		atomic_inc(&nr_running);
		task = kthread_run(run, c, "lab-cycles/%u", i);
		if (IS_ERR(task)) {
			stop_all();
			free_all();
			return PTR_ERR(task);
		}
		c->task = task;
	}
	return 0;
}

static void __exit lab_cycles_exit(void)
{
	stop_all();
	free_all();
}

module_init(lab_cycles_init);
module_exit(lab_cycles_exit);

MODULE_DESCRIPTION("Opens, writes and closes channels in random orders, for the tests");
MODULE_LICENSE("GPL");
