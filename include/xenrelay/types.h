/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Fixed-size types of the wire formats, for kernel and user space, C and C++. */
#ifndef XENRELAY_TYPES_H
#define XENRELAY_TYPES_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#define XBLK_STATIC_ASSERT(cond) static_assert(cond)
#else
#include <linux/types.h>
#include <stddef.h>
#ifdef __cplusplus
#define XBLK_STATIC_ASSERT(cond) static_assert(cond, #cond)
#else
#define XBLK_STATIC_ASSERT(cond) _Static_assert(cond, #cond)
#endif
#endif

/*
 * All wire formats are little-endian.  Xen's PV block and grant interfaces
 * exist on little-endian machines only (x86, arm), so these are native types
 * there; a big-endian build is refused rather than silently wrong.
 */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the wire formats need a little-endian machine"
#endif

typedef __u8 xblk_u8;
typedef __u16 xblk_le16;
typedef __u32 xblk_le32;
typedef __u64 xblk_le64;

#endif /* XENRELAY_TYPES_H */
