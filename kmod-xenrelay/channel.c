// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel's life: announced in XenStore, connected at a reader's wish, and
 * taken down, in whatever order and however either end dies.
 *
 * All changes of state happen in the channel's work item, so one at a time;
 * the XenStore watch and a slow poll of the reader's sign of life start it.
 * Only the path of an item (write.c) runs outside.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>
#include "budget.h"
#include "buffers.h"
#include "channel.h"
#include "xenrelay.h"

/* How often a connected reader's sign of life is looked at. */
#define ALIVE_PERIOD HZ
/* How long a reader may take from "ready" until it has mapped the pages. */
#define ATTACH_TIMEOUT (10 * HZ)
/* How long close() waits for the reader to read what is left. */
#define DRAIN_TIMEOUT (2 * HZ)

/* Bits of xenrelay_channel.pending: why the work item was started. */
#define PENDING_WATCH	0
#define PENDING_RESUMED 1

static DEFINE_MUTEX(channels_lock);
static LIST_HEAD(channels);

static enum xenrelay_mapping mapping = XENRELAY_MAP_AUTO;

static const char *const mapping_names[] = {
	[XENRELAY_MAP_AUTO] = "auto",
	[XENRELAY_MAP_CONTIGUOUS] = "contiguous",
	[XENRELAY_MAP_VMAP] = "vmap",
};

static int mapping_set(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(mapping_names, val);

	if (i < 0)
		return i;
	mapping = i;
	return 0;
}

static int mapping_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", mapping_names[mapping]);
}

static const struct kernel_param_ops mapping_ops = {
	.set = mapping_set,
	.get = mapping_get,
};
module_param_cb(mapping, &mapping_ops, NULL, 0644);
MODULE_PARM_DESC(mapping, "How a ring's pages are made contiguous: auto (contiguous "
			  "memory, else vmap), contiguous, vmap");

static __printf(2, 3) void set_state(struct channel *chan, const char *fmt, ...)
{
	char text[128];
	va_list args;
	int err;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	err = xenbus_write(XBT_NIL, chan->path, "state", text);
	if (err)
		pr_warn("%s: cannot write %s/state: %d\n", chan->params.name, chan->path,
			err);
}

/* The words behind "connect SESSION DOMID KIB"; those that are not known mean nothing. */
static void parse_words(struct reader_wish *wish, char *words)
{
	char *word;
	u32 n;

	while ((word = strsep(&words, " "))) {
		if (!strcmp(word, "mode=discard"))
			wish->mode = XENRELAY_DISCARD;
		else if (!strcmp(word, "mode=overwrite"))
			wish->mode = XENRELAY_OVERWRITE;
		else if (strstarts(word, "version=") && !kstrtou32(word + 8, 10, &n))
			wish->version = n;
		else if (strstarts(word, "rings=") && !kstrtou32(word + 6, 10, &n))
			wish->max_rings = min_t(u32, n, XENRELAY_MAX_RINGS);
		else if (strstarts(word, "doorbell=") && !kstrtou32(word + 9, 10, &n))
			wish->doorbell_percent = min(n, 100U);
	}
}

static void parse_wish(struct reader_wish *wish, char *text)
{
	u64 domid, ring_kib;
	int len;

	if (sscanf(text, "connect %llu %llu %llu%n", &wish->session, &domid, &ring_kib,
		   &len) == 3 &&
	    domid < DOMID_FIRST_RESERVED) {
		wish->command = READER_CONNECT;
		wish->domid = domid;
		wish->ring_kib = min_t(u64, ring_kib, U32_MAX);
		parse_words(wish, text + len);
	} else if (sscanf(text, "configure %llu", &wish->session) == 1) {
		wish->command = READER_CONFIGURE;
	} else if (sscanf(text, "disconnect %llu", &wish->session) == 1) {
		wish->command = READER_DISCONNECT;
	} else if (sscanf(text, "release %llu", &wish->session) == 1) {
		wish->command = READER_RELEASE;
	}
	if (!wish->session)
		wish->command = READER_NONE;
}

