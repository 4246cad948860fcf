/* SPDX-License-Identifier: GPL-2.0-only */
/* The stages of a request's way. */
#ifndef XBLKPARSE_STAGE_H
#define XBLKPARSE_STAGE_H

/* In the order in which a request passes them; their sum is Q2C. */
enum stage {
	STAGE_U_Q2D,
	STAGE_U_T,
	STAGE_0_Q2D,
	STAGE_0_D2C,
	STAGE_0_T,
	STAGE_PARTS,
	STAGE_Q2C = STAGE_PARTS,
	STAGE_MAX
};

extern const char *const stage_names[STAGE_MAX];

#endif
