// SPDX-License-Identifier: GPL-2.0-only
/*
 * One capture in the backend domain: which disks and guests, and the relay
 * files that its records go to.
 *
 * Commands:
 *   start subbuf_kb=N nr_subbufs=N domids=D,... disks=MAJOR:MINOR,...
 *	A disk's index in the records is its place in the list.
 *   stop
 *	No record comes after it; the files can be read until the session ends.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/relay.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <xen/interface/xen.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/disks.h"
#include "../kmod-common/emit.h"
#include "blkback-probes.h"
#include "session.h"

#define DEFAULT_SUBBUF_KB  256
#define DEFAULT_NR_SUBBUFS 8
#define MAX_BUFFER_KB	   (256 * 1024) /* of one CPU */

/**
 * struct session_stream - the records of one CPU, in its relay buffer
 * @slot:	where the next record goes
 * @written:	records put into the buffer; by the producer, interrupts off
 * @lost:	records that found it full
 * @read:	records taken out; by trace_read()
 */
struct session_stream {
	u32 slot;
	u64 written;
	u64 lost;
	u64 read ____cacheline_aligned;
};

static DEFINE_MUTEX(session_lock); /* start, stop, end and show, against each other */
static struct rchan *relay;
static bool tracing;
static struct xblk_disks disks;
static DECLARE_BITMAP(domains, DOMID_FIRST_RESERVED);
static u32 capacity; /* records that a buffer holds */
static DEFINE_PER_CPU_ALIGNED(struct session_stream, streams);

bool session_traces_domain(unsigned int domid)
{
	return domid < DOMID_FIRST_RESERVED && test_bit(domid, domains);
}

int xblk_dev_index(dev_t dev)
{
	return xblk_disks_find(&disks, dev);
}

int xblk_disk_index(struct gendisk *disk)
{
	return xblk_dev_index(disk_devt(disk));
}

/*
 * Relay has the buffers and the files; the positions are our own.  With
 * relay's, a reader that comes while a full sub-buffer is left, or finds none
 * free, skips or repeats records without anybody's counting them:
 * relay_file_read_avail() is not made for a reader beside a writer that stops.
 */
bool xblk_sink(const struct xblk_record *rec)
{
	struct session_stream *stream = this_cpu_ptr(&streams);
	struct rchan_buf *buf = *this_cpu_ptr(relay->buf);

	/* Pairs with trace_read()'s store-release of its position. */
	if (unlikely(!buf ||
		     stream->written - smp_load_acquire(&stream->read) >= capacity)) {
		stream->lost++;
		return false;
	}
	memcpy(buf->start + (size_t)stream->slot * sizeof(*rec), rec, sizeof(*rec));
	if (++stream->slot == capacity)
		stream->slot = 0;
	/* Pairs with trace_read()'s load-acquire. */
	smp_store_release(&stream->written, stream->written + 1);
	return true;
}

/* Whole records, at most up to the end of the buffer; 0 when there is none. */
static ssize_t trace_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	struct rchan_buf *buf = file->private_data;
	struct session_stream *stream = per_cpu_ptr(&streams, buf->cpu);
	u64 n;
	u32 at;

	inode_lock(file_inode(file));
	div_u64_rem(stream->read, capacity, &at);
	n = min3(smp_load_acquire(&stream->written) - stream->read,
		 (u64)len / sizeof(struct xblk_record), (u64)capacity - at);
	if (copy_to_user(to, buf->start + (size_t)at * sizeof(struct xblk_record),
			 n * sizeof(struct xblk_record))) {
		inode_unlock(file_inode(file));
		return -EFAULT;
	}
	smp_store_release(&stream->read, stream->read + n);
	inode_unlock(file_inode(file));
	return n * sizeof(struct xblk_record);
}

static int trace_open(struct inode *inode, struct file *file)
{
	return relay_file_operations.open(inode, file);
}

static int trace_release(struct inode *inode, struct file *file)
{
	return relay_file_operations.release(inode, file);
}

static const struct file_operations trace_fops = {
	.owner = THIS_MODULE,
	.open = trace_open,
	.release = trace_release,
	.read = trace_read,
};

static struct dentry *create_buf_file(const char *filename, struct dentry *parent,
				      umode_t mode, struct rchan_buf *buf, int *is_global)
{
	return debugfs_create_file(filename, mode, parent, buf, &trace_fops);
}

static int remove_buf_file(struct dentry *dentry)
{
	debugfs_remove(dentry);
	return 0;
}

static const struct rchan_callbacks relay_callbacks = {
	.create_buf_file = create_buf_file,
	.remove_buf_file = remove_buf_file,
};

