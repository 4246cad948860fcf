/* SPDX-License-Identifier: GPL-2.0-only */
/* From a probe to the stream of this CPU, with the name that goes before it. */
#ifndef XBLK_EMIT_H
#define XBLK_EMIT_H

#include "xblk/record.h"

int xblk_emit_init(void);
void xblk_emit_exit(void);
void xblk_emit_reset(u32 records);

void xblk_emit(const struct xblk_record *rec);
void xblk_emit_pid(const struct xblk_record *rec);

/**
 * xblk_sink() - write one record to the stream of this CPU
 *
 * Provided by each module.  Called with interrupts off.
 * Return: false if there was no room; the sink has counted that as one loss, and
 * whoever reads the stream finds out about it there.
 */
bool xblk_sink(const struct xblk_record *rec);

#endif /* XBLK_EMIT_H */
