/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_DM_PROBES_H
#define XBLK_DM_PROBES_H

#include "probes.h"

extern const struct probe_group dm_group;

#endif /* XBLK_DM_PROBES_H */
