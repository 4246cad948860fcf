/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BLKBACK_PROBES_H
#define XBLK_BLKBACK_PROBES_H

#include "probes.h"

extern const struct probe_group blkback_group;

#endif /* XBLK_BLKBACK_PROBES_H */
