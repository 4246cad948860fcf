// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's end of the channel's benchmark: channels of several item sizes,
 * each written to as fast as its reader reads; and, in debugfs, what a copy and
 * a hypercall cost in the same kernel.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/xen/hypercall.h>
#include <xen/interface/version.h>
#include "../kmod-xenrelay/xenrelay.h"

#define MAX_SIZES 16
#define BURST	  4096

static unsigned int sizes[MAX_SIZES];
static int nr_sizes;
module_param_array(sizes, uint, &nr_sizes, 0444);
MODULE_PARM_DESC(sizes, "item sizes, a channel bench-<size> for each");

static unsigned int ring_kib = 4096;
module_param(ring_kib, uint, 0444);
MODULE_PARM_DESC(ring_kib,
		 "KiB of ring for each vCPU, and of the buffer that is copied to");

static unsigned int run_ms = 500;
module_param(run_ms, uint, 0444);
MODULE_PARM_DESC(run_ms, "how long a read of a debugfs file measures");

struct bench {
	u32 size;
	char name[16];
	void *item;
	struct xenrelay_channel *chan;
	struct task_struct *task;
};

static struct bench benches[MAX_SIZES];
static struct dentry *dir;
static char *copy_buffer;

/* Nothing is lost: the writer waits while a quarter of the ring or less is free. */
static int write_items(void *data)
{
	struct bench *bench = data;
	struct xenrelay_stats stats;
	u64 room;

	while (!kthread_should_stop()) {
		xenrelay_get_stats(bench->chan, &stats);
		room = stats.ring_items - stats.unread;
		if (room <= stats.ring_items / 4) {
			usleep_range(50, 100);
			continue;
		}
		for (room = min_t(u64, room, BURST); room; room--)
			xenrelay_write(bench->chan, bench->item);
		cond_resched();
	}
	return 0;
}

static int reader_connect(struct xenrelay_channel *chan, void *priv, const char *config)
{
	struct bench *bench = priv;
	struct task_struct *task;

	bench->chan = chan;
	/* One processor, so one ring: the first. */
	task = kthread_create_on_cpu(write_items, bench, 0, "xr-bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	bench->task = task;
	wake_up_process(task);
	return 0;
}

static void reader_disconnect(void *priv)
{
	struct bench *bench = priv;

	kthread_stop(bench->task);
}

static void measure(struct seq_file *s, struct bench *bench, bool hypercall)
{
	size_t buffer_size = ring_kib * 1024UL, at = 0;
	u64 start = ktime_get_ns(), end = start + run_ms * NSEC_PER_MSEC, now;
	u64 bytes = 0;
	int i;

	do {
		for (i = 0; i < 256; i++) {
			if (at + bench->size > buffer_size)
				at = 0;
			memcpy(copy_buffer + at, bench->item, bench->size);
			at += bench->size;
			if (hypercall)
				HYPERVISOR_xen_version(XENVER_version, NULL);
		}
		bytes += 256ULL * bench->size;
		cond_resched();
		now = ktime_get_ns();
	} while (now < end);
	seq_printf(s, "%llu %llu\n", bytes, now - start);
}

static int memcpy_show(struct seq_file *s, void *unused)
{
	measure(s, s->private, false);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(memcpy);

static int hypercall_show(struct seq_file *s, void *unused)
{
	measure(s, s->private, true);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hypercall);

static int bench_init(struct bench *bench, u32 size)
{
	struct xenrelay_params params = {
		.name = bench->name,
		.item_size = size,
		.ring_items = ring_kib * 1024UL / size,
		.max_ring_items = ring_kib * 1024UL / size,
		.mode = XENRELAY_DISCARD,
		.reader = XENRELAY_ANY_READER,
		.connect = reader_connect,
		.disconnect = reader_disconnect,
		.priv = bench,
	};
	struct dentry *files;

	bench->size = size;
	snprintf(bench->name, sizeof(bench->name), "bench-%u", size);
	bench->item = kvzalloc(size, GFP_KERNEL);
	if (!bench->item)
		return -ENOMEM;
	bench->chan = xenrelay_open(&params);
	if (IS_ERR(bench->chan))
		return PTR_ERR(bench->chan);
	files = debugfs_create_dir(bench->name, dir);
	debugfs_create_file("memcpy", 0400, files, bench, &memcpy_fops);
	debugfs_create_file("hypercall", 0400, files, bench, &hypercall_fops);
	return 0;
}

static void xr_bench_exit(void)
{
	int i;

	debugfs_remove(dir);
	for (i = 0; i < nr_sizes; i++) {
		xenrelay_close(benches[i].chan);
		kvfree(benches[i].item);
	}
	vfree(copy_buffer);
}

static int __init xr_bench_init(void)
{
	int i, err = 0;

	copy_buffer = vzalloc(ring_kib * 1024UL);
	if (!copy_buffer)
		return -ENOMEM;
	dir = debugfs_create_dir("xr-bench", NULL);
	for (i = 0; i < nr_sizes && !err; i++)
		err = bench_init(&benches[i], sizes[i]);
	if (err)
		xr_bench_exit();
	return err;
}

module_init(xr_bench_init);
module_exit(xr_bench_exit);

MODULE_DESCRIPTION("Benchmark of Xenrelay: the writing end");
MODULE_LICENSE("GPL");
