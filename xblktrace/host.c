// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "host.h"
#include "msg.h"
#include "options.h"
#include "xenrelay-reader.h"

#define LOCK_FILE	   "/run/xblktrace.pid"
#define DEBUGFS		   "/sys/kernel/debug"
#define XENSTORE_TIMEOUT_S 10

static int check_xen(void)
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
	if (check_xen())
		return -1;
	return check_debugfs();
}

static void no_answer(int sig)
{
	static const char text[] = PROGRAM
		": XenStore does not answer: is xenstored running?\n";
	ssize_t n;

	(void)sig;
	n = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)n;
	/* Nothing has been started or mapped yet. */
	_exit(1);
}

int host_open_reader(struct xenrelay_reader **reader)
{
	int err;

	signal(SIGALRM, no_answer);
	alarm(XENSTORE_TIMEOUT_S);
	err = xenrelay_reader_open(reader);
	alarm(0);
	signal(SIGALRM, SIG_DFL);
	return err ? msg_error("%s", xenrelay_strerror(*reader)) : 0;
}

int host_lock(int *lock)
{
	char pid[32] = "";
	ssize_t n;
	int fd;

	*lock = -1;
	fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		/* xblk-dom0 is exclusive anyway; the lock says by whom it is held. */
		msg_verbose(LOCK_FILE ": %s", strerror(errno));
		return 0;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		n = read(fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
		close(fd);
		return msg_error("another xblktrace is running%s%s: one can trace at a "
				 "time, several guests at once with further -d",
				 *pid ? ", process " : "", pid);
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) || write(fd, pid, n) != n)
		msg_verbose(LOCK_FILE ": %s", strerror(errno));
	*lock = fd;
	return 0;
}

void host_unlock(int fd)
{
	if (fd < 0)
		return;
	unlink(LOCK_FILE);
	close(fd);
}
