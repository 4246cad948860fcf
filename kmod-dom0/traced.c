// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is traced is only ever added to while probes are attached, which look it up: the
 * domains in a bitmap, the disks in a table that is replaced by a larger one.
 *
 * Probes take a second to attach and to detach where the host is busy.  What was named is
 * shown to them in between only: of all kinds the records begin, and end, at a time.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/blkdev.h>
#include <linux/hash.h>
#include <linux/kdev_t.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xen/interface/xen.h>
#include "../kmod-common/disks.h"
#include "traced.h"

/**
 * struct traced_disk - a disk as it was named
 * @seq:	its diskseq
 * @dev:	its device number, 0 if it has none: a path of a multipath device
 */
struct traced_disk {
	u64 seq;
	dev_t dev;
};

/**
 * struct traced_disks - all of them; never written to once probes can see it
 * @nr:		how many they are
 * @by_seq:	their indices
 * @by_dev:	likewise, for a remap, which names its source by number only: the last
 *		of those that had a number one after the other
 * @disk:	a disk's place is its index
 */
struct traced_disks {
	unsigned int nr;
	struct xblk_disks *by_seq;
	struct xblk_disks *by_dev;
	struct traced_disk disk[];
};

static DECLARE_BITMAP(named_domains, DOMID_FIRST_RESERVED);
static struct traced_disks *named_disks;
static bool shown;

/* What probes see of it. */
static DECLARE_BITMAP(domains, DOMID_FIRST_RESERVED);
static struct traced_disks __rcu *traced;

/**
 * traced_domain() - whether a domain's rings are traced.  Any context.
 * @domid:	the domain
 */
bool traced_domain(unsigned int domid)
{
	return domid < DOMID_FIRST_RESERVED && test_bit(domid, domains);
}

/*
 * Numbers of disks go up in steps, and by major: so that they do not crowd, the bits that
 * depend on all others come first.  No two have the same key.
 */
static u64 dev_key(dev_t dev)
{
	return rol32(dev * GOLDEN_RATIO_32, 16);
}

/* With preemption off, as xblk_disk_index() has it. */
int xblk_dev_index(dev_t dev)
{
	const struct traced_disks *disks;
	int index = -1;

	preempt_disable_notrace();
	disks = rcu_dereference_sched(traced);
	if (likely(disks))
		index = xblk_disks_find(disks->by_dev, dev_key(dev));
	preempt_enable_notrace();
	return index;
}

static void disks_free(struct traced_disks *disks)
{
	if (!disks)
		return;
	kvfree(disks->by_seq);
	kvfree(disks->by_dev);
	kvfree(disks);
}

static struct traced_disks *disks_alloc(const struct traced_disks *old, unsigned int nr)
{
	struct traced_disks *disks;

	disks = kvzalloc(struct_size(disks, disk, nr), GFP_KERNEL);
	if (!disks)
		return NULL;
	if (old) {
		memcpy(disks->disk, old->disk, old->nr * sizeof(*old->disk));
		disks->nr = old->nr;
	}
	disks->by_seq = xblk_disks_alloc(nr);
	disks->by_dev = xblk_disks_alloc(nr);
	if (disks->by_seq && disks->by_dev)
		return disks;
	disks_free(disks);
	return NULL;
}

/* Fill the tables.  Backwards: the last disk of a number is the one that is found. */
static int disks_index(struct traced_disks *disks)
{
	unsigned int i = disks->nr;

	while (i--) {
		const struct traced_disk *disk = &disks->disk[i];

		if (xblk_disks_find(disks->by_seq, disk->seq) >= 0)
			return -EINVAL;
		if (!xblk_disks_add(disks->by_seq, disk->seq, i) ||
		    (disk->dev && !xblk_disks_add(disks->by_dev, dev_key(disk->dev), i)))
			return -E2BIG;
	}
	return 0;
}