static struct reader_wish read_wish(struct channel *chan)
{
	struct reader_wish wish = {.command = READER_NONE,
				   .version = 1,
				   .max_rings = XENRELAY_FEW_RINGS,
				   .mode = -1};
	char *text = xenbus_read(XBT_NIL, chan->path, "reader", NULL);

	if (!IS_ERR(text)) {
		parse_wish(&wish, text);
		kfree(text);
	}
	return wish;
}

/*
 * The text for the client, "" without one.  A reader writes it together with its
 * "connect"; where another one has asked in the meantime it may be that one's, and this
 * is NULL.  The watch has fired for the other one then.
 */
static char *read_config(struct channel *chan, u64 session)
{
	char *config = xenbus_read(XBT_NIL, chan->path, "config", NULL);

	if (IS_ERR(config))
		config = kstrdup("", GFP_KERNEL);
	if (read_wish(chan).session == session)
		return config;
	kfree(config);
	return NULL;
}

static void let_write(struct channel *chan, struct xenrelay_buffers *bufs)
{
	unsigned int cpu;

	/* All that is in a ring is seen when the ring is. */
	for_each_possible_cpu (cpu)
		smp_store_release(per_cpu_ptr(chan->writers.ring, cpu),
				  bufs ? &bufs->rings[cpu] : NULL);
}

/* On return no item is being written, and further ones are refused. */
static void shut_out_writers(struct channel *chan)
{
	RCU_INIT_POINTER(chan->open_bufs, NULL);
	let_write(chan, NULL);
	synchronize_rcu();
}

/* Why the reader may not have what it asks for, or NULL. */
static const char *refuse(const struct xenrelay_params *params,
			  const struct reader_wish *wish)
{
	if (wish->version != XENRELAY_VERSION)
		return "this version of the protocol is not spoken here";
	if (params->reader != XENRELAY_ANY_READER && params->reader != wish->domid)
		return "the channel is not for this domain";
	if (params->fixed_mode && wish->mode >= 0 && wish->mode != params->mode)
		return "the tracer does not offer this mode";
	return NULL;
}

/* As large as asked for, or else as memory and grants allow; that is said. */
static struct xenrelay_buffers *create_buffers(const struct xenrelay_params *params,
					       const struct reader_wish *wish,
					       bool overwrite)
{
	/* In overwrite mode one item is always being given up. */
	u64 min_bytes = params->item_size * (overwrite ? 2ULL : 1ULL);
	u64 max_bytes = max((u64)params->item_size * params->max_ring_items, min_bytes);
	u64 bytes = wish->ring_kib ? (u64)wish->ring_kib * 1024
				   : (u64)params->item_size * params->ring_items;
	u32 min_pages = DIV_ROUND_UP_ULL(min_bytes, PAGE_SIZE);
	u32 wanted = DIV_ROUND_UP_ULL(clamp(bytes, min_bytes, max_bytes), PAGE_SIZE);
	struct xenrelay_buffers *bufs;
	u32 pages;

	if (nr_cpu_ids > wish->max_rings)
		return ERR_PTR(-EOPNOTSUPP);
	/* What the last reader has unmapped since is not to be counted. */
	xenrelay_leftovers_poll();
	for (pages = wanted;; pages = max(pages / 2, min_pages)) {
		bufs = xenrelay_buffers_create(params->item_size, pages, overwrite,
					       wish->domid, mapping);
		if (!IS_ERR(bufs) || pages == min_pages)
			break;
	}
	if (!IS_ERR(bufs) && pages < wanted)
		pr_notice_ratelimited(
			"%s: rings of %lu KiB instead of %lu: memory or grants do not allow more\n",
			params->name, pages * PAGE_SIZE / 1024,
			wanted * PAGE_SIZE / 1024);
	return bufs;
}

/* Why create_buffers() has failed. */
static void say_why_none(char *text, size_t size, const struct reader_wish *wish, int err)
{
	unsigned long left = xenrelay_leftovers_poll();
	const char *lacks = err == -ENOSPC ? "grants" : "memory";

	if (err == -EOPNOTSUPP)
		snprintf(text, size,
			 "%u vCPUs are possible here, the reader takes %u rings",
			 nr_cpu_ids, wish->max_rings);
	else if (err == -E2BIG)
		snprintf(text, size, "more pages than a channel can have");
	else if (left)
		snprintf(text, size,
			 "%lu KiB of earlier connections still mapped: no free %s",
			 left * PAGE_SIZE / 1024, lacks);
	else
		snprintf(text, size, "no free %s", lacks);
}

