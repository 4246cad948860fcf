// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A reader: what it opens and closes, and its step, in which each part takes in what
 * has happened.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <xentoollog.h>

#include "ask.h"
#include "channel.h"
#include "connect.h"
#include "discover.h"
#include "doorbell.h"
#include "events.h"
#include "fail.h"
#include "objects.h"
#include "watched.h"

#define RELEASE_PATH  "@releaseDomain"
#define RELEASE_TOKEN "release"

/* The error text says it all; libxengnttab would write to stderr besides. */
static void log_nothing(struct xentoollog_logger *logger, xentoollog_level level,
			int errnoval, const char *context, const char *format, va_list al)
{
	(void)logger, (void)level, (void)errnoval, (void)context, (void)format, (void)al;
}

static void destroy_nothing(struct xentoollog_logger *logger)
{
	(void)logger;
}

static struct xentoollog_logger quiet = {
	.vmessage = log_nothing,
	.destroy = destroy_nothing,
};

static int fail_open(struct xenrelay_reader *reader, int err, const char *what)
{
	if (err == EACCES || err == EPERM)
		return xr_fail(reader, -EACCES, "%s: %s: root is needed", what,
			       strerror(err));
	return xr_fail(reader, -err,
		       "%s: %s: this is not a Xen domain, or its Xen "
		       "services are not up",
		       what, strerror(err));
}

static int find_own_domid(struct xenrelay_reader *reader)
{
	uint64_t domid;
	const char *end;
	char *s;

	s = xr_xs_read(reader, XBT_NULL, "domid", NULL);
	/* A dom0 whose toolstack did not write the node is still dom0. */
	if (!s && errno == ENOENT)
		return 0;
	if (!s)
		return xr_fail(reader, -errno,
			       "XenStore: reading this domain's number: %s",
			       strerror(errno));
	end = xr_parse_number(s, UINT16_MAX, &domid);
	if (!end || *end) {
		free(s);
		return xr_fail(reader, -EPROTO,
			       "XenStore: this domain's number is not one");
	}
	free(s);
	reader->own_domid = domid;
	return 0;
}

static int add_fd(struct xenrelay_reader *reader, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (fd < 0 || epoll_ctl(reader->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return xr_fail(reader, -errno, "no descriptor to wait with: %s",
			       strerror(errno));
	return 0;
}

static int open_all(struct xenrelay_reader *reader)
{
	int err;

	/* An event of a watch that has been taken back must not be left over. */
	reader->xs = xs_open(XS_UNWATCH_FILTER);
	if (!reader->xs)
		return fail_open(reader, errno ? errno : ENXIO, "XenStore");
	reader->xgt = xengnttab_open(&quiet, 0);
	if (!reader->xgt)
		return fail_open(reader, errno ? errno : ENXIO, "/dev/xen/gntdev");
	if (!xr_xs_watch(reader, RELEASE_PATH, RELEASE_TOKEN))
		return xr_fail(reader, -errno,
			       "XenStore: watching for domains that go: %s",
			       strerror(errno));
	reader->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	reader->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	err = add_fd(reader, reader->timer_fd);
	if (!err)
		err = add_fd(reader, xs_fileno(reader->xs));
	return err ? err : find_own_domid(reader);
}

/* XenStore's "@..." events, which are of no watch that a guest can make fire. */
static void domains_changed(struct xenrelay_reader *reader, const char *event)
{
	/* Which one has gone it does not say; those that are known have not come. */
	if (!strcmp(event, XR_INTRODUCE_PATH)) {
		xr_discover_new(reader);
		return;
	}
	xr_domains_changed(reader);
	xr_discover_domains(reader);
}

int xenrelay_reader_open(struct xenrelay_reader **out)
{
	struct xenrelay_reader *reader;
	int err;

	if (!out)
		return -EINVAL;
	*out = reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->epoll_fd = reader->timer_fd = -1;
	pthread_mutex_init(&reader->timer_lock, NULL);
	reader->timer_at = XR_NEVER;
	reader->domains_changed = domains_changed;
	err = open_all(reader);
	reader->open = !err;
	return err;
}

void xenrelay_reader_close(struct xenrelay_reader *reader)
{
	if (!reader)
		return;
	while (reader->channels)
		xenrelay_release(reader->channels);
	xr_watches_abandon(reader);
	xr_discover_end(reader);
	xr_watched_end(reader);
	if (reader->xce)
		xenevtchn_close(reader->xce);
	if (reader->xgt)
		xengnttab_close(reader->xgt);
	xr_xs_close(reader);
	if (reader->timer_fd >= 0)
		close(reader->timer_fd);
	if (reader->epoll_fd >= 0)
		close(reader->epoll_fd);
	pthread_mutex_destroy(&reader->timer_lock);
	free(reader);
}

int xenrelay_wind_down(struct xenrelay_reader *reader)
{
	int err = xr_check_reader(reader);

	if (err)
		return err;
	reader->winding_down = true;
	xr_discover_wind_down(reader);
	xr_watched_wind_down(reader);
	return 0;
}

struct xs_handle *xenrelay_xenstore(struct xenrelay_reader *reader)
{
	if (xr_check_reader(reader) || xr_xs_is_given_up(reader))
		return NULL;
	return reader->xs;
}

unsigned int xenrelay_own_domid(const struct xenrelay_reader *reader)
{
	return xr_check_reader(reader) ? XENRELAY_EVERY_DOMAIN : reader->own_domid;
}

int xenrelay_fd(const struct xenrelay_reader *reader)
{
	int err = xr_check_reader(reader);

	return err ? err : reader->epoll_fd;
}

int xenrelay_dispatch(struct xenrelay_reader *reader)
{
	int ret = xr_check_reader(reader);

	if (ret)
		return ret;
	ret = xr_events_dispatch(reader);
	if (ret < 0)
		return ret;
	ret = xr_discover_dispatch(reader);
	if (ret < 0)
		return ret;
	xr_doorbell_dispatch(reader);
	xr_connect_dispatch(reader);
	ret = reader->changed;
	reader->changed = 0;
	return ret;
}
