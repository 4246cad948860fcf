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

/* Of these Xen alone, which is enough for who only reads XenStore. */
int host_check_xen(void);

#define HOST_STORE_MS 10000 /* for how long XenStore may not answer */

/*
 * Open the reader.  XenStore answers nothing and nobody if its daemon is not
 * running: the program ends with a message then, and leaves nothing behind; also later,
 * unless the reader gets another patience.
 */
int host_open_reader(struct xenrelay_reader **reader);

#define LOCK_PATH "/run/xblktrace.pid"

/**
 * host_lock - take the lock that lets one capture run at a time
 * @path:	LOCK_PATH; of the one who has it until host_unlock()
 * @lock:	for host_unlock()
 *
 * SIGINT, SIGTERM and SIGHUP end the process from then on, where they are not blocked,
 * and remove before what it would leave behind, see leavings.h.
 *
 * Return: 0, or -1 if another process has it.  Where there can be no such file, or it is
 * another user's, who could keep all captures from beginning, that is said, and there is
 * no lock.
 */
int host_lock(const char *path, int *lock);
void host_unlock(int lock);

#endif /* XBLKTRACE_HOST_H */
