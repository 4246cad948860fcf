/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The processor's own counter, which takes a few nanoseconds to read: for telling
 * whether something was just now, not when.  Elsewhere than on x86 it may count a
 * hundred times slower (Arm's does), so there is none, and it is always 0.
 */
#ifndef XENRELAY_CYCLES_H
#define XENRELAY_CYCLES_H

#if !defined(__x86_64__)
#define xr_cycles() 0ull
#define xr_relax()  ((void)0)
#elif defined(__KERNEL__)
#include <linux/processor.h>
#include <linux/timex.h>
#define xr_cycles() ((uint64_t)get_cycles())
#define xr_relax()  cpu_relax()
#else
#define xr_cycles() ((uint64_t)__builtin_ia32_rdtsc())
#define xr_relax()  __builtin_ia32_pause()
#endif

#endif /* XENRELAY_CYCLES_H */
