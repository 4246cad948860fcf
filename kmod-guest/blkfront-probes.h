/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLKFRONT_PROBES_H
#define XBLK_BLKFRONT_PROBES_H

#include <linux/types.h>

int blkfront_probes_init(void);
void blkfront_probes_exit(void);
const char *blkfront_probes_attach(bool order);
void blkfront_probes_detach(void);

#endif /* XBLK_BLKFRONT_PROBES_H */
