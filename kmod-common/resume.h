/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_RESUME_H
#define XBLK_RESUME_H

void xblk_resume_register(void (*callback)(void));
void xblk_resume_unregister(void);

#endif /* XBLK_RESUME_H */
