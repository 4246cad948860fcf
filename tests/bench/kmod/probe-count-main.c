// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions of each probe on the block layer's tracepoints and on functions of
 * blkfront and blkback, on a machine whose time-stamp counter counts instructions (QEMU's
 * -icount shift=0).
 *
 * Reading debugfs' probe-count/counts runs each tracepoint as the kernel does: its one
 * probe, or what goes from one to the next, with a bio and a request of its own that
 * never reach a driver.  Of the functions it has some of the same names: ftrace, which
 * finds a function by its name alone, calls the probe at the entry of each, so this
 * module is loaded before a capture begins.  Xen's own interrupts add to some of the
 * samples, so the smallest counts; how many samples agree with it is told, too.
 */
#include <trace/events/block.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <xen/grant_table.h>
#include <xen/interface/io/blkif.h>
#include <asm/msr.h>

#define CALLS	100
#define SAMPLES 40

static char *disk = "/dev/xvda";
module_param(disk, charp, 0444);
MODULE_PARM_DESC(disk, "the traced disk");
static char *foreign;
module_param(foreign, charp, 0444);
MODULE_PARM_DESC(foreign, "one that is not traced");
static char *thread = "probe-count";
module_param(thread, charp, 0444);
MODULE_PARM_DESC(
	thread,
	"the name of the thread that calls: in dom0 as blkback's of a traced guest");

/* A bio and a request of a disk. */
struct load {
	struct block_device *bdev;
	struct bio bio;
	struct request *rq;
};

static struct dentry *dir;
static struct load ours, others;

/* --- functions of blkfront's and blkback's names ------------------------------------- */

/*
 * Not inlined, nor made one with another, or another one, under another name: each has
 * instructions of its own, of which the compiler knows that they look at all there is.
 */
#define PROBED		   noinline __noclone __used __attribute__((no_icf))
#define BODY(name)	   asm volatile("# " #name : : : "memory")
#define BODY_1(name, a)	   asm volatile("# " #name : : "r"(a) : "memory")
#define BODY_2(name, a, b) asm volatile("# " #name : : "r"(a), "r"(b) : "memory")

static PROBED void nothing(void)
{
	BODY(nothing);
}

/* With a probe of this module's own. */
static PROBED void probe_count_probed(void)
{
	BODY(probe_count_probed);
}

static PROBED void blkif_interrupt(int irq, void *ring)
{
	BODY_2(blkif_interrupt, irq, ring);
}

static PROBED void blkif_queue_rq(struct blk_mq_hw_ctx *hctx,
				  const struct blk_mq_queue_data *bd)
{
	BODY_2(blkif_queue_rq, hctx, bd);
}

static PROBED void get_id_from_freelist(void *ring)
{
	BODY_1(get_id_from_freelist, ring);
}

static PROBED void xen_blkif_be_int(int irq, void *ring)
{
	BODY_2(xen_blkif_be_int, irq, ring);
}

static PROBED void xen_blkbk_map(void *ring)
{
	BODY_1(xen_blkbk_map, ring);
}

static PROBED void
xen_blkbk_unmap_and_respond_callback(int result, struct gntab_unmap_queue_data *data)
{
	BODY_2(xen_blkbk_unmap_and_respond_callback, result, data);
}

static PROBED void make_response(void *ring, u64 id, unsigned short op, int status)
{
	BODY_2(make_response, ring, id);
	BODY_2(make_response, op, status);
}

/* --- what is called ------------------------------------------------------------------ */

/*
 * @func:	a probe, or what calls all of a tracepoint's one after the other
 * @data:	its first argument
 */
struct call {
	struct load *load;
	void *func;
	void *data;
};

typedef void (*bio_probe)(void *data, struct bio *bio);
typedef void (*split_probe)(void *data, struct bio *bio, unsigned int new_sector);
typedef void (*remap_probe)(void *data, struct bio *bio, dev_t dev, sector_t from);
typedef void (*rq_probe)(void *data, struct request *rq);
typedef void (*complete_probe)(void *data, struct request *rq, blk_status_t error,
			       unsigned int nr_bytes);

static void call_bio(const struct call *c)
{
	((bio_probe)c->func)(c->data, &c->load->bio);
}

static void call_split(const struct call *c)
{
	((split_probe)c->func)(c->data, &c->load->bio, 0);
}

static void call_remap(const struct call *c)
{
	struct bio *bio = &c->load->bio;

	((remap_probe)c->func)(c->data, bio, bio->bi_bdev->bd_dev + 1, 2048);
}

static void call_rq(const struct call *c)
{
	((rq_probe)c->func)(c->data, c->load->rq);
}

static void call_complete(const struct call *c)
{
	((complete_probe)c->func)(c->data, c->load->rq, BLK_STS_OK, 4096);
}