static int start_doorbell(struct xenrelay_buffers *bufs, const struct reader_wish *wish)
{
	u32 mark = (u64)bufs->rings[0].capacity * wish->doorbell_percent / 100;
	unsigned int i;
	int err;

	if (!wish->doorbell_percent)
		return 0;
	err = xenrelay_doorbell_create(&bufs->doorbell, wish->domid, max(mark, 1U),
				       xenrelay_producer(bufs), xenrelay_consumer(bufs));
	if (err)
		return err;
	xenrelay_info(bufs)->doorbell_port = bufs->doorbell.port;
	xenrelay_info(bufs)->flags |= XENRELAY_F_DOORBELL;
	/* How much of a ring is unread is for xenrelay_doorbell_check(). */
	for (i = 0; i < bufs->nr_rings; i++)
		bufs->rings[i].tell_at = 0;
	return 0;
}

static int channel_connect(struct channel *chan, const struct reader_wish *wish,
			   const char *config)
{
	const struct xenrelay_params *params = &chan->params;
	bool overwrite = (wish->mode < 0 ? params->mode : wish->mode) ==
			 XENRELAY_OVERWRITE;
	const char *why = refuse(params, wish);
	struct xenrelay_buffers *bufs;
	struct xenrelay_info *info;
	char no_buffers[96];
	int err;

	chan->wish = *wish;
	if (why) {
		err = -EPERM;
		goto err_state;
	}
	bufs = create_buffers(params, wish, overwrite);
	if (IS_ERR(bufs)) {
		err = PTR_ERR(bufs);
		say_why_none(no_buffers, sizeof(no_buffers), wish, err);
		why = no_buffers;
		goto err_state;
	}
	err = start_doorbell(bufs, wish);
	if (err) {
		why = "no event channel for the doorbell";
		goto err_bufs;
	}
	info = xenrelay_info(bufs);
	info->session = wish->session;
	info->client_version = params->client_version;
	chan->bufs = bufs;
	rcu_assign_pointer(chan->open_bufs, bufs);
	chan->small = params->item_size <= XR_COPY_SMALL && !overwrite &&
		      !bufs->doorbell.mark;
	let_write(chan, bufs);

	err = params->connect(&chan->writers, params->priv, config);
	if (err) {
		why = "the tracer refused";
		goto err_shut;
	}
	/* It may have measured its clock anew. */
	info->clock_ns = params->clock_ns ? *params->clock_ns : 0;
	chan->attached = false;
	chan->deadline = jiffies + ATTACH_TIMEOUT;
	chan->state = CHANNEL_CONNECTED;
	set_state(chan, "ready %llu %u", wish->session, bufs->info.refs[0]);
	return 0;

err_shut:
	shut_out_writers(chan);
	chan->bufs = NULL;
err_bufs:
	xenrelay_buffers_free(bufs);
err_state:
	pr_warn_ratelimited("%s: cannot connect to domain %u: %s (%d)\n", params->name,
			    wish->domid, why, err);
	set_state(chan, "failed %llu %d %s", wish->session, -err, why);
	return err;
}

static void channel_configure(struct channel *chan)
{
	char *config;

	if (chan->state != CHANNEL_CONNECTED || !chan->params.configure)
		return;
	config = read_config(chan, chan->wish.session);
	if (config)
		chan->params.configure(chan->params.priv, config);
	kfree(config);
}

/* No item comes after this; what is in the rings can still be read. */
static void channel_stop(struct channel *chan)
{
	if (chan->state != CHANNEL_CONNECTED)
		return;
	chan->params.disconnect(chan->params.priv);
	shut_out_writers(chan);
	chan->state = CHANNEL_STOPPED;
	/* Pairs with the reader's load-acquire: all heads are final. */
	xblk_store_release(&xenrelay_producer(chan->bufs)[0].channel.state,
			   XENRELAY_STOPPED);
	set_state(chan, "stopped %llu", chan->wish.session);
}

