// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
	}
	return o->fd < 0 ? -errno : 0;
}

/* A pipe or a device.  A named pipe is nobody else's, opened here, and need not block. */
static int open_special(struct output *o)
{
	o->fd = open(o->name, O_WRONLY | O_CLOEXEC);
	if (o->fd < 0)
		return -errno;
	fcntl(o->fd, F_SETFL, fcntl(o->fd, F_GETFL) | O_NONBLOCK);
	return 0;
}

static int create_unnamed(struct output *o)
{
	if (asprintf(&o->unnamed, "%s.XXXXXX", o->name) < 0) {
		o->unnamed = NULL;
		return -ENOMEM;
	}
	o->fd = mkostemp(o->unnamed, O_CLOEXEC);
	if (o->fd < 0) {
		int err = -errno;

		free(o->unnamed);
		o->unnamed = NULL;
		return err;
	}
	return 0;
}

static int open_named(struct output *o, const char *path)
{
	struct stat st;

	o->path = path;
	/* Whoever names a link means what it points to. */
	o->name = o->keep_old ? NULL : realpath(path, NULL);
	if (!o->name)
		o->name = strdup(path);
	if (!o->name)
		return -ENOMEM;
	if (!lstat(o->name, &st) && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return open_special(o);
	return create_unnamed(o);
}

int output_open(struct output *o, const char *path)
{
	struct stat st;
	int err;

	*o = (struct output){.fd = -1, .keep_old = !path};
	if (path && !strcmp(path, "-"))
		err = open_stdout(o);
	else
		err = open_named(o, path ? path : DEFAULT_OUTPUT);
	if (err)
		return err;
	if (fstat(o->fd, &st))
		return -errno;
	o->regular = S_ISREG(st.st_mode);
	return 0;
}

static int keep_old(const struct output *o)
{
	char *old;
	int ret;

	if (asprintf(&old, "%s" OLD_OUTPUT, o->name) < 0)
		return -ENOMEM;
	ret = rename(o->name, old) ? -errno : 1;
	free(old);
	return ret == -ENOENT ? 0 : ret;
}

int output_take_name(struct output *o)
{
	int kept = 0;

	if (!o->unnamed)
		return 0;
	if (o->keep_old)
		kept = keep_old(o);
	if (kept < 0)
		return kept;
	if (rename(o->unnamed, o->name))
		return -errno;
	free(o->unnamed);
	o->unnamed = NULL;
	return kept;
}

int output_close(struct output *o)
{
	int err = 0;

	/* Some file systems report a full disk only here. */
	if (o->fd >= 0 && close(o->fd))
		err = -errno;
	if (o->unnamed)
		unlink(o->unnamed);
	free(o->unnamed);
	free(o->name);
	*o = (struct output){.fd = -1, .path = o->path};
	return err;
}
