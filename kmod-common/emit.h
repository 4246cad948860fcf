/* SPDX-License-Identifier: GPL-2.0-only */
/* From a probe to the stream of this CPU, with the name that goes before it. */
#ifndef XBLK_EMIT_H
#define XBLK_EMIT_H

#include <linux/compiler.h>
#include <linux/types.h>
#include "sink.h"
#include "xblk/record.h"

int xblk_emit_init(void);
void xblk_emit_exit(void);
void xblk_emit_reset(u32 records);

/*
 * xblk_sink(), in each module's sink.h, writes one record to the stream of this CPU with
 * interrupts off.  It returns false if there was no room; it has counted that as one
 * loss, and whoever reads the stream finds out about it there.
 */

extern u32 xblk_emit_names_last;
void xblk_emit_count(void);

/**
 * xblk_emit() - write a record
 * @rec:	the record, its time taken with interrupts off
 *
 * The caller takes the time after it has turned interrupts off, so that the
 * records of a CPU are in the order of their times.
 *
 * Context: interrupts off, not NMI.
 */
static inline void xblk_emit(const struct xblk_record *rec)
{
	if (unlikely(xblk_emit_names_last))
		xblk_emit_count();
	xblk_sink(rec);
}

void xblk_emit_pid(const struct xblk_record *rec);

#endif /* XBLK_EMIT_H */
