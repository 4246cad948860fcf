/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLKBACK_PROBES_H
#define XBLK_BLKBACK_PROBES_H

struct seq_file;

void blkback_probes_attach(void);
void blkback_probes_forget_rings(void);
void blkback_probes_detach(void);
void blkback_probes_show(struct seq_file *s);

#endif /* XBLK_BLKBACK_PROBES_H */
