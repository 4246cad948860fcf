/* SPDX-License-Identifier: GPL-2.0-only */
/* What is traced in the backend domain: which domains' disks, and which of its own. */
#ifndef XBLK_TRACED_H
#define XBLK_TRACED_H

#include <linux/types.h>

int traced_add(char *args);
void traced_show(void);
void traced_hide(void);
void traced_free(void);
bool traced_domain(unsigned int domid);

#endif /* XBLK_TRACED_H */