static void call_nothing(const struct call *c)
{
	nothing();
}

/* What parts of a probe cost. */

static void call_probed(const struct call *c)
{
	probe_count_probed();
}

static void call_interrupts_off(const struct call *c)
{
	unsigned long flags;

	local_irq_save(flags);
	nothing();
	local_irq_restore(flags);
}

static void call_tsc(const struct call *c)
{
	u64 now = rdtsc_ordered();

	asm volatile("" : : "r"(now));
	nothing();
}

/* A ring is known by its address alone. */
static void call_blkif_interrupt(const struct call *c)
{
	blkif_interrupt(0, &ours);
}

static void call_blkif_queue_rq(const struct call *c)
{
	const struct blk_mq_queue_data bd = {.rq = c->load->rq};

	blkif_queue_rq(NULL, &bd);
}

static void call_get_id_from_freelist(const struct call *c)
{
	get_id_from_freelist(&ours);
}

static void call_xen_blkif_be_int(const struct call *c)
{
	xen_blkif_be_int(0, &ours);
}

static void call_xen_blkbk_map(const struct call *c)
{
	xen_blkbk_map(&ours);
}

static void call_unmap(const struct call *c)
{
	struct gntab_unmap_queue_data data = {.data = &ours};

	xen_blkbk_unmap_and_respond_callback(0, &data);
}

