/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of the guests' I/O is recorded, chosen as blktrace does with its filter masks: by
 * those of its names that say what a request is.  A set of operations has a bit for each
 * of enum xblk_op, XBLK_OP_BIT(); 0 is all of them.
 */
#ifndef XBLKTRACE_ACTIONS_H
#define XBLKTRACE_ACTIONS_H

/*
 * Add what names with commas between them mean, as blktrace's -a does.  Return: NULL, or
 * what is wrong with one of them: the caller's until the next call of either function.
 */
const char *actions_add(const char *names, unsigned int *ops);

/* Set it to what blktrace's -A means by a hexadecimal number.  Return: likewise. */
const char *actions_set(const char *mask, unsigned int *ops);

/*
 * The names of a set, each but the last with a space behind it; "" for all.  The caller's
 * until its next call.
 */
const char *actions_text(unsigned int ops);

#endif /* XBLKTRACE_ACTIONS_H */
