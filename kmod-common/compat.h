/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the modules are built for: here, and nowhere
 * else. What has no sign for the preprocessor is found out by features.mk.
 */
#ifndef XBLK_COMPAT_H
#define XBLK_COMPAT_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/syscore_ops.h>
#include <linux/types.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "Linux 6.1 or later is needed"
#endif

/* --- a function's entry --------------------------------------------------------------
 *
 * A probe's first two arguments are addresses of the probed function and of its caller.
 */
struct ftrace_ops;
struct ftrace_regs;

typedef void (*xblk_entry_func)(unsigned long ip, unsigned long parent,
				struct ftrace_ops *ops, struct ftrace_regs *regs);

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS

#include <linux/ftrace.h>
#include <linux/ptrace.h>

/* 94d095ffa0e1, Linux 6.2: before that the arguments are had only from the registers. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define xblk_entry_argument(regs, n) ftrace_regs_get_argument(regs, n)
#else
#define xblk_entry_argument(fregs, n) regs_get_kernel_argument(&(fregs)->regs, n)
#endif

struct xblk_entry_ops {
	struct ftrace_ops ops;
};

static inline int xblk_entry_register(struct xblk_entry_ops *entry, const char *name,
				      xblk_entry_func func)
{
	int err;

	entry->ops = (struct ftrace_ops){
		.func = func,
		/* Else kernel.ftrace_enabled=0 would silence it unnoticed. */
		.flags = FTRACE_OPS_FL_PERMANENT,
	};
	err = ftrace_set_filter(&entry->ops, (unsigned char *)name, strlen(name), 1);
	if (!err)
		err = register_ftrace_function(&entry->ops);
	if (err)
		ftrace_free_filter(&entry->ops);
	return err;
}

/* Return: 0: the probe does not run any more.  Else it may, at any time. */
static inline int xblk_entry_unregister(struct xblk_entry_ops *entry)
{
	int err = unregister_ftrace_function(&entry->ops);

	if (!err)
		ftrace_free_filter(&entry->ops);
	return err;
}

#else /* no CONFIG_FUNCTION_TRACER, or no CONFIG_DYNAMIC_FTRACE */

#define xblk_entry_argument(regs, n) ((void)(regs), 0UL)

struct xblk_entry_ops {
};

static inline int xblk_entry_register(struct xblk_entry_ops *entry, const char *name,
				      xblk_entry_func func)
{
	return -EOPNOTSUPP;
}

static inline int xblk_entry_unregister(struct xblk_entry_ops *entry)
{
	return 0;
}

#endif

/* --- calls out of a fast path ---------------------------------------------------------
 *
 * Such a call is rare, and yet what is live around it would be kept in registers
 * that each run of the function saves and restores.  So a thunk makes it, which
 * leaves them all as they are: the kernel has such thunks for Xen's interrupt flag.
 *
 *	unsigned long f(...);		not static; of up to three words
 *	XBLK_RARE(f);			beside its definition
 *	xblk_rarely2(f, a, b)		with two
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_PARAVIRT)

#include <asm/asm.h>
#include <asm/paravirt.h>

#define XBLK_RARE(f)	      PV_CALLEE_SAVE_REGS_THUNK(f)
#define xblk_rarely0(f)	      xblk_rarely3(f, 0, 0, 0)
#define xblk_rarely1(f, a)    xblk_rarely3(f, a, 0, 0)
#define xblk_rarely2(f, a, b) xblk_rarely3(f, a, b, 0)
#define xblk_rarely3(f, a, b, c)                                                 \
	({                                                                       \
		unsigned long result;                                            \
                                                                                 \
		asm volatile("call " PV_THUNK_NAME(f)                            \
			     : "=a"(result), ASM_CALL_CONSTRAINT                 \
			     : "D"((unsigned long)(a)), "S"((unsigned long)(b)), \
			       "d"((unsigned long)(c))                           \
			     : "memory", "cc");                                  \
		result;                                                          \
	})

#else

#define XBLK_RARE(f)		 static_assert(true)
#define xblk_rarely0(f)		 f()
#define xblk_rarely1(f, a)	 f(a)
#define xblk_rarely2(f, a, b)	 f(a, b)
#define xblk_rarely3(f, a, b, c) f(a, b, c)

#endif

/* --- the time-stamp counter ----------------------------------------------------------- */
#ifdef CONFIG_X86

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include <asm/xen/hypervisor.h>

/* In the order of the program. */
#define xblk_tsc() rdtsc_ordered()
/* Xen traps each reading: bit 0 of the first word of its leaf 3
 * (public/arch-x86/cpuid.h). */
static inline bool xblk_tsc_emulated(void)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(xen_cpuid_base() + 3, 0, &eax, &ebx, &ecx, &edx);
	return eax & 1;
}

/* It counts at one rate, whatever the processor does. */
static inline bool xblk_tsc_invariant(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	       boot_cpu_has(X86_FEATURE_NONSTOP_TSC) && !check_tsc_unstable();
}

#else

#define xblk_tsc()	     0ULL
#define xblk_tsc_emulated()  true
#define xblk_tsc_invariant() false

#endif

/* --- what is called at a resume ------------------------------------------------------
 *
 * The version does not tell which shape it has: stable releases of older kernels got the
 * newer one, too (6.12.117 has it).
 */
#ifdef XBLK_HAVE_STRUCT_SYSCORE
#define XBLK_SYSCORE_RESUME(name, callback)            \
	static void name##_resume(void *data)          \
	{                                              \
		callback();                            \
	}                                              \
	static const struct syscore_ops name##_ops = { \
		.resume = name##_resume,               \
	};                                             \
	static struct syscore name = {                 \
		.ops = &name##_ops,                    \
	}
#else
#define XBLK_SYSCORE_RESUME(name, callback) \
	static void name##_resume(void)     \
	{                                   \
		callback();                 \
	}                                   \
	static struct syscore_ops name = {  \
		.resume = name##_resume,    \
	}
#define register_syscore   register_syscore_ops
#define unregister_syscore unregister_syscore_ops
#endif

#endif /* XBLK_COMPAT_H */
