# SPDX-License-Identifier: GPL-2.0-only
# What differs between kernels and has no sign for the preprocessor, told to kmod-common/compat.h.
ccflags-y += $(if $(shell grep -s '^struct syscore {' $(srctree)/include/linux/syscore_ops.h),-DXBLK_HAVE_STRUCT_SYSCORE)
