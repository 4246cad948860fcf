/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read behind a kernel's configuration, as if that kernel had been built without function
 * tracing: as Alpine's for virtual machines.
 */
#undef CONFIG_FUNCTION_TRACER
#undef CONFIG_FUNCTION_GRAPH_TRACER
#undef CONFIG_STACK_TRACER
#undef CONFIG_DYNAMIC_FTRACE
#undef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#undef CONFIG_DYNAMIC_FTRACE_WITH_REGS
#undef CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS
#undef CONFIG_FTRACE_MCOUNT_RECORD
#undef CONFIG_KPROBES_ON_FTRACE
#undef CONFIG_FPROBE
