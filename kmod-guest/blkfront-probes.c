// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the backend's event reaches the guest: a kprobe on blkfront's interrupt
 * handler, where this kernel has it by that name.  It parts the way back (0-T)
 * into notification and what the guest does then; without it that part is one.
 *
 * At a function's entry the kprobe rests on ftrace, where the kernel can do
 * that.  Where it cannot, the probe is a breakpoint, whose handler runs like an
 * NMI: Xenrelay would refuse and count each record, so it is done without then.
 */
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/emit.h"
#include "blkfront-probes.h"

static int interrupt_entered(struct kprobe *kp, struct pt_regs *regs)
{
	/* blkif_interrupt(int irq, void *ring_info) */
	struct xblk_record rec = {
		.aux = xblk_id((const void *)regs_get_kernel_argument(regs, 1)),
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_INTERRUPT,
	};
	unsigned long flags;

	local_irq_save(flags);
	rec.time = xblk_clock_now();
	xblk_emit(&rec);
	local_irq_restore(flags);
	return 0;
}

static struct kprobe probe;
static bool attached;

/**
 * blkfront_probes_attach() - where this kernel lets it.  Process context.
 *
 * Return: the names of the functions that are probed, with spaces between them.
 */
const char *blkfront_probes_attach(void)
{
	/* A kprobe that was registered once must start from nothing. */
	probe = (struct kprobe){
		.symbol_name = "blkif_interrupt",
		.pre_handler = interrupt_entered,
	};
	attached = !register_kprobe(&probe);
	if (attached && !kprobe_ftrace(&probe)) {
		unregister_kprobe(&probe);
		attached = false;
	}
	if (!attached)
		pr_info("no probe on blkfront's interrupt in this kernel\n");
	return attached ? probe.symbol_name : "";
}

/**
 * blkfront_probes_detach() - it does not run any more on return.  Process context.
 */
void blkfront_probes_detach(void)
{
	if (attached)
		unregister_kprobe(&probe);
	attached = false;
}
