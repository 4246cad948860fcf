/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes at the entry of functions that have no tracepoint, where this kernel has them. */
#ifndef XBLK_ENTRY_PROBES_H
#define XBLK_ENTRY_PROBES_H

#include <linux/ftrace.h>
#include <linux/ptrace.h>

#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "a kernel with CONFIG_FUNCTION_TRACER and CONFIG_DYNAMIC_FTRACE is needed"
#endif

/* Before Linux 6.2 the arguments are had only from the registers. */
#ifndef ftrace_regs_get_argument
#define ftrace_regs_get_argument(fregs, n) regs_get_kernel_argument(&(fregs)->regs, n)
#endif

/**
 * struct xblk_entry_probe - a probe and the function that it goes on
 * @name:	the function's
 * @func:	called where the function was, in its context
 * @ops:	filled in by xblk_entry_probe_attach()
 * @attached:	likewise; false again once it is detached
 */
struct xblk_entry_probe {
	const char *name;
	ftrace_func_t func;
	struct ftrace_ops ops;
	bool attached;
};

int xblk_entry_probe_attach(struct xblk_entry_probe *probe);
void xblk_entry_probe_detach(struct xblk_entry_probe *probe);

#endif /* XBLK_ENTRY_PROBES_H */