static void channel_release(struct channel *chan)
{
	channel_stop(chan);
	if (!chan->bufs)
		return;
	xenrelay_buffers_free(chan->bufs);
	chan->bufs = NULL;
	chan->state = CHANNEL_OPEN;
}

/* True once the reader has gone, or has failed to come. */
static bool reader_gone(struct channel *chan)
{
	struct xenrelay_buffers *bufs = chan->bufs;
	bool attached;

	if (!bufs)
		return true;
	attached = xblk_load_once(&xenrelay_consumer(bufs)[0].channel.attached);
	if (attached) {
		chan->attached = true;
		/* A reader whose whole domain dies clears nothing, but Xen unmaps it. */
		return xenrelay_buffers_unmapped(bufs);
	}
	return chan->attached || time_after(jiffies, chan->deadline);
}

static int channel_publish(struct channel *chan)
{
	const struct xenrelay_params *params = &chan->params;
	/* A reader may ask for what it would get anyway. */
	bool overwrite = !params->fixed_mode || params->mode == XENRELAY_OVERWRITE;
	int err;

	err = xenbus_printf(XBT_NIL, chan->path, "version", "%u", XENRELAY_VERSION);
	if (!err)
		err = xenbus_printf(XBT_NIL, chan->path, "features", "doorbell%s%s",
				    overwrite ? " overwrite" : "",
				    params->configure ? " configure" : "");
	if (!err)
		err = xenbus_write(XBT_NIL, chan->path, "reader", "");
	if (!err)
		err = xenbus_write(XBT_NIL, chan->path, "config", "");
	/* So that a reader sees that it is not the channel that was here before. */
	if (!err)
		err = xenbus_printf(XBT_NIL, chan->path, "generation", "%llu",
				    get_random_u64());
	if (!err)
		err = xenbus_write(XBT_NIL, chan->path, "state", "open");
	return err;
}

/* After a suspend that was cancelled all is as it was, and the channel goes on. */
static bool is_published(struct channel *chan)
{
	return xenbus_exists(XBT_NIL, chan->path, "version");
}

static void channel_work(struct work_struct *work)
{
	struct channel *chan = container_of(to_delayed_work(work), struct channel, work);
	struct reader_wish wish = {.command = READER_NONE};
	bool same_session;
	char *config;
	int err;

	if (test_and_clear_bit(PENDING_RESUMED, &chan->pending) && !is_published(chan)) {
		/* The grants died with the old domain, and so did the nodes. */
		channel_release(chan);
		err = channel_publish(chan);
		if (err)
			pr_warn("%s: cannot be announced again: %d\n", chan->params.name,
				err);
	}
	if (test_and_clear_bit(PENDING_WATCH, &chan->pending))
		wish = read_wish(chan);
	same_session = wish.session == chan->wish.session;

	if (wish.command == READER_CONFIGURE && same_session)
		channel_configure(chan);
	if (wish.command == READER_DISCONNECT && same_session)
		channel_stop(chan);
	if (chan->state != CHANNEL_OPEN &&
	    ((wish.command == READER_RELEASE && same_session) || reader_gone(chan))) {
		channel_release(chan);
		set_state(chan, "open");
	}
	if (wish.command == READER_CONNECT && chan->state == CHANNEL_OPEN &&
	    !same_session) {
		config = read_config(chan, wish.session);
		if (config)
			channel_connect(chan, &wish, config);
		kfree(config);
	}

	if (chan->state != CHANNEL_OPEN)
		queue_delayed_work(xenrelay_wq, &chan->work, ALIVE_PERIOD);
}

static void channel_kick(struct channel *chan, int why)
{
	set_bit(why, &chan->pending);
	mod_delayed_work(xenrelay_wq, &chan->work, 0);
}

static void reader_changed(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	channel_kick(container_of(watch, struct channel, watch), PENDING_WATCH);
}

