// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The handshake through XenStore: xenrelay/wire.h describes it.
 *
 * Each step ends where the guest has to do something, or XenStore is to be asked again
 * later, so that any number of channels take theirs side by side.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "channel.h"
#include "connect.h"
#include "domains.h"
#include "doorbell.h"
#include "events.h"
#include "fail.h"
#include "map.h"
#include "nodes.h"
#include "objects.h"
#include "sized.h"

#define DEFAULT_TIMEOUT_MS 5000
#define DEFAULT_BUSY_MS	   4000
#define DEFAULT_MAX_KIB	   (256 * 1024)
#define DEFAULT_MAX_RINGS  16 /* as large as they were asked for */

#define MAX_RING_KIB   (XENRELAY_MAX_RING_PAGES * KIB_PER_PAGE)
#define MAX_CONFIG_LEN 2048 /* of the 4096 that a message to XenStore may have */

/* No smaller rings are asked for when there is a lack of something. */
#define LEAST_RING_KIB 64
/* Where it is not known how large the guest's default is. */
#define SUPPOSED_RING_KIB 1024

/*
 * How often a guest is asked that did not wait until its pages were mapped: it gives up
 * after some seconds, which is not long where another guest keeps XenStore busy.
 */
#define MAX_LATE 3

/* Between two transactions, each of which a guest can make fail. */
#define RETRY_MS 5

/**
 * struct xr_connecting - how far it is with a channel that is being connected
 * @opts:	the caller's, but for the text: that is @config
 * @ring_kib:	what is asked for now
 * @asked:	"connect" was written, and it is the guest's turn
 * @busy_until:	how long to wait for the channel to become free
 * @ready_until: how long for the guest's answer; 0: it was not asked yet
 * @nr_late:	how often it answered and did not wait for us
 * @look_at:	when to look again, if nothing has changed by then
 * @why:	why less than before is asked for; "": it is not
 */
struct xr_connecting {
	struct xenrelay_options opts;
	unsigned int ring_kib;
	bool asked;
	uint64_t busy_until;
	uint64_t ready_until;
	unsigned int nr_late;
	uint64_t look_at;
	char why[sizeof(((struct xenrelay_reader *)NULL)->error)];
	char config[];
};

/*
 * Which version to speak, the newest that both know.
 *
 * Nothing is written for a channel that is not there: that would create it.
 */
static int agree_on_version(struct xenrelay_channel *ch)
{
	uint32_t oldest, newest;
	unsigned int len;
	char *s;
	int err;

	s = xr_read_node(ch, XBT_NULL, "version", &len);
	if (!s && errno == ENOENT)
		return ch_fail(ch, -ENOENT,
			       "no such channel: the guest has not loaded the "
			       "module that offers it, or there is no such domain");
	if (!s)
		return xr_fail_node(ch, "reading XenStore");
	err = xr_parse_versions(s, len, &oldest, &newest);
	free(s);
	if (err)
		return ch_fail(ch, err, "its version in XenStore makes no sense");
	if (!xr_speaks_version(oldest, newest))
		return ch_fail(
			ch, -EPROTONOSUPPORT,
			"no common version of the protocol: the guest speaks %u to "
			"%u, this library %u to %u",
			oldest, newest, XR_OLDEST_VERSION, XR_NEWEST_VERSION);
	ch->version = newest < XR_NEWEST_VERSION ? newest : XR_NEWEST_VERSION;
	return 0;
}

static int read_features(struct xenrelay_channel *ch)
{
	unsigned int len;
	char *s = xr_read_node(ch, XBT_NULL, "features", &len);

	/* Older guests do not write it. */
	if (!s && errno != ENOENT)
		return xr_fail_node(ch, "reading XenStore");
	ch->features = s ? xr_parse_features(s, len) : 0;
	free(s);
	return 0;
}

