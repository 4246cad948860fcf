// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that device mapper sends on as requests: dm-multipath, unless it was told to
 * work with bios.  What the lower disk is given is a clone with bios of its own, so that
 * nothing else ties it to the request above.
 */
#include <trace/events/block.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/disks.h"
#include "../kmod-common/emit.h"
#include "../kmod-common/tracepoints.h"
#include "dm-probes.h"

static void probe_rq_remap(void *data, struct request *clone, dev_t dev, sector_t from)
{
	int disk = xblk_disk_index(clone->q->disk);
	struct xblk_place place = {};
	unsigned long flags;
	int from_disk;
	u64 now;

	if (disk < 0 || xblk_rq_left_out(clone))
		return;
	/* A multipath target's paths are the same disk, so all have the same sectors. */
	from_disk = from == blk_rq_pos(clone) ? xblk_dev_index(dev) : -1;
	local_irq_save(flags);
	now = xblk_clock_now();
	if (likely(xblk_emit_begin(&place, now))) {
		*place.rec = (struct xblk_record){
			.time = now,
			.sector = blk_rq_sectors(clone) ? blk_rq_pos(clone) : 0,
			.nr_sectors = blk_rq_sectors(clone),
			.id = xblk_id(clone),
			.aux = from_disk < 0 ? XBLK_NO_DISK : from_disk,
			.disk = disk,
			.event = XBLK_EV_RQ_REMAP,
		};
		xblk_emit_end(&place);
	}
	local_irq_restore(flags);
}

static struct xblk_tracepoint tracepoints[] = {
	{"block_rq_remap", probe_rq_remap},
};

/* A prototype that changed fails here, at compile time. */
static void __maybe_unused check_prototype(void)
{
	check_trace_callback_type_block_rq_remap(probe_rq_remap);
}

static void show(struct seq_file *s, bool attached)
{
	if (attached)
		seq_printf(s, " %s", tracepoints[0].name);
}

const struct probe_group dm_group = {
	.tracepoints = tracepoints,
	.nr_tracepoints = ARRAY_SIZE(tracepoints),
	.show = show,
};