static bool name_is_good(const char *name)
{
	size_t len = name ? strnlen(name, XENRELAY_NAME_MAX_LEN + 1) : 0;
	size_t i;

	for (i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name[i]))
			return false;
	return len >= 1 && len <= XENRELAY_NAME_MAX_LEN;
}

static bool name_is_taken(const char *name)
{
	struct channel *chan;

	list_for_each_entry (chan, &channels, list)
		if (!strcmp(chan->params.name, name))
			return true;
	return false;
}

static bool params_are_good(const struct xenrelay_params *params)
{
	return params && name_is_good(params->name) &&
	       params->item_size >= XENRELAY_MIN_ITEM_SIZE &&
	       params->item_size <= XENRELAY_MAX_ITEM_SIZE && params->ring_items &&
	       params->max_ring_items >= params->ring_items &&
	       (u64)params->max_ring_items * params->item_size <=
		       (u64)XENRELAY_MAX_RING_PAGES * PAGE_SIZE &&
	       (params->mode == XENRELAY_DISCARD || params->mode == XENRELAY_OVERWRITE) &&
	       (params->reader < DOMID_FIRST_RESERVED ||
		params->reader == XENRELAY_ANY_READER) &&
	       params->connect && params->disconnect;
}

struct xenrelay_channel *xenrelay_open(const struct xenrelay_params *params)
{
	struct channel *chan;
	int err;

	if (!params_are_good(params))
		return ERR_PTR(-EINVAL);

	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return ERR_PTR(-ENOMEM);
	chan->writers.ring = alloc_percpu(struct xenrelay_ring *);
	if (!chan->writers.ring) {
		kfree(chan);
		return ERR_PTR(-ENOMEM);
	}
	chan->params = *params;
	snprintf(chan->path, sizeof(chan->path), XENRELAY_XS_DIR "/%s", params->name);
	snprintf(chan->reader_path, sizeof(chan->reader_path), "%s/reader", chan->path);
	INIT_DELAYED_WORK(&chan->work, channel_work);
	chan->watch.node = chan->reader_path;
	chan->watch.callback = reader_changed;

	mutex_lock(&channels_lock);
	err = -EEXIST;
	if (name_is_taken(params->name))
		goto err_unlock;
	err = channel_publish(chan);
	if (err)
		goto err_remove;
	err = register_xenbus_watch(&chan->watch);
	if (err)
		goto err_remove;
	list_add_tail(&chan->list, &channels);
	mutex_unlock(&channels_lock);
	return &chan->writers;

err_remove:
	xenbus_rm(XBT_NIL, chan->path, "");
err_unlock:
	mutex_unlock(&channels_lock);
	free_percpu(chan->writers.ring);
	kfree(chan);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(xenrelay_open);

void xenrelay_close(struct xenrelay_channel *writers)
{
	unsigned long end = jiffies + DRAIN_TIMEOUT;
	struct channel *chan;

	if (IS_ERR_OR_NULL(writers))
		return;
	chan = own_channel(writers);
	unregister_xenbus_watch(&chan->watch);
	/* A resume starts it no more; its name stays taken. */
	mutex_lock(&channels_lock);
	chan->closing = true;
	mutex_unlock(&channels_lock);
	cancel_delayed_work_sync(&chan->work);

	channel_stop(chan);
	while (!reader_gone(chan) && chan->attached && time_before(jiffies, end))
		msleep(20);
	channel_release(chan);
	xenbus_rm(XBT_NIL, chan->path, "");
	/* The name is free only now that its nodes are gone. */
	mutex_lock(&channels_lock);
	list_del(&chan->list);
	/* This module may be unloaded when there is no channel any more. */
	if (list_empty(&channels))
		xenrelay_leftovers_abandon();
	mutex_unlock(&channels_lock);
	free_percpu(chan->writers.ring);
	kfree(chan);
}
EXPORT_SYMBOL_GPL(xenrelay_close);

/* After a resume: every channel of the old domain is dead. */
void xenrelay_channels_resumed(void)
{
	struct channel *chan;

	mutex_lock(&channels_lock);
	list_for_each_entry (chan, &channels, list)
		if (!chan->closing)
			channel_kick(chan, PENDING_RESUMED);
	mutex_unlock(&channels_lock);
}
