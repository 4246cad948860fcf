// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions of each probe on the block layer's tracepoints, on a machine whose
 * time-stamp counter counts instructions (QEMU's -icount shift=0).
 *
 * Reading debugfs' probe-count/counts calls what is attached to each tracepoint
 * with a bio and a request of its own that never reach a driver.  Xen's own
 * interrupts add to some of the samples, so the smallest counts; how many samples
 * agree with it is told, too.
 */
#include <trace/events/block.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/tracepoint.h>
#include <asm/msr.h>

#define CALLS	100
#define SAMPLES 40

static char *disk = "/dev/xvda";
module_param(disk, charp, 0444);
MODULE_PARM_DESC(disk, "the traced disk");

static struct dentry *dir;
static struct bio bio;
static struct request *rq;

typedef void (*bio_probe)(void *data, struct bio *bio);
typedef void (*split_probe)(void *data, struct bio *bio, unsigned int new_sector);
typedef void (*remap_probe)(void *data, struct bio *bio, dev_t dev, sector_t from);
typedef void (*rq_probe)(void *data, struct request *rq);
typedef void (*complete_probe)(void *data, struct request *rq, blk_status_t error,
			       unsigned int nr_bytes);

static void call_bio(void *func, void *data)
{
	((bio_probe)func)(data, &bio);
}

static void call_split(void *func, void *data)
{
	((split_probe)func)(data, &bio, 0);
}

static void call_remap(void *func, void *data)
{
	((remap_probe)func)(data, &bio, bio.bi_bdev->bd_dev + 1, 2048);
}

static void call_rq(void *func, void *data)
{
	((rq_probe)func)(data, rq);
}

static void call_complete(void *func, void *data)
{
	((complete_probe)func)(data, rq, BLK_STS_OK, 4096);
}

/* A probe that does nothing: what calling one costs. */
static noinline void no_probe(void *data, struct bio *unused)
{
	barrier();
}

/* To check the counter with: this many instructions more than no_probe(). */
#define NOPS 1000
static noinline void nop_probe(void *data, struct bio *unused)
{
	asm volatile(".rept 1000\n\tnop\n\t.endr");
}

static const struct {
	const char *tracepoint;
	void (*call)(void *func, void *data);
} probes[] = {
	{"block_bio_queue", call_bio},	      {"block_bio_backmerge", call_bio},
	{"block_bio_frontmerge", call_bio},   {"block_split", call_split},
	{"block_bio_remap", call_remap},      {"block_rq_merge", call_rq},
	{"block_rq_requeue", call_rq},	      {"block_rq_issue", call_rq},
	{"block_rq_complete", call_complete},
};

static u64 sample(void (*call)(void *func, void *data), void *func, void *data)
{
	unsigned long flags;
	u64 start, end;
	int i;

	local_irq_save(flags);
	start = rdtsc_ordered();
	for (i = 0; i < CALLS; i++)
		call(func, data);
	end = rdtsc_ordered();
	local_irq_restore(flags);
	return end - start;
}

static u64 smallest(void (*call)(void *func, void *data), void *func, void *data,
		    int *agree)
{
	u64 least = U64_MAX, n;
	int i;

	sample(call, func, data); /* the first one names the process, and fills caches */
	for (i = 0, *agree = 0; i < SAMPLES; i++) {
		n = sample(call, func, data);
		if (n < least)
			*agree = 0;
		least = min(n, least);
		*agree += n == least;
	}
	/* So that the reader takes what has been written. */
	msleep(300);
	return least;
}

struct search {
	struct seq_file *s;
	int at;
	u64 base;
};

static void count_one(struct tracepoint *tp, void *priv)
{
	struct search *search = priv;
	struct tracepoint_func *func;
	int agree, nr = 0;
	u64 n;

	if (strcmp(tp->name, probes[search->at].tracepoint))
		return;
	/* Stays while the capture, which the reader of this file has begun, goes on. */
	for (func = rcu_dereference_raw(tp->funcs); func && func->func; func++) {
		n = smallest(probes[search->at].call, func->func, func->data, &agree);
		seq_printf(search->s, "%s%s %llu %d\n", tp->name, nr++ ? ".next" : "",
			   (n - search->base) / CALLS, agree);
	}
}

static int counts_show(struct seq_file *s, void *unused)
{
	struct search search = {.s = s};
	int agree;
	u64 n;

	search.base = smallest(call_bio, no_probe, NULL, &agree);
	seq_printf(s, "call %llu %d\n", search.base / CALLS, agree);
	n = smallest(call_bio, nop_probe, NULL, &agree);
	seq_printf(s, "nops_%d %llu %d\n", NOPS, (n - search.base) / CALLS, agree);
	for (search.at = 0; search.at < ARRAY_SIZE(probes); search.at++)
		for_each_kernel_tracepoint(count_one, &search);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static struct block_device *bdev;

static int __init probe_count_init(void)
{
	bdev = blkdev_get_by_path(disk, FMODE_READ, NULL);
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	rq = blk_mq_alloc_request(bdev_get_queue(bdev), REQ_OP_READ, 0);
	if (IS_ERR(rq)) {
		blkdev_put(bdev, FMODE_READ);
		return PTR_ERR(rq);
	}
	bio_init(&bio, bdev, NULL, 0, REQ_OP_READ);
	bio.bi_iter.bi_sector = 8;
	bio.bi_iter.bi_size = 4096;
	rq->bio = &bio;
	rq->__sector = 8;
	rq->__data_len = 4096;
	dir = debugfs_create_dir("probe-count", NULL);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	return 0;
}

static void __exit probe_count_exit(void)
{
	debugfs_remove(dir);
	rq->bio = NULL;
	blk_mq_free_request(rq);
	blkdev_put(bdev, FMODE_READ);
}

module_init(probe_count_init);
module_exit(probe_count_exit);

MODULE_DESCRIPTION("Instructions of each probe on the block layer's tracepoints");
MODULE_LICENSE("GPL");
