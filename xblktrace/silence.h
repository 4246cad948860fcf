/* SPDX-License-Identifier: GPL-2.0-only */
/* A XenStore that does not answer: told, waited for, and given up where somebody has to. */
#ifndef XBLKTRACE_SILENCE_H
#define XBLKTRACE_SILENCE_H

struct capture;

/*
 * From here on the control's requests wait for XenStore as a capture may.  Return: 0, or
 * -1 after an error message.
 */
int silence_begin(struct capture *c);
void silence_end(struct capture *c);

/* In each turn: it has answered. */
void silence_turn(struct capture *c);

#endif /* XBLKTRACE_SILENCE_H */
