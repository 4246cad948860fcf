// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leavings.h"
#include "output.h"

static int open_stdout(struct output *o)
{
	struct stat st;

	o->path = "standard output";
	if (isatty(STDOUT_FILENO))
		return -ENOTTY;
	/*
	 * A pipe must not hold up the end of a capture.  Opened anew, it does not block
	 * here without getting O_NONBLOCK for the others that have it open.
	 */
	o->fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (o->fd < 0 || (!fstat(o->fd, &st) && S_ISREG(st.st_mode))) {
		/* A file's position is shared with whoever opened it. */
		if (o->fd >= 0)
			close(o->fd);
		o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		o->shared = true;
	}
	return o->fd < 0 ? -errno : 0;
}

/* Beside the file whose name it is to take. */
static int create_unnamed(struct output *o)
{
	sigset_t before;
	char *unnamed;
	int fd, err;

	if (asprintf(&unnamed, "%s.XXXXXX", o->path) < 0)
		return -ENOMEM;
	leavings_hold(&before);
	fd = mkostemp(unnamed, O_CLOEXEC);
	err = -errno;
	if (fd >= 0)
		leavings_add(unnamed);
	leavings_release(&before);
	if (fd < 0) {
		free(unnamed);
		return err;
	}
	if (o->fd >= 0)
		close(o->fd);
	o->fd = fd;
	o->unnamed = unnamed;
	o->made = true;
	return 0;
}

/* Return: 0 or negative errno. */
static int create(struct output *o, int flags)
{
	sigset_t before;
	int err;

	leavings_hold(&before);
	o->fd = open(o->path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	err = o->fd < 0 ? -errno : 0;
	if (!err)
		leavings_add(o->path);
	leavings_release(&before);
	o->created = o->made = !err;
	return err;
}

/* Nobody has chosen it: nothing that has the name is opened. */
static int open_default(struct output *o)
{
	int err;

	o->path = DEFAULT_OUTPUT;
	o->keep_old = true;
	err = create(o, O_EXCL);
	return err == -EEXIST ? create_unnamed(o) : err;
}

/*
 * O_CREAT also where it is there: only then the kernel refuses what others have put
 * into a folder of everyone's (protected_fifos and _regular in sysctl/fs.rst).
 */
static int open_named(struct output *o, const char *path)
{
	struct stat before, st;
	bool existed = !lstat(path, &before);
	int err;

	o->path = path;
	if (!existed) {
		err = create(o, O_EXCL);
		if (err != -EEXIST)
			return err;
		/* It has come meanwhile. */
		existed = !lstat(path, &before);
	}
	o->fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
	if (o->fd < 0 || fstat(o->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		/* A named pipe is nobody else's, opened here, and need not block. */
		fcntl(o->fd, F_SETFL, fcntl(o->fd, F_GETFL) | O_NONBLOCK);
		return 0;
	}
	/* Through a link, as /dev/stdout is one, or where there can be no other file
	 * beside it, it is written to as it is. */
	if (existed && S_ISREG(before.st_mode) && !create_unnamed(o))
		return 0;
	return ftruncate(o->fd, 0) ? -errno : 0;
}

int output_open(struct output *o, const char *path)
{
	struct stat st;
	int err;

	*o = (struct output){.fd = -1};
	if (!path)
		err = open_default(o);
	else if (!strcmp(path, "-"))
		err = open_stdout(o);
	else
		err = open_named(o, path);
	if (err)
		return err;
	if (fstat(o->fd, &st))
		return -errno;
	o->regular = S_ISREG(st.st_mode);
	o->socket = S_ISSOCK(st.st_mode);
	return 0;
}

/*
 * poll() says of a pipe that as much as PIPE_BUF fits, which a write then does not wait
 * for, and of most devices that something does.
 */
static ssize_t write_shared(const struct output *o, const void *buf, size_t len)
{
	struct pollfd pfd = {.fd = o->fd, .events = POLLOUT};
	int ready = poll(&pfd, 1, 0);

	if (ready > 0)
		return write(o->fd, buf, len < PIPE_BUF ? len : PIPE_BUF);
	if (!ready)
		errno = EAGAIN;
	return -1;
}

ssize_t output_write(const struct output *o, const void *buf, size_t len)
{
	if (o->regular)
		return write(o->fd, buf, len);
	if (o->socket)
		return send(o->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return o->shared ? write_shared(o, buf, len) : write(o->fd, buf, len);
}

/* Return: 1, 0 if there is none any more, or negative errno. */
static int keep_old(const struct output *o)
{
	int err = rename(o->path, DEFAULT_OUTPUT OLD_OUTPUT) ? -errno : 1;

	return err == -ENOENT ? 0 : err;
}

int output_take_name(struct output *o)
{
	int kept = 0, err;

	leavings_forget(o->path);
	o->created = false;
	if (!o->unnamed)
		return 0;
	if (o->keep_old)
		kept = keep_old(o);
	if (kept < 0)
		return kept;
	if (rename(o->unnamed, o->path)) {
		err = -errno;
		if (kept)
			rename(DEFAULT_OUTPUT OLD_OUTPUT, o->path);
		return err;
	}
	leavings_forget(o->unnamed);
	free(o->unnamed);
	o->unnamed = NULL;
	return kept;
}

/* Return: 0 or negative errno; none of that name is none to be moved. */
static int move_on(const struct output *o, unsigned int nr)
{
	char *from = NULL, *to = NULL;
	int err = 0;

	if ((nr > 1 ? asprintf(&from, "%s.%u", o->path, nr - 1)
		    : asprintf(&from, "%s", o->path)) < 0 ||
	    asprintf(&to, "%s.%u", o->path, nr) < 0)
		return -ENOMEM;
	if (rename(from, to) && errno != ENOENT)
		err = -errno;
	free(from);
	free(to);
	return err;
}

int output_next(struct output *o, unsigned int keep)
{
	/* Some file systems report a full disk only here. */
	int err = close(o->fd) ? -errno : 0;

	o->fd = -1;
	if (!err)
		err = create_unnamed(o);
	while (!err && --keep)
		err = move_on(o, keep);
	o->keep_old = false;
	if (!err)
		err = output_take_name(o);
	if (err && o->fd >= 0) {
		close(o->fd);
		o->fd = -1;
	}
	return err;
}

enum output_name output_look(const struct output *o)
{
	struct stat ours, there;
	bool gone;

	/* Standard output has no name that is known. */
	if (!o->regular || o->shared || o->unnamed || fstat(o->fd, &ours))
		return OUTPUT_NAMED;
	if (!ours.st_nlink)
		return OUTPUT_REMOVED;
	gone = stat(o->path, &there);
	if (gone && errno != ENOENT && errno != ENOTDIR)
		return OUTPUT_NAMED;
	if (!gone && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
		return OUTPUT_NAMED;
	return OUTPUT_RENAMED;
}

int output_close(struct output *o)
{
	int err = 0;

	/* Some file systems report a full disk only here. */
	if (o->fd >= 0 && close(o->fd))
		err = -errno;
	if (o->unnamed)
		unlink(o->unnamed);
	else if (o->created)
		unlink(o->path);
	leavings_forget(o->unnamed);
	leavings_forget(o->path);
	free(o->unnamed);
	*o = (struct output){.fd = -1, .path = o->path};
	return err;
}