/* "259:0@17,253:1@20" */
static int parse_disks(struct traced_disks *disks, char *list)
{
	unsigned int major, minor;
	unsigned long long seq;
	char *item;
	int end;

	while ((item = strsep(&list, ","))) {
		end = 0;
		if (sscanf(item, "%u:%u@%llu%n", &major, &minor, &seq, &end) != 3 ||
		    item[end] || major >= 1 << (32 - MINORBITS) || minor > MINORMASK ||
		    !seq || seq > XBLK_DISKS_MAX_KEY)
			return -EINVAL;
		disks->disk[disks->nr++] = (struct traced_disk){
			.seq = seq,
			.dev = MKDEV(major, minor),
		};
	}
	return disks_index(disks);
}

static unsigned int count_items(const char *list)
{
	unsigned int nr = 1;

	for (; *list; list++)
		nr += *list == ',';
	return nr;
}

/* Return: what is traced now and @list, or an error: then nothing has changed. */
static struct traced_disks *more_disks(char *list)
{
	/* Commands come one at a time. */
	const struct traced_disks *old = named_disks;
	unsigned int nr = (old ? old->nr : 0) + count_items(list);
	struct traced_disks *disks;
	int err;

	if (nr > XBLK_MAX_DISKS)
		return ERR_PTR(-E2BIG);
	disks = disks_alloc(old, nr);
	err = disks ? parse_disks(disks, list) : -ENOMEM;
	if (!err)
		return disks;
	disks_free(disks);
	return ERR_PTR(err);
}

static void show(void)
{
	struct traced_disks *disks = shown ? named_disks : NULL;

	rcu_assign_pointer(traced, disks);
	xblk_disks_trace(disks ? disks->by_seq : NULL);
	if (shown)
		bitmap_copy(domains, named_domains, DOMID_FIRST_RESERVED);
	else
		bitmap_zero(domains, DOMID_FIRST_RESERVED);
}

static void set_disks(struct traced_disks *disks)
{
	struct traced_disks *old = named_disks;

	named_disks = disks;
	show();
	if (!old)
		return;
	synchronize_rcu();
	disks_free(old);
}

static int parse_domids(unsigned long *to, char *list)
{
	unsigned int domid;
	char *item;

	while ((item = strsep(&list, ","))) {
		if (kstrtouint(item, 10, &domid) || domid >= DOMID_FIRST_RESERVED)
			return -EINVAL;
		__set_bit(domid, to);
	}
	return 0;
}

static int add(unsigned long *more_domains, struct traced_disks **disks, char *args)
{
	char *value, *key;
	int err;

	while ((value = strsep(&args, " "))) {
		key = strsep(&value, "=");
		if (!value)
			return -EINVAL;
		if (!strcmp(key, XBLK_CONTROL_KEY_DOMIDS)) {
			err = parse_domids(more_domains, value);
			if (err)
				return err;
		} else if (!strcmp(key, XBLK_CONTROL_KEY_DISKS) && !*disks) {
			*disks = more_disks(value);
			if (IS_ERR(*disks))
				return PTR_ERR(*disks);
		} else {
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * traced_add() - trace more, at once between traced_show() and traced_hide()
 * @args:	what follows the word "add", which is cut up
 *
 * Context: process, one call at a time, as of all here.  Return: 0, or a negative errno:
 * then nothing of it is traced.
 */
int traced_add(char *args)
{
	unsigned long *more_domains = bitmap_zalloc(DOMID_FIRST_RESERVED, GFP_KERNEL);
	struct traced_disks *disks = NULL;
	int err;

	if (!more_domains)
		return -ENOMEM;
	err = add(more_domains, &disks, args);
	if (!err) {
		bitmap_or(named_domains, named_domains, more_domains,
			  DOMID_FIRST_RESERVED);
		if (disks)
			set_disks(disks);
		else
			show();
	} else if (!IS_ERR(disks)) {
		disks_free(disks);
	}
	bitmap_free(more_domains);
	return err;
}

/**
 * traced_show() - probes see what was named, from now on.  Context: process.
 */
void traced_show(void)
{
	shown = true;
	show();
}

/**
 * traced_hide() - they see nothing, from a moment later on.  Context: process.
 */
void traced_hide(void)
{
	shown = false;
	show();
}

/**
 * traced_free() - nothing is named any more
 *
 * Context: process, with no probe attached.
 */
void traced_free(void)
{
	bitmap_zero(named_domains, DOMID_FIRST_RESERVED);
	set_disks(NULL);
}
