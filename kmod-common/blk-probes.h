/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLK_PROBES_H
#define XBLK_BLK_PROBES_H

#include <linux/types.h>

struct seq_file;

int xblk_blk_probes_find(void);
int xblk_blk_probes_attach(bool bio_based);
void xblk_blk_probes_detach(void);
void xblk_blk_probes_show(struct seq_file *s);

/* Identity of an object in flight, for a record: see struct xblk_record.id. */
u32 xblk_id(const void *object);

#endif /* XBLK_BLK_PROBES_H */
