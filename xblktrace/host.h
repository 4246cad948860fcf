/* SPDX-License-Identifier: GPL-2.0-only */
/* What this machine must offer before a capture can be tried. */
#ifndef XBLKTRACE_HOST_H
#define XBLKTRACE_HOST_H

struct xenrelay_reader;

/*
 * Root, Xen, and the devices and file systems needed.  Return: 0, or -1 after
 * one line that says which is missing and what to do.
 */
int host_check(void);

/*
 * Open the reader.  XenStore answers nothing and nobody if its daemon is not
 * running: the program ends with a message then.
 */
int host_open_reader(struct xenrelay_reader **reader);

/*
 * Take the lock that lets one capture run at a time; *@lock is for
 * host_unlock().  Return: 0, or -1 if another process has it (told).
 */
int host_lock(int *lock);
void host_unlock(int fd);

#endif /* XBLKTRACE_HOST_H */
