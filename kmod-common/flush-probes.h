/* SPDX-License-Identifier: GPL-2.0-only */
/* Which flush a request waits for. */
#ifndef XBLK_FLUSH_PROBES_H
#define XBLK_FLUSH_PROBES_H

#include <linux/types.h>

struct request;
struct seq_file;

void xblk_flush_probes_attach(void);
void xblk_flush_probes_detach(void);
void xblk_flush_probes_show(struct seq_file *s, bool attached);
const char *xblk_flush_probes_name(void);
unsigned long xblk_emit_flush_queue(const struct request *rq, int disk, u64 now);

#endif /* XBLK_FLUSH_PROBES_H */
