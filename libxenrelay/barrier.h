/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The reader's side of the channel's memory ordering, all of it.
 *
 * The guest runs on other CPUs and in another kernel; only the memory is
 * shared.  C11 atomics give the ordering that virt_load_acquire() and
 * virt_store_release() give in the guest, and make each position one access
 * that the compiler can neither split nor repeat: what is checked is what is
 * used, whatever the guest writes in between.
 *
 * Pairs (producer: the guest's ring; consumer: ring.c):
 *
 *   producer: items, then store-release head   ->  consumer: load-acquire head, copy
 *   consumer: copy, then store-release tail    ->  producer: load-acquire tail, reuse
 *   producer: last head, store-release state   ->  consumer: load-acquire state, last read
 */
#ifndef XENRELAY_BARRIER_H
#define XENRELAY_BARRIER_H

#include <stdatomic.h>

#include "xblk/types.h"

_Static_assert(sizeof(void *) == 8,
	       "a position is read in one access on 64-bit machines only");

static inline xblk_le64 xr_load_acquire64(const xblk_le64 *p)
{
	return atomic_load_explicit((const _Atomic xblk_le64 *)p, memory_order_acquire);
}

static inline xblk_le32 xr_load_acquire32(const xblk_le32 *p)
{
	return atomic_load_explicit((const _Atomic xblk_le32 *)p, memory_order_acquire);
}

/* For counters that order nothing. */
static inline xblk_le64 xr_load64(const xblk_le64 *p)
{
	return atomic_load_explicit((const _Atomic xblk_le64 *)p, memory_order_relaxed);
}

static inline void xr_store_release64(xblk_le64 *p, xblk_le64 v)
{
	atomic_store_explicit((_Atomic xblk_le64 *)p, v, memory_order_release);
}

static inline void xr_store_release8(xblk_u8 *p, xblk_u8 v)
{
	atomic_store_explicit((_Atomic xblk_u8 *)p, v, memory_order_release);
}

#endif /* XENRELAY_BARRIER_H */
