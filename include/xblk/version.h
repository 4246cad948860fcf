/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The version of all programs and modules; the Makefile reads it here. */
#ifndef XBLK_VERSION_H
#define XBLK_VERSION_H

#define XBLK_VERSION "0.1.0"

#endif /* XBLK_VERSION_H */
