# SPDX-License-Identifier: GPL-2.0-only
# What differs between kernels and has no sign for the preprocessor, told to kmod-common/resume.c. The version does
# not tell it: stable releases of older kernels got the newer shape, too (6.12.117 has it).
ccflags-y += $(if $(shell grep -s '^struct syscore {' $(srctree)/include/linux/syscore_ops.h),-DXBLK_HAVE_STRUCT_SYSCORE)
