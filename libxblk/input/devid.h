/* SPDX-License-Identifier: GPL-2.0-only */
/* What a disk's number in XenStore means to the guest. */
#ifndef LIBXBLK_DEVID_H
#define LIBXBLK_DEVID_H

#include <stddef.h>

/**
 * devid_name() - how Linux' blkfront names the disk, whatever XenStore calls it
 * @to:		such as "xvdc", where XenStore has "sdc", "hdc" or a number; "" if none
 *has that number
 * @size:	of @to
 * @devid:	of the disk
 */
void devid_name(char *to, size_t size, unsigned int devid);

#endif
