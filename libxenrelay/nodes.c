// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The channel's nodes in XenStore: what the guest says there, what is asked of it, and
 * waiting for its answer.
 *
 * The directory of a domain that goes is removed at any moment, and writing to a node
 * that is not there makes it.  So what is written rests on a look in the same
 * transaction: XenStore refuses it if what was seen has changed or gone by then.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"
#include "ask.h"
#include "domains.h"
#include "events.h"
#include "fail.h"
#include "objects.h"

/* Of a request, at once.  A guest that writes without end can make each one fail. */
#define MAX_TRIES 16

int xr_fail_node(struct xenrelay_channel *ch, const char *what)
{
	if (errno == EACCES)
		return xr_fail_access(ch->reader, ch->domid);
	return ch_fail(ch, -errno, "%s: %s", what, strerror(errno));
}

char *xr_read_node(struct xenrelay_channel *ch, uint32_t transaction, const char *node,
		   unsigned int *len)
{
	char path[XR_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", ch->dir, node);
	return xr_xs_read(ch->reader, transaction, path, len);
}

static int write_node(struct xenrelay_channel *ch, xs_transaction_t t, const char *node,
		      const char *text)
{
	char path[XR_PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", ch->dir, node);
	if (!xr_xs_write(ch->reader, t, path, text))
		return xr_fail_node(ch, "writing to XenStore");
	return 0;
}

int xr_read_state(struct xenrelay_channel *ch, uint32_t transaction,
		  struct xr_state *state)
{
	unsigned int len;
	int err;
	char *s;

	*state = (struct xr_state){0};
	s = xr_read_node(ch, transaction, "state", &len);
	if (!s && errno == ENOENT)
		return ch_fail(ch, -ENOENT, "the guest has closed it");
	if (!s)
		return xr_fail_node(ch, "reading its state in XenStore");
	err = xr_parse_state(s, len, state);
	free(s);
	return err ? ch_fail(ch, err, "its state in XenStore makes no sense") : 0;
}

int xr_check_connected(struct xenrelay_channel *ch)
{
	struct xr_state state;
	int err = xr_read_state(ch, XBT_NULL, &state);

	if (!err && (state.kind != XR_READY || state.session != ch->session))
		err = ch_fail(ch, -ENOTCONN, "it has stopped");
	return err;
}

/* Whether the guest says that the channel is ours. */
static bool state_is_ours(struct xenrelay_channel *ch)
{
	struct xr_state state;

	return !xr_read_state(ch, XBT_NULL, &state) && state.session == ch->session &&
	       (state.kind == XR_READY || state.kind == XR_STOPPED);
}

/*
 * Whether the channel is still ours: the guest frees it also when it sees our mapping
 * gone, so another reader may have it by now, whose word must not be overwritten.
 *
 * The last word there is ours, or that of a reader which asked before the guest had
 * answered us and was told by that answer that it came too late.  Only the guest can say
 * which. It is asked outside the transaction: a guest that writes its state without end
 * would else keep us from asking.
 */
static int check_ours(struct xenrelay_channel *ch, uint32_t transaction)
{
	uint32_t session = 0;
	unsigned int len;
	char *s;

	s = xr_read_node(ch, transaction, "reader", &len);
	if (!s && errno == ENOENT)
		return ch_fail(ch, -ENOENT, "the guest has closed it");
	if (!s)
		return xr_fail_node(ch, "reading XenStore");
	if (sscanf(s, "%*[a-z] %" SCNu32, &session) != 1)
		session = 0;
	free(s);
	if (session != ch->session && !state_is_ours(ch))
		return ch_fail(ch, -ENOTCONN, "another reader has it");
	return 0;
}

static int fail_transaction(struct xenrelay_channel *ch)
{
	if (errno == EAGAIN)
		return ch_fail(ch, -EAGAIN, "XenStore is too busy");
	return ch_fail(ch, -errno, "XenStore transaction: %s", strerror(errno));
}

int xr_try_request(struct xenrelay_channel *ch, xr_check *check, const char *request,
		   const char *config)
{
	xs_transaction_t t;
	int err;

	t = xr_xs_transaction_start(ch->reader);
	if (t == XBT_NULL)
		return fail_transaction(ch);
	err = check(ch, t);
	if (!err && config)
		err = write_node(ch, t, "config", config);
	if (!err)
		err = write_node(ch, t, "reader", request);
	if (!xr_xs_transaction_end(ch->reader, t, err) && !err)
		err = fail_transaction(ch);
	return err;
}

int xr_request(struct xenrelay_channel *ch, const char *verb, const char *config)
{
	int err, tries = MAX_TRIES;
	char text[32];

	snprintf(text, sizeof(text), "%s %" PRIu32, verb, ch->session);
	do
		err = xr_try_request(ch, check_ours, text, config);
	while (err == -EAGAIN && --tries);
	return err;
}

void xr_tell_release(struct xenrelay_channel *ch)
{
	char text[sizeof(ch->reader->error)];

	/*
	 * Where that fails, the guest sees that our mapping has gone; nothing is created
	 * in the directory of a domain that has gone itself.
	 */
	memcpy(text, ch->reader->error, sizeof(text));
	xr_request(ch, "release", NULL);
	memcpy(ch->reader->error, text, sizeof(text));
}

int xr_wait_for_guest(struct xenrelay_channel *ch, uint64_t deadline)
{
	uint64_t now = xr_now_ms();

	if (ch->idle && now - ch->idle_at >= XR_SLICE_MS) {
		ch->idle_at = now;
		if (ch->idle(ch->idle_priv))
			return ch_fail(ch, -ECANCELED, "given up while waiting for it");
	}
	return xr_wait(ch->reader, deadline);
}
