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
#include <linux/debugfs.h>
#include <linux/kdev_t.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/relay.h>
#include <linux/seq_file.h>
#include <linux/string.h>
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
 * struct session_counts - of one CPU, changed with interrupts off
 * @written:	records in the relay buffer
 * @lost:	records that found it full
 */
struct session_counts {
	u64 written;
	u64 lost;
};

static DEFINE_MUTEX(session_lock); /* start, stop, end and show, against each other */
static struct rchan *relay;
static bool tracing;
static struct xblk_disks disks;
static DECLARE_BITMAP(domains, DOMID_FIRST_RESERVED);
static DEFINE_PER_CPU(struct session_counts, counts);

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

/* Relay asks before each new sub-buffer, and again for each record while full. */
static int subbuf_start(struct rchan_buf *buf, void *subbuf, void *prev_subbuf,
			size_t prev_padding)
{
	return !relay_buf_full(buf);
}

static struct dentry *create_buf_file(const char *filename, struct dentry *parent,
				      umode_t mode, struct rchan_buf *buf, int *is_global)
{
	return debugfs_create_file(filename, mode, parent, buf, &relay_file_operations);
}

static int remove_buf_file(struct dentry *dentry)
{
	debugfs_remove(dentry);
	return 0;
}

static const struct rchan_callbacks relay_callbacks = {
	.subbuf_start = subbuf_start,
	.create_buf_file = create_buf_file,
	.remove_buf_file = remove_buf_file,
};

/*
 * The copy comes before the buffer's offset moves, as in relay_write(), so that
 * a reader of an unfinished sub-buffer never sees a record that is not there
 * yet.  relay_write() itself does not tell whether there was room.
 */
bool xblk_sink(const struct xblk_record *rec)
{
	struct session_counts *count = this_cpu_ptr(&counts);
	struct rchan_buf *buf = *this_cpu_ptr(relay->buf);

	if (unlikely(buf->offset + sizeof(*rec) > relay->subbuf_size) &&
	    !relay_switch_subbuf(buf, sizeof(*rec))) {
		count->lost++;
		return false;
	}
	memcpy(buf->data + buf->offset, rec, sizeof(*rec));
	/* Pairs with nothing but x86's order of stores, like relay itself. */
	smp_wmb();
	buf->offset += sizeof(*rec);
	count->written++;
	return true;
}

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
		if (sscanf(item, "%u:%u", &major, &minor) != 2)
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

	for_each_possible_cpu (cpu)
		per_cpu(counts, cpu) = (struct session_counts){};
	xblk_emit_reset();
	relay = relay_open("trace", dir, subbuf_kb * 1024, nr_subbufs, &relay_callbacks,
			   NULL);
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
	relay_flush(relay);
	tracing = false;
}

/**
 * session_command() - carry out a line that was written to the control file
 * @command:	the line, which is cut up
 * @dir:	where the relay files go
 *
 * Context: process.  Return: 0; -EINVAL (not understood), -EBUSY (started
 * already), -E2BIG (too many disks), -ENOMEM, or what attaching a probe gave.
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
		const struct session_counts *count = per_cpu_ptr(&counts, cpu);

		if (relay)
			seq_printf(s, "cpu %d produced %llu lost %llu\n", cpu,
				   count->written + count->lost, count->lost);
	}
	mutex_unlock(&session_lock);
}