static void call_make_response(const struct call *c)
{
	make_response(&ours, 1, BLKIF_OP_READ, 0);
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

typedef void (*caller)(const struct call *c);

static const struct {
	const char *tracepoint;
	caller call;
} tracepoints[] = {
	{"block_bio_queue", call_bio},	      {"block_bio_backmerge", call_bio},
	{"block_bio_frontmerge", call_bio},   {"block_split", call_split},
	{"block_bio_remap", call_remap},      {"block_rq_merge", call_rq},
	{"block_rq_requeue", call_rq},	      {"block_rq_issue", call_rq},
	{"block_rq_complete", call_complete},
};

/* Of our request: what is called is known when the tracepoints have been counted. */
static struct call issue;

static void call_issue_and_queue(const struct call *c)
{
	if (issue.func)
		call_rq(&issue);
	call_blkif_queue_rq(c);
}

/*
 * @before:	called in the same run, and not counted: leaves for @call what it looks for
 */
static const struct {
	const char *name;
	caller call;
	caller before;
} functions[] = {
	{"blkif_interrupt", call_blkif_interrupt},
	{"blkif_queue_rq", call_blkif_queue_rq},
	{"get_id_from_freelist", call_get_id_from_freelist, call_issue_and_queue},
	{"xen_blkbk_map", call_xen_blkbk_map},
	{"xen_blkif_be_int", call_xen_blkif_be_int},
	{"xen_blkbk_unmap_and_respond_callback", call_unmap},
	{"make_response", call_make_response},
	{"part.entry", call_probed},
	{"part.interrupts_off", call_interrupts_off},
	{"part.tsc", call_tsc},
};

/* --- counting ------------------------------------------------------------------------ */

static u64 sample(caller call, caller before, const struct call *c)
{
	unsigned long flags;
	u64 start, end;
	int i;

	local_irq_save(flags);
	if (before)
		before(c);
	start = rdtsc_ordered();
	for (i = 0; i < CALLS; i++)
		call(c);
	end = rdtsc_ordered();
	local_irq_restore(flags);
	return end - start;
}

static u64 smallest(caller call, caller before, const struct call *c, int *agree)
{
	u64 least = U64_MAX, n;
	int i;

	sample(call, before, c); /* the first one names the process, and fills caches */
	for (i = 0, *agree = 0; i < SAMPLES; i++) {
		n = sample(call, before, c);
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
	struct load *load;
	const char *prefix;
	int at;
	u64 base;
};

/* A tracepoint calls its one probe; where there are several, what goes through them. */
static void count_one(struct tracepoint *tp, void *priv)
{
	struct search *search = priv;
	struct tracepoint_func *func;
	struct call c = {.load = search->load};
	int agree;
	u64 n;

	if (strcmp(tp->name, tracepoints[search->at].tracepoint))
		return;
	/* Stays while the capture, which the reader of this file has begun, goes on. */
	func = rcu_dereference_raw(tp->funcs);
	if (!func)
		return;
	c.func = func[1].func ? tp->iterator : func->func;
	c.data = func[1].func ? NULL : func->data;
	if (!strcmp(tp->name, "block_rq_issue") && c.load == &ours)
		issue = c;
	/* The thread is one of blkback's then, whose bios have a record more. */
	n = smallest(tracepoints[search->at].call, call_xen_blkbk_map, &c, &agree);
	seq_printf(search->s, "%s%s %llu %d\n", search->prefix, tp->name,
		   (n - search->base) / CALLS, agree);
}

static void count_tracepoints(struct seq_file *s, const char *prefix, struct load *load,
			      u64 base)
{
	struct search search = {.s = s, .load = load, .prefix = prefix, .base = base};

	for (search.at = 0; search.at < ARRAY_SIZE(tracepoints); search.at++)
		for_each_kernel_tracepoint(count_one, &search);
}

static void count_functions(struct seq_file *s)
{
	const struct call c = {.load = &ours};
	u64 base, n;
	int i, agree;

	base = smallest(call_nothing, NULL, &c, &agree);
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		n = smallest(functions[i].call, functions[i].before, &c, &agree);
		seq_printf(s, "%s %llu %d\n", functions[i].name, (n - base) / CALLS,
			   agree);
	}
}

struct counting {
	struct seq_file *s;
	struct completion done;
};

static int count(void *data)
{
	struct call none = {.load = &ours, .func = no_probe};
	struct call nops = {.load = &ours, .func = nop_probe};
	struct counting *counting = data;
	struct seq_file *s = counting->s;
	int agree;
	u64 base, n;

	base = smallest(call_bio, NULL, &none, &agree);
	seq_printf(s, "call %llu %d\n", base / CALLS, agree);
	n = smallest(call_bio, NULL, &nops, &agree);
	seq_printf(s, "nops_%d %llu %d\n", NOPS, (n - base) / CALLS, agree);
	count_tracepoints(s, "", &ours, base);
	if (foreign)
		count_tracepoints(s, "foreign.", &others, base);
	count_functions(s);
	complete(&counting->done);
	return 0;
}

/* By a thread, so that it can have any name. */
static int counts_show(struct seq_file *s, void *unused)
{
	struct counting counting = {.s = s};
	struct task_struct *task = kthread_create(count, &counting, "%s", thread);

	if (IS_ERR(task))
		return PTR_ERR(task);
	init_completion(&counting.done);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&counting.done);
	/* It has left this module's code, too. */
	kthread_stop(task);
	put_task_struct(task);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

/* --- the loads ----------------------------------------------------------------------- */

static void load_exit(struct load *load)
{
	if (!load->bdev)
		return;
	if (load->rq) {
		load->rq->bio = NULL;
		blk_mq_free_request(load->rq);
	}
	blkdev_put(load->bdev, FMODE_READ);
}

static int load_init(struct load *load, const char *path)
{
	struct block_device *bdev = blkdev_get_by_path(path, FMODE_READ, NULL);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	load->bdev = bdev;
	load->rq = blk_mq_alloc_request(bdev_get_queue(bdev), REQ_OP_READ, 0);
	if (IS_ERR(load->rq)) {
		int err = PTR_ERR(load->rq);

		load->rq = NULL;
		load_exit(load);
		return err;
	}
	bio_init(&load->bio, bdev, NULL, 0, REQ_OP_READ);
	load->bio.bi_iter.bi_sector = 8;
	load->bio.bi_iter.bi_size = 4096;
	load->rq->bio = &load->bio;
	load->rq->__sector = 8;
	load->rq->__data_len = 4096;
	return 0;
}

static void empty_probe(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			struct ftrace_regs *regs)
{
	barrier();
}

/* As the modules' are. */
static struct ftrace_ops empty_ops = {
	.func = empty_probe,
	.flags = FTRACE_OPS_FL_PERMANENT,
};

static int probe_init(void)
{
	static char name[] = "probe_count_probed";
	int err = ftrace_set_filter(&empty_ops, name, strlen(name), 1);

	if (!err)
		err = register_ftrace_function(&empty_ops);
	if (err)
		ftrace_free_filter(&empty_ops);
	return err;
}

static void probe_exit(void)
{
	unregister_ftrace_function(&empty_ops);
	ftrace_free_filter(&empty_ops);
}

static int __init probe_count_init(void)
{
	int err = probe_init();

	if (err)
		return err;
	err = load_init(&ours, disk);
	if (err)
		goto err_probe;
	if (foreign) {
		err = load_init(&others, foreign);
		if (err)
			goto err_ours;
	}
	dir = debugfs_create_dir("probe-count", NULL);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	return 0;

err_ours:
	load_exit(&ours);
err_probe:
	probe_exit();
	return err;
}

static void __exit probe_count_exit(void)
{
	debugfs_remove(dir);
	load_exit(&others);
	load_exit(&ours);
	probe_exit();
}

module_init(probe_count_init);
module_exit(probe_count_exit);

MODULE_DESCRIPTION("Instructions of each probe on a request's way");
MODULE_LICENSE("GPL");
