// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The handshake through XenStore: xblk/xenrelay.h describes it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "internal.h"

#define DEFAULT_TIMEOUT_MS 5000
#define DEFAULT_BUSY_MS	   4000
#define DEFAULT_MAX_KIB	   (256 * 1024)
#define KIB_PER_PAGE	   (XENRELAY_PAGE_SIZE / 1024)

/* All of a channel's errors begin with whose it is. */
#define ch_fail(ch, err, fmt, ...)                                             \
	xr_fail((ch)->reader, err, "domain %u, channel %s: " fmt, (ch)->domid, \
		(ch)->name, ##__VA_ARGS__)

static int read_state(struct xenrelay_channel *ch, xs_transaction_t t,
		      struct xr_state *state)
{
	unsigned int len;
	int err;
	char *s;

	s = xs_read(ch->reader->xs, t, ch->state_path, &len);
	if (!s && errno == ENOENT)
		return ch_fail(ch, -ENOENT, "the guest has closed it");
	if (!s)
		return ch_fail(ch, -errno, "reading its state in XenStore: %s",
			       strerror(errno));
	err = xr_parse_state(s, len, state);
	free(s);
	return err ? ch_fail(ch, err, "its state in XenStore makes no sense") : 0;
}

int xr_read_state(struct xenrelay_channel *ch, struct xr_state *state)
{
	return read_state(ch, XBT_NULL, state);
}

int xr_write(struct xenrelay_channel *ch, uint32_t transaction, const char *node,
	     const char *text)
{
	char path[XR_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", ch->dir, node);
	if (!xs_write(ch->reader->xs, transaction, path, text, strlen(text)))
		return ch_fail(ch, -errno, "writing to XenStore: %s", strerror(errno));
	return 0;
}

/* Nothing is written for a channel that is not there: that would create it. */
static int check_version(struct xenrelay_channel *ch)
{
	char path[XR_PATH_MAX + 16];
	char *s;
	int err;

	snprintf(path, sizeof(path), "%s/version", ch->dir);
	s = xs_read(ch->reader->xs, XBT_NULL, path, NULL);
	if (!s && errno == ENOENT)
		return ch_fail(ch, -ENOENT,
			       "no such channel: the guest has not loaded the "
			       "module that offers it, or there is no such domain");
	if (!s)
		return ch_fail(ch, -errno, "reading XenStore: %s", strerror(errno));
	err = strcmp(s, "1") ? ch_fail(ch, -EPROTO, "the guest speaks another version")
			     : 0;
	free(s);
	return err;
}

static int draw_session(struct xenrelay_channel *ch)
{
	do {
		if (getrandom(&ch->session, sizeof(ch->session), 0) !=
		    sizeof(ch->session))
			return xr_fail(ch->reader, -errno, "getrandom: %s",
				       strerror(errno));
	} while (!ch->session);
	return 0;
}

/*
 * Write config and "connect" if the channel is free.  One transaction, so that
 * of two readers at the same moment one finds the other's request.
 *
 * Return: 0; -EBUSY, -EAGAIN (the transaction met another: try again), ...
 */
static int try_claim(struct xenrelay_channel *ch, const struct xenrelay_options *opts)
{
	struct xs_handle *xs = ch->reader->xs;
	struct xr_state state;
	char text[64];
	xs_transaction_t t;
	int err;

	t = xs_transaction_start(xs);
	if (t == XBT_NULL)
		return ch_fail(ch, -errno, "XenStore transaction: %s", strerror(errno));

	err = read_state(ch, t, &state);
	if (!err && (state.kind == XR_READY || state.kind == XR_STOPPED))
		err = ch_fail(ch, -EBUSY, "another reader has it");
	if (!err)
		err = xr_write(ch, t, "config", opts->config ? opts->config : "");
	if (!err) {
		snprintf(text, sizeof(text), "connect %" PRIu32 " %u %u", ch->session,
			 ch->reader->own_domid, opts->ring_kib);
		err = xr_write(ch, t, "reader", text);
	}
	if (err) {
		xs_transaction_end(xs, t, true);
		return err;
	}
	if (!xs_transaction_end(xs, t, false))
		return errno == EAGAIN ? -EAGAIN
				       : ch_fail(ch, -errno, "XenStore transaction: %s",
						 strerror(errno));
	ch->claimed = true;
	return 0;
}

/* Whether the last thing that a reader said on the channel was said by us. */
static bool is_ours(struct xenrelay_channel *ch, xs_transaction_t t)
{
	char path[XR_PATH_MAX + 16];
	uint32_t session = 0;
	unsigned int len;
	char *s;

	snprintf(path, sizeof(path), "%s/reader", ch->dir);
	s = xs_read(ch->reader->xs, t, path, &len);
	if (s && sscanf(s, "%*[a-z] %" SCNu32, &session) != 1)
		session = 0;
	free(s);
	return session == ch->session;
}

/*
 * The guest frees the channel also when it sees our mapping gone, so another
 * reader may have it by now.  Its word must not be overwritten.
 */
void xr_write_release(struct xenrelay_channel *ch)
{
	struct xs_handle *xs = ch->reader->xs;
	struct xr_state state;
	xs_transaction_t t;
	char text[32];
	bool abort;
	/* The guest can make each one fail.  It sees that our mapping has gone anyway. */
	int tries = 16;

	snprintf(text, sizeof(text), "release %" PRIu32, ch->session);
	do {
		t = xs_transaction_start(xs);
		if (t == XBT_NULL)
			return;
		/* Nothing is written where the channel has been closed. */
		abort = read_state(ch, t, &state) == -ENOENT || !is_ours(ch, t) ||
			xr_write(ch, t, "reader", text);
	} while (!xs_transaction_end(xs, t, abort) && errno == EAGAIN && !abort &&
		 --tries);
}

static int claim(struct xenrelay_channel *ch, const struct xenrelay_options *opts)
{
	uint64_t deadline = xr_now_ms() + (opts->busy_ms ?: DEFAULT_BUSY_MS);
	int err, ret;

	for (;;) {
		err = try_claim(ch, opts);
		if (err != -EBUSY && err != -EAGAIN)
			return err;
		if (err == -EAGAIN && xr_now_ms() < deadline)
			continue;
		if (err == -EAGAIN)
			return ch_fail(ch, -EBUSY, "XenStore is too busy");
		ret = xr_wait_events(ch->reader, deadline);
		if (ret <= 0)
			return ret ? ret : err;
	}
}

/* Wait for the guest's answer to "connect". */
static int await_ready(struct xenrelay_channel *ch, unsigned int timeout_ms,
		       uint32_t *info_ref)
{
	uint64_t deadline = xr_now_ms() + timeout_ms;
	struct xr_state state;
	int ret;

	for (;;) {
		ch->changed = false;
		ret = xr_read_state(ch, &state);
		if (ret)
			return ret;
		if (state.session == ch->session) {
			switch (state.kind) {
			case XR_READY:
				*info_ref = state.ref;
				return 0;
			case XR_FAILED:
				return ch_fail(ch, -ECONNREFUSED,
					       "the guest could not connect: %s%s%s",
					       state.text, *state.text ? ": " : "",
					       strerror(state.err));
			default:
				return ch_fail(ch, -ECONNREFUSED,
					       "the guest stopped it at once");
			}
		}
		if (state.kind == XR_READY) {
			/* Theirs now: our "release" must not reach the guest. */
			ch->claimed = false;
			return ch_fail(ch, -EBUSY, "another reader was faster");
		}
		ret = xr_wait_events(ch->reader, deadline);
		if (ret < 0)
			return ret;
		if (!ret)
			return ch_fail(ch, -ETIMEDOUT, "the guest did not answer in %u s",
				       (timeout_ms + 999) / 1000);
	}
}

static int start_watch(struct xenrelay_channel *ch)
{
	snprintf(ch->token, sizeof(ch->token), "s%" PRIu32, ch->session);
	if (!xs_watch(ch->reader->xs, ch->state_path, ch->token))
		return ch_fail(ch, -errno, "watching XenStore: %s", strerror(errno));
	ch->watched = true;
	return 0;
}

static struct xenrelay_channel *new_channel(struct xenrelay_reader *reader,
					    unsigned int domid, const char *name)
{
	struct xenrelay_channel *ch = calloc(1, sizeof(*ch));

	if (!ch)
		return NULL;
	ch->reader = reader;
	ch->domid = domid;
	snprintf(ch->name, sizeof(ch->name), "%s", name);
	snprintf(ch->dir, sizeof(ch->dir), "/local/domain/%u/" XENRELAY_XS_DIR "/%s",
		 domid, ch->name);
	snprintf(ch->state_path, sizeof(ch->state_path),
		 "/local/domain/%u/" XENRELAY_XS_DIR "/%s/state", domid, ch->name);
	ch->next = reader->channels;
	reader->channels = ch;
	return ch;
}

int xenrelay_connect(struct xenrelay_reader *reader, unsigned int domid,
		     const char *channel, const struct xenrelay_options *options,
		     struct xenrelay_channel **out)
{
	const struct xenrelay_options defaults = {0};
	const struct xenrelay_options *opts = options ? options : &defaults;
	uint64_t max_kib = opts->max_kib ? opts->max_kib : DEFAULT_MAX_KIB;
	struct xenrelay_channel *ch;
	uint32_t info_ref = 0;
	int err;

	*out = NULL;
	if (!xr_name_ok(channel))
		return xr_fail(reader, -EINVAL, "not a name that a channel can have");
	ch = new_channel(reader, domid, channel);
	if (!ch)
		return xr_fail(reader, -ENOMEM, "out of memory");

	err = draw_session(ch);
	if (!err)
		err = check_version(ch);
	if (!err)
		err = start_watch(ch);
	if (!err)
		err = claim(ch, opts);
	if (!err)
		err = await_ready(ch, opts->timeout_ms ?: DEFAULT_TIMEOUT_MS, &info_ref);
	if (!err)
		err = xr_map(ch, info_ref, max_kib / KIB_PER_PAGE);
	if (err) {
		char why[sizeof(reader->error)];

		/* The text of what failed, not of what undoing it may say. */
		memcpy(why, reader->error, sizeof(why));
		xenrelay_release(ch);
		memcpy(reader->error, why, sizeof(why));
		return err;
	}
	*out = ch;
	return 0;
}
