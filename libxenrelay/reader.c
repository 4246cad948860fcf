// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A reader: XenStore, the grant device, their events and the error text. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xentoollog.h>

#include "internal.h"

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

int xr_fail(struct xenrelay_reader *reader, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reader->error, sizeof(reader->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *xenrelay_strerror(const struct xenrelay_reader *reader)
{
	return reader ? reader->error : "out of memory";
}

uint64_t xr_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

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

	s = xs_read(reader->xs, XBT_NULL, "domid", NULL);
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

int xenrelay_reader_open(struct xenrelay_reader **out)
{
	struct xenrelay_reader *reader = calloc(1, sizeof(*reader));

	*out = reader;
	if (!reader)
		return -ENOMEM;

	reader->xs = xs_open(0);
	if (!reader->xs)
		return fail_open(reader, errno ? errno : ENXIO, "XenStore");
	reader->xgt = xengnttab_open(&quiet, 0);
	if (!reader->xgt)
		return fail_open(reader, errno ? errno : ENXIO, "/dev/xen/gntdev");
	if (!xs_watch(reader->xs, RELEASE_PATH, RELEASE_TOKEN))
		return xr_fail(reader, -errno,
			       "XenStore: watching for domains that go: %s",
			       strerror(errno));
	return find_own_domid(reader);
}

void xenrelay_reader_close(struct xenrelay_reader *reader)
{
	if (!reader)
		return;
	while (reader->channels)
		xenrelay_release(reader->channels);
	if (reader->xgt)
		xengnttab_close(reader->xgt);
	xs_close(reader->xs);
	free(reader);
}

struct xs_handle *xenrelay_xenstore(struct xenrelay_reader *reader)
{
	return reader->xs;
}

unsigned int xenrelay_own_domid(const struct xenrelay_reader *reader)
{
	return reader->own_domid;
}

int xenrelay_fd(const struct xenrelay_reader *reader)
{
	return xs_fileno(reader->xs);
}

static void take_event(struct xenrelay_reader *reader, const char *token)
{
	struct xenrelay_channel *ch;

	if (!strcmp(token, RELEASE_TOKEN)) {
		reader->changed |= XENRELAY_CHANGED_DOMAIN;
		for (ch = reader->channels; ch; ch = ch->next)
			ch->changed = true;
		return;
	}
	for (ch = reader->channels; ch; ch = ch->next) {
		if (!strcmp(token, ch->token)) {
			ch->changed = true;
			reader->changed |= XENRELAY_CHANGED_CHANNEL;
		}
	}
}

/* Return: events taken in, or negative errno. */
static int take_events(struct xenrelay_reader *reader)
{
	/* A guest may write its state as fast as it likes: bound each turn. */
	enum {
		MAX_EVENTS = 256
	};
	int n;

	for (n = 0; n < MAX_EVENTS; n++) {
		char **event = xs_check_watch(reader->xs);

		if (!event) {
			if (errno == EAGAIN || errno == EINTR)
				break;
			return xr_fail(reader, -errno, "XenStore is gone: %s",
				       strerror(errno));
		}
		take_event(reader, event[XS_WATCH_TOKEN]);
		free(event);
	}
	return n;
}

int xenrelay_dispatch(struct xenrelay_reader *reader)
{
	int ret = take_events(reader);

	if (ret < 0)
		return ret;
	ret = reader->changed;
	reader->changed = 0;
	return ret;
}

int xr_wait_events(struct xenrelay_reader *reader, uint64_t deadline)
{
	for (;;) {
		struct pollfd pfd = {.fd = xs_fileno(reader->xs), .events = POLLIN};
		uint64_t now = xr_now_ms();
		int ret = take_events(reader);

		if (ret < 0)
			return ret;
		/* First, or a guest that writes without end would hold us. */
		if (now >= deadline)
			return 0;
		if (ret)
			return 1;
		if (poll(&pfd, 1, deadline - now) < 0 && errno != EINTR)
			return xr_fail(reader, -errno, "poll: %s", strerror(errno));
	}
}

bool xenrelay_domain_exists(struct xenrelay_reader *reader, unsigned int domid)
{
	char path[XR_PATH_MAX];
	char *s;

	/*
	 * Both: a dying domain whose pages are still mapped is no longer
	 * introduced, and the toolstack removes the directory of one that has
	 * gone for good.
	 */
	if (!xs_is_domain_introduced(reader->xs, domid))
		return false;
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	s = xs_read(reader->xs, XBT_NULL, path, NULL);
	if (!s)
		return errno != ENOENT;
	free(s);
	return true;
}

int xenrelay_list(struct xenrelay_reader *reader, unsigned int domid, char ***names)
{
	char path[XR_PATH_MAX];
	unsigned int i, nr;
	char **nodes;
	int n = 0;

	*names = NULL;
	snprintf(path, sizeof(path), "/local/domain/%u/" XENRELAY_XS_DIR, domid);
	nodes = xs_directory(reader->xs, XBT_NULL, path, &nr);
	if (!nodes && errno == ENOENT)
		return 0;
	if (!nodes)
		return xr_fail(reader, -errno, "XenStore: %s: %s", path, strerror(errno));

	*names = calloc(nr + 1, sizeof(**names));
	for (i = 0; *names && i < nr; i++) {
		if (!xr_name_ok(nodes[i]))
			continue;
		(*names)[n] = strdup(nodes[i]);
		if (!(*names)[n]) {
			xenrelay_list_free(*names, n);
			*names = NULL;
			break;
		}
		n++;
	}
	free(nodes);
	if (!*names)
		return xr_fail(reader, -ENOMEM, "out of memory");
	return n;
}

void xenrelay_list_free(char **names, int nr)
{
	while (nr-- > 0)
		free(names[nr]);
	free(names);
}
