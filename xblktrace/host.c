// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "host.h"
#include "leavings.h"
#include "msg.h"
#include "options.h"
#include "xenrelay-reader.h"

#define DEBUGFS "/sys/kernel/debug"

int host_check_xen(void)
{
	char type[16] = "";
	FILE *f = fopen("/sys/hypervisor/type", "re");

	if (f) {
		if (!fgets(type, sizeof(type), f))
			type[0] = '\0';
		fclose(f);
	}
	/* /proc/xen: kernels built without sysfs's view of the hypervisor. */
	if (strcmp(type, "xen\n") && access("/proc/xen", F_OK))
		return msg_error(
			"this machine does not run under Xen: boot the hypervisor "
			"and run xblktrace in the domain that serves the disks");
	if (access("/dev/xen/gntdev", F_OK))
		return msg_error("/dev/xen/gntdev is missing: load its module with "
				 "'modprobe xen-gntdev'");
	return 0;
}

static int check_debugfs(void)
{
	struct statfs fs;

	if (statfs(DEBUGFS, &fs))
		return msg_error(DEBUGFS ": %s", strerror(errno));
	if (fs.f_type != DEBUGFS_MAGIC)
		return msg_error(
			"debugfs is not mounted: mount it with 'mount -t debugfs "
			"debugfs " DEBUGFS "'");
	return 0;
}

int host_check(void)
{
	if (geteuid())
		return msg_error("root is needed, to map guests' pages and to trace this "
				 "kernel");
	if (host_check_xen())
		return -1;
	return check_debugfs();
}

static const char *lock_path; /* of the one that is held */

static const char no_answer[] = PROGRAM
	": XenStore does not answer: is xenstored running?\n";

static bool waits(void *arg, unsigned int ms)
{
	(void)arg;
	if (ms >= HOST_STORE_MS)
		leavings_end(no_answer);
	return true;
}

int host_open_reader(struct xenrelay_reader **reader)
{
	int err;

	leavings_alarm(HOST_STORE_MS / 1000, no_answer);
	err = xenrelay_reader_open(reader);
	if (!err)
		err = xenrelay_set_patience(*reader, waits, NULL);
	leavings_alarm(0, NULL);
	return err ? msg_error("%s", xenrelay_strerror(*reader)) : 0;
}

/* Nobody else's, who could hold it for ever. */
static bool is_own_file(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid();
}

/* xblk-dom0 is exclusive anyway; the lock says by whom it is held. */
static int go_without_lock(const char *path, const char *why)
{
	msg_say("%s: %s: goes on without it, and cannot be tapped", path, why);
	return 0;
}

/* Return: 0 or negative errno; -ESTALE: of a capture that has just ended. */
static int try_lock(int fd)
{
	int err = flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
	struct stat st;

	if (fstat(fd, &st) || !is_own_file(&st))
		return -EPERM;
	return !err && !st.st_nlink ? -ESTALE : err;
}

int host_lock(const char *path, int *lock)
{
	char pid[32];
	int fd, n, err;

	*lock = -1;
	leavings_begin();
	do {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			return go_without_lock(path, strerror(errno));
		err = try_lock(fd);
		if (err)
			close(fd);
	} while (err == -ESTALE);
	if (err == -EPERM)
		return go_without_lock(path, "is another user's, or no file");
	if (err)
		return -1;
	lock_path = path;
	leavings_add(path);
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) || write(fd, pid, n) != n)
		msg_verbose("%s: %s", path, strerror(errno));
	*lock = fd;
	return 0;
}

void host_unlock(int lock)
{
	if (lock < 0)
		return;
	unlink(lock_path);
	leavings_forget(lock_path);
	close(lock);
}