/* What is asked of the guest has to be among what it offers. */
static int check_wishes(struct xenrelay_channel *ch, const struct xenrelay_options *opts)
{
	if (opts->mode == XENRELAY_MODE_OVERWRITE &&
	    !(ch->features & XR_FEATURE_OVERWRITE))
		return ch_fail(ch, -EOPNOTSUPP,
			       "the guest does not offer the mode 'overwrite'");
	return 0;
}

/* "connect ..." */
static void make_request(const struct xenrelay_channel *ch,
			 const struct xenrelay_options *opts, unsigned int ring_kib,
			 char *text, size_t size)
{
	int n = snprintf(text, size,
			 "connect %" PRIu32 " %u %u version=%" PRIu32 " rings=%u",
			 ch->session, ch->reader->own_domid, ring_kib, ch->version,
			 XENRELAY_MAX_RINGS);

	if (opts->mode && ch->features & XR_FEATURE_OVERWRITE)
		n += snprintf(text + n, size - n, " mode=%s",
			      opts->mode == XENRELAY_MODE_OVERWRITE ? "overwrite"
								    : "discard");
	if (opts->doorbell_percent && ch->features & XR_FEATURE_DOORBELL)
		snprintf(text + n, size - n, " doorbell=%u", opts->doorbell_percent);
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
 * Whether the channel may be taken.  Of two readers that ask for it at the same moment,
 * one finds the other's request.
 */
static int check_free(struct xenrelay_channel *ch, uint32_t transaction)
{
	struct xr_state state;
	int err = xr_read_state(ch, transaction, &state);

	if (!err && (state.kind == XR_READY || state.kind == XR_STOPPED))
		err = ch_fail(ch, -EBUSY, "another reader has it");
	return err;
}

static int check_config(struct xenrelay_reader *reader, const char *config)
{
	if (config && strlen(config) > MAX_CONFIG_LEN)
		return xr_fail(reader, -EINVAL, "the text for the client is too long");
	return 0;
}

int xenrelay_configure(struct xenrelay_channel *ch, const char *config)
{
	int err;

	if (!ch)
		return -EINVAL;
	err = check_config(ch->reader, config);
	if (err)
		return err;
	if (ch->not_connected)
		return ch_fail(ch, -ENOTCONN, "it is not connected");
	if (!(ch->features & XR_FEATURE_CONFIGURE))
		return ch_fail(ch, -EOPNOTSUPP,
			       "the guest does not offer to change its configuration");
	err = xr_check_connected(ch);
	return err ? err : xr_request(ch, "configure", config ? config : "");
}

/* Look again at a time, or when the guest has changed its state.  Return: -EINPROGRESS. */
static int look_again(struct xenrelay_channel *ch, uint64_t at)
{
	uint64_t soon = xr_now_ms() + XR_SLICE_MS;

	/* A guest whose watch was taken back changes it unseen. */
	if (!ch->watch.on && at > soon)
		at = soon;
	ch->connecting->look_at = at;
	xr_timer(ch->reader, at);
	return -EINPROGRESS;
}

/* Ask for the channel if it is free. */
static int claim(struct xenrelay_channel *ch)
{
	struct xr_connecting *c = ch->connecting;
	uint64_t now = xr_now_ms();
	char request[128];
	int err;

	make_request(ch, &c->opts, c->ring_kib, request, sizeof(request));
	err = xr_try_request(ch, check_free, request, c->config);
	ch->claimed = c->asked = !err;
	if (err == -EAGAIN && now < c->busy_until)
		return look_again(ch, now + RETRY_MS < c->busy_until ? now + RETRY_MS
								     : c->busy_until);
	if (err == -EBUSY && now < c->busy_until)
		return look_again(ch, c->busy_until);
	if (err)
		return err == -EAGAIN ? -EBUSY : err;
	if (!c->ready_until)
		c->ready_until = now + (c->opts.timeout_ms ?: DEFAULT_TIMEOUT_MS);
	return look_again(ch, c->ready_until);
}

/* The guest's answer to "connect". */
static int read_answer(struct xenrelay_channel *ch, uint32_t *info_ref)
{
	struct xr_state state;
	int err = xr_read_state(ch, XBT_NULL, &state);

	if (err)
		return err;
	if (state.session == ch->session) {
		switch (state.kind) {
		case XR_READY:
			*info_ref = state.ref;
			return 0;
		case XR_FAILED:
			ch->short_of_room = state.err == ENOMEM || state.err == ENOSPC ||
					    state.err == E2BIG;
			return ch_fail(ch, -ECONNREFUSED,
				       "the guest could not connect: %s%s%s", state.text,
				       *state.text ? ": " : "", strerror(state.err));
		default:
			return ch_fail(ch, -ECONNREFUSED, "the guest stopped it at once");
		}
	}
	if (state.kind == XR_READY || state.kind == XR_STOPPED) {
		/* Theirs now: our "release" must not reach the guest. */
		ch->claimed = false;
		return ch_fail(ch, -EBUSY, "another reader was faster");
	}
	if (xr_now_ms() < ch->connecting->ready_until)
		return look_again(ch, ch->connecting->ready_until);
	return ch_fail(ch, -ETIMEDOUT, "the guest did not answer in time");
}

static void state_changed(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	struct xenrelay_channel *ch =
		(struct xenrelay_channel *)((char *)watch -
					    offsetof(struct xenrelay_channel, watch));

	(void)reader;
	xr_channel_changed(ch);
}

static struct xenrelay_channel *new_channel(struct xenrelay_reader *reader,
					    unsigned int domid, const char *name,
					    const struct xenrelay_options *opts)
{
	const char *config = opts->config ? opts->config : "";
	struct xenrelay_channel *ch = calloc(1, sizeof(*ch));
	struct xr_connecting *c = calloc(1, sizeof(*c) + strlen(config) + 1);

	if (!ch || !c) {
		free(ch);
		free(c);
		return NULL;
	}
	c->opts = *opts;
	c->opts.config = strcpy(c->config, config);
	c->ring_kib = opts->ring_kib;
	ch->connecting = c;
	ch->not_connected = -EINPROGRESS;
	pthread_mutex_init(&ch->bell_lock, NULL);
	ch->reader = reader;
	ch->domid = domid;
	snprintf(ch->name, sizeof(ch->name), "%s", name);
	snprintf(ch->dir, sizeof(ch->dir), "/local/domain/%u/" XENRELAY_XS_DIR "/%s",
		 domid, ch->name);
	snprintf(ch->watch.path, sizeof(ch->watch.path),
		 "/local/domain/%u/" XENRELAY_XS_DIR "/%s/state", domid, ch->name);
	ch->watch.fired = state_changed;
	ch->idle = opts->idle;
	ch->idle_priv = opts->idle_priv;
	ch->idle_at = xr_now_ms();
	ch->ring_kib_wanted = opts->ring_kib;
	ch->next = reader->channels;
	reader->channels = ch;
	return ch;
}

static int check_options(struct xenrelay_reader *reader,
			 const struct xenrelay_options *opts)
{
	if (opts->ring_kib > MAX_RING_KIB)
		return xr_fail(reader, -EINVAL, "a ring has at most %u KiB",
			       MAX_RING_KIB);
	if ((unsigned int)opts->mode > XENRELAY_MODE_OVERWRITE)
		return xr_fail(reader, -EINVAL, "no such mode");
	if (opts->doorbell_percent > 100)
		return xr_fail(reader, -EINVAL, "the doorbell's mark is above 100%%");
	return check_config(reader, opts->config);
}

/* The guest has to have done as it was asked. */
static int check_granted(struct xenrelay_channel *ch, const struct xenrelay_options *opts)
{
	bool overwrite = ch->layout.flags & XENRELAY_F_OVERWRITE;

	if (opts->mode == XENRELAY_MODE_DISCARD && overwrite)
		return ch_fail(ch, -EOPNOTSUPP, "its mode is always 'overwrite'");
	if (opts->mode == XENRELAY_MODE_OVERWRITE && !overwrite)
		return ch_fail(ch, -EPROTO,
			       "the guest chose another mode than asked for");
	return 0;
}

/*
 * A guest that closes while its pages are being mapped takes its grants back, and may
 * have used them anew: what was mapped is not the channel then, and what failed is no
 * fault of it.  Once it is ours and mapped, closing waits for us.
 *
 * Return: 0, @err or what else is wrong; -ESTALE, of nothing else here, if it has closed.
 */
static int check_still_ready(struct xenrelay_channel *ch, int err)
{
	int ret = xr_check_connected(ch);

	if (ret == -ENOTCONN)
		ret = ch_fail(ch, -ESTALE, "the guest has closed it");
	if (ret)
		ch->short_of_room = false;
	return ret ? ret : err;
}

/* For all rings together. */
static uint64_t most_kib(const struct xenrelay_options *opts)
{
	uint64_t kib = (uint64_t)opts->ring_kib * DEFAULT_MAX_RINGS;

	if (opts->max_kib)
		return opts->max_kib;
	return kib > DEFAULT_MAX_KIB ? kib : DEFAULT_MAX_KIB;
}

/*
 * Half of what there was no room for, or what is known to be accepted: each time that a
 * guest is asked takes it as long as to attach its probes.  0: it makes no sense to ask
 * for less.
 */
static unsigned int smaller(const struct xenrelay_channel *ch, unsigned int ring_kib,
			    uint64_t max_kib)
{
	unsigned int kib = ch->layout.ring_pages * KIB_PER_PAGE;

	if (!kib || (ring_kib && kib > ring_kib))
		kib = ring_kib ?: SUPPOSED_RING_KIB;
	if (kib <= LEAST_RING_KIB)
		return 0;
	do {
		kib /= 2;
	} while (kib > LEAST_RING_KIB && (uint64_t)kib * ch->layout.nr_rings > max_kib);
	return kib > LEAST_RING_KIB ? kib : LEAST_RING_KIB;
}

static int begin_attempt(struct xenrelay_channel *ch)
{
	ch->connecting->asked = false;
	ch->short_of_room = false;
	ch->layout.ring_pages = ch->layout.nr_rings = 0;
	return draw_session(ch) ?: look_again(ch, xr_now_ms());
}

static int attempt(struct xenrelay_channel *ch)
{
	struct xr_connecting *c = ch->connecting;
	uint32_t info_ref = 0;
	int err;

	if (!c->asked)
		return claim(ch);
	err = read_answer(ch, &info_ref);
	if (!err)
		err = check_still_ready(ch, xr_map(ch, info_ref,
						   most_kib(&c->opts) / KIB_PER_PAGE));
	if (!err)
		err = check_granted(ch, &c->opts);
	return err;
}

/* Ask for less and less, while it is room that lacks. */
static int ask_for_less(struct xenrelay_channel *ch, int err)
{
	struct xr_connecting *c = ch->connecting;
	unsigned int ring_kib;

	/* What the user can change is why less was asked for. */
	if (*c->why && (err == -EBUSY || err == -ETIMEDOUT))
		return xr_fail(ch->reader, err, "%s; then, asked for less: %s", c->why,
			       err == -EBUSY ? "another reader has it"
					     : "no answer in time");
	ring_kib = smaller(ch, c->ring_kib, most_kib(&c->opts));
	if (!ch->short_of_room || !ring_kib || xr_now_ms() >= c->ready_until)
		return err;

	/* The guest frees the channel before it takes the next request. */
	memcpy(c->why, ch->reader->error, sizeof(c->why));
	xr_unmap(ch);
	xr_tell_release(ch);
	ch->claimed = false;
	c->ring_kib = ring_kib;
	c->busy_until = c->ready_until;
	return begin_attempt(ch);
}

/* Ask once more where the guest is there, but did not wait for us. */
static int ask_again(struct xenrelay_channel *ch)
{
	struct xr_connecting *c = ch->connecting;

	if (++c->nr_late == MAX_LATE)
		return -ENOENT;
	xr_unmap(ch);
	ch->claimed = false;
	c->ready_until = 0;
	c->busy_until = xr_now_ms() + (c->opts.busy_ms ?: DEFAULT_BUSY_MS);
	return begin_attempt(ch);
}

/* It is connected, or has failed. */
static int decide(struct xenrelay_channel *ch, int err)
{
	if (err)
		xr_unmap(ch);
	else if (ch->connecting->opts.doorbell_percent)
		xr_doorbell_bind(ch, ch->connecting->opts.doorbell_percent);
	ch->not_connected = err;
	free(ch->connecting);
	ch->connecting = NULL;
	return err;
}

int xenrelay_connect_poll(struct xenrelay_channel *ch)
{
	int err;

	if (!ch)
		return -EINVAL;
	if (!ch->connecting)
		return ch->not_connected;
	if (!ch->changed && xr_now_ms() < ch->connecting->look_at)
		return -EINPROGRESS;
	ch->changed = false;
	err = attempt(ch);
	if (err == -EINPROGRESS)
		return err;
	if (!ch->ring_kib_wanted)
		ch->ring_kib_wanted = (uint64_t)ch->layout.ring_pages * KIB_PER_PAGE;
	if (err == -ESTALE)
		err = ask_again(ch);
	else if (err)
		err = ask_for_less(ch, err);
	return err == -EINPROGRESS ? err : decide(ch, err);
}

void xr_connect_dispatch(struct xenrelay_reader *reader)
{
	struct xenrelay_channel *ch;
	uint64_t now = xr_now_ms();

	for (ch = reader->channels; ch; ch = ch->next) {
		if (!ch->connecting || ch->changed)
			continue;
		if (now >= ch->connecting->look_at)
			xr_channel_changed(ch);
		else
			xr_timer(reader, ch->connecting->look_at);
	}
}

static int begin(struct xenrelay_channel *ch)
{
	struct xr_connecting *c = ch->connecting;
	int err = agree_on_version(ch);

	if (!err)
		err = read_features(ch);
	if (!err)
		err = check_wishes(ch, &c->opts);
	if (!err)
		err = xr_watch_start(ch->reader, &ch->watch);
	if (err)
		return err;
	c->busy_until = xr_now_ms() + (c->opts.busy_ms ?: DEFAULT_BUSY_MS);
	err = begin_attempt(ch);
	return err == -EINPROGRESS ? 0 : err;
}

int xenrelay_connect_start(struct xenrelay_reader *reader, unsigned int domid,
			   const char *channel, const struct xenrelay_options *options,
			   struct xenrelay_channel **out)
{
	struct xenrelay_options opts = {0};
	struct xenrelay_channel *ch;
	int err = xr_check_reader(reader);

	if (out)
		*out = NULL;
	if (err)
		return err;
	if (!out || domid > XR_MAX_DOMID)
		return xr_fail(reader, -EINVAL, "no number that a domain can have");
	if (!channel || !xr_name_ok(channel))
		return xr_fail(reader, -EINVAL, "not a name that a channel can have");
	if (options && xr_take(&opts, sizeof(opts), options))
		return xr_fail(reader, -EINVAL,
			       "the options' size is not set, or they are of a newer "
			       "library");
	err = check_options(reader, &opts);
	if (err)
		return err;
	ch = new_channel(reader, domid, channel, &opts);
	if (!ch)
		return xr_fail(reader, -ENOMEM, "out of memory");
	err = begin(ch);
	if (err)
		xenrelay_release(ch);
	else
		*out = ch;
	return err;
}

int xenrelay_connect(struct xenrelay_reader *reader, unsigned int domid,
		     const char *channel, const struct xenrelay_options *options,
		     struct xenrelay_channel **out)
{
	int err = xenrelay_connect_start(reader, domid, channel, options, out);

	if (err || !*out)
		return err;
	do {
		err = xr_wait_for_guest(*out, (*out)->connecting->look_at);
		if (err >= 0)
			err = xenrelay_connect_poll(*out);
	} while (err == -EINPROGRESS);
	if (err) {
		xenrelay_release(*out);
		*out = NULL;
	}
	return err;
}
