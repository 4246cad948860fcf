// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the backend's event reaches the guest: a probe on blkfront's interrupt
 * handler, where this kernel has it by that name.  It parts the way back (0-T)
 * into notification and what the guest does then; without it that part is one.
 */
#include <linux/irqflags.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/emit.h"
#include "../kmod-common/entry-probes.h"
#include "blkfront-probes.h"

static void interrupt_entered(unsigned long ip, unsigned long parent,
			      struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	/* blkif_interrupt(int irq, void *ring_info) */
	struct xblk_record rec = {
		.aux = xblk_id((const void *)xblk_entry_argument(regs, 1)),
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_INTERRUPT,
	};
	unsigned long flags;

	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	local_irq_restore(flags);
}

static struct xblk_entry_probe probe = {"blkif_interrupt", interrupt_entered};

/**
 * blkfront_probes_attach() - where this kernel lets it.  Process context.
 *
 * Return: the names of the functions that are probed, with spaces between them.
 */
const char *blkfront_probes_attach(void)
{
	return xblk_entry_probe_attach(&probe) ? "" : probe.name;
}

/**
 * blkfront_probes_detach() - it does not run any more on return.  Process context.
 */
void blkfront_probes_detach(void)
{
	xblk_entry_probe_detach(&probe);
}
