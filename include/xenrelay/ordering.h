/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Memory ordering between the two ends of a channel, which run in different
 * domains and so on different kernels: the virt_*() forms stay even when the
 * guest's kernel is built for one processor and compiles smp_*() away.
 *
 *   producer (guest)                      consumer (reader)
 *   store items                           load-acquire head      (pairs with A)
 *   store-release head          (A)       load items
 *   load-acquire tail  (pairs with B)     store-release tail     (B)
 *   overwrite items
 *
 * A ring in overwrite mode is a sequence lock, whose count is the head:
 *
 *   store-release head                    load-acquire head
 *   write barrier             (C)         load items
 *   store items                           read barrier           (pairs with C)
 *                                         load head once more
 */
#ifndef XENRELAY_ORDERING_H
#define XENRELAY_ORDERING_H

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
#define xblk_load_acquire(ptr)	     virt_load_acquire(ptr)
#define xblk_store_release(ptr, val) virt_store_release(ptr, val)
#define xblk_load_once(ptr)	     READ_ONCE(*(ptr))
#define xblk_store_once(ptr, val)    WRITE_ONCE(*(ptr), val)
#define xblk_wmb()		     virt_wmb()
#define xblk_rmb()		     virt_rmb()
#define xblk_mb()		     virt_mb()
#define xblk_cmpxchg_local(p, o, n)  cmpxchg_local(p, o, n)
#else
#include <stdbool.h>
#include <stdint.h>
#define xblk_load_acquire(ptr)	     __atomic_load_n(ptr, __ATOMIC_ACQUIRE)
#define xblk_store_release(ptr, val) __atomic_store_n(ptr, val, __ATOMIC_RELEASE)
#define xblk_load_once(ptr)	     __atomic_load_n(ptr, __ATOMIC_RELAXED)
#define xblk_store_once(ptr, val)    __atomic_store_n(ptr, val, __ATOMIC_RELAXED)
#define xblk_wmb()		     __atomic_thread_fence(__ATOMIC_RELEASE)
#define xblk_rmb()		     __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xblk_mb()		     __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Against interrupts of this CPU alone, as the kernel's: a signal, in user space. */
static inline uint64_t xblk_cmpxchg_local(uint64_t *ptr, uint64_t old, uint64_t value)
{
#ifdef __x86_64__
	__asm__ volatile("cmpxchgq %2, %1"
			 : "+a"(old), "+m"(*ptr)
			 : "r"(value)
			 : "memory", "cc");
#else
	__atomic_compare_exchange_n(ptr, &old, value, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
#endif
	return old;
}
#endif

#endif /* XENRELAY_ORDERING_H */