static int parse_domids(char *list)
{
	unsigned int domid;
	char *item;

	while ((item = strsep(&list, ","))) {
		if (kstrtouint(item, 10, &domid) || domid >= DOMID_FIRST_RESERVED)
			return -EINVAL;
		set_bit(domid, domains);
	}
	return 0;
}

static int parse_disks(char *list)
{
	unsigned int major, minor;
	u16 index = 0;
	char *item;

	while ((item = strsep(&list, ","))) {
		if (sscanf(item, "%u:%u", &major, &minor) != 2 ||
		    major >= 1 << (32 - MINORBITS) || minor > MINORMASK ||
		    xblk_disks_find(&disks, MKDEV(major, minor)) >= 0)
			return -EINVAL;
		if (!xblk_disks_add(&disks, MKDEV(major, minor), index++))
			return -E2BIG;
	}
	return 0;
}

static int session_start(char *args, struct dentry *dir)
{
	unsigned int subbuf_kb = DEFAULT_SUBBUF_KB, nr_subbufs = DEFAULT_NR_SUBBUFS;
	char *arg;
	int cpu, err;

	if (relay)
		return -EBUSY;
	memset(&disks, 0, sizeof(disks));
	bitmap_zero(domains, DOMID_FIRST_RESERVED);
	while ((arg = strsep(&args, " "))) {
		char *value = arg;
		char *key = strsep(&value, "=");

		if (!*key && !value)
			continue;
		if (!value)
			return -EINVAL;
		if (!strcmp(key, "subbuf_kb"))
			err = kstrtouint(value, 10, &subbuf_kb);
		else if (!strcmp(key, "nr_subbufs"))
			err = kstrtouint(value, 10, &nr_subbufs);
		else if (!strcmp(key, "domids"))
			err = parse_domids(value);
		else if (!strcmp(key, "disks"))
			err = parse_disks(value);
		else
			err = -EINVAL;
		if (err)
			return err;
	}
	if (!subbuf_kb || nr_subbufs < 2 || subbuf_kb > MAX_BUFFER_KB / nr_subbufs ||
	    !disks.entry[0])
		return -EINVAL;
	/* Relay's allocation would rather kill processes than fail. */
	if ((u64)subbuf_kb * nr_subbufs * num_online_cpus() >
	    (u64)si_mem_available() << (PAGE_SHIFT - 10) >> 1)
		return -ENOMEM;

	for_each_possible_cpu (cpu)
		per_cpu(streams, cpu) = (struct session_stream){};
	xblk_emit_reset();
	capacity = subbuf_kb * 1024 / sizeof(struct xblk_record) * nr_subbufs;
	/* A CPU that comes up in between would have no buffer. */
	cpus_read_lock();
	relay = relay_open("trace", dir, subbuf_kb * 1024, nr_subbufs, &relay_callbacks,
			   NULL);
	cpus_read_unlock();
	if (!relay)
		return -ENOMEM;
	err = xblk_blk_probes_attach();
	if (err)
		goto err_relay;
	blkback_probes_attach();
	tracing = true;
	return 0;

err_relay:
	relay_close(relay);
	relay = NULL;
	return err;
}

static void session_stop(void)
{
	if (!tracing)
		return;
	blkback_probes_detach();
	xblk_blk_probes_detach();
	tracing = false;
}

/**
 * session_command() - carry out a line that was written to the control file
 * @command:	the line, which is cut up
 * @dir:	where the relay files go
 *
 * Context: process.  Return: 0; -EINVAL (not understood), -EBUSY (started
 * already), -E2BIG (too many disks), -ENOMEM (half of the free memory would not do), or
 * what attaching a probe gave.
 */
int session_command(char *command, struct dentry *dir)
{
	char *verb = strsep(&command, " ");
	int err = -EINVAL;

	mutex_lock(&session_lock);
	if (!strcmp(verb, "start") && command) {
		err = session_start(command, dir);
	} else if (!strcmp(verb, "stop") && !command) {
		session_stop();
		err = 0;
	}
	mutex_unlock(&session_lock);
	return err;
}

/**
 * session_end() - stop, and give the buffers back.  Context: process.
 */
void session_end(void)
{
	mutex_lock(&session_lock);
	session_stop();
	if (relay)
		relay_close(relay);
	relay = NULL;
	mutex_unlock(&session_lock);
}

/**
 * session_show() - the counters: produced = written + lost, since the start
 * @s:	where to
 */
void session_show(struct seq_file *s)
{
	int cpu;

	mutex_lock(&session_lock);
	for_each_possible_cpu (cpu) {
		const struct session_stream *stream = per_cpu_ptr(&streams, cpu);

		if (relay)
			seq_printf(s, "cpu %d produced %llu lost %llu\n", cpu,
				   stream->written + stream->lost, stream->lost);
	}
	mutex_unlock(&session_lock);
}
