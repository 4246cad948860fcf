// SPDX-License-Identifier: GPL-2.0-only
/* Preloaded: as on a Xen before 4.14, which has no hypfs. */
#include <stddef.h>
#include <xenhypfs.h>

xenhypfs_handle *xenhypfs_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	return NULL;
}
