// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that lies: it offers a channel as xenrelay.ko does, with pages and
 * grants of its own, and answers a reader honestly, but for the one lie that
 * data/xr-hostile/tell in XenStore names.  data/xr-hostile/told says when it is ready
 * to be told.  For the lab only.
 *
 * One thread does it all; the watches only wake it, and the threads that flap only
 * write to XenStore.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/xenbus.h>
#include "../kmod-xenrelay/budget.h"
#include "xr-hostile.h"

#define TELL_DIR     "data/xr-hostile"
#define NR_FLAPPERS  4
#define HONEST_FIRST (HZ / 2) /* from "ready" until a lie about the rings begins */

static char *channel = "xblk";
module_param(channel, charp, 0444);
MODULE_PARM_DESC(channel, "name of the channel");

/* Written by the thread alone; the others hold the lock while they act on it. */
static const struct attack *attack;
static DECLARE_RWSEM(attack_lock);
char hostile_dir[64];

struct hostile_peer peer;

static struct task_struct *thread, *flappers[NR_FLAPPERS];
static DECLARE_WAIT_QUEUE_HEAD(wake);
static bool reader_wrote;
static bool retold; /* another lie: offer the channel anew */

void say(const char *node, const char *text)
{
	xenbus_write(XBT_NIL, hostile_dir, node, text);
}

void set_state(const char *fmt, ...)
{
	char text[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say("state", text);
}

void announce_ready(void)
{
	set_state("ready %llu %u", peer.session, peer.ref);
}

static const struct attack honest = {"none"};

static const struct attack *find_attack(const char *name)
{
	static const struct attack *const tables[] = {
		hostile_info,
		hostile_store,
		hostile_positions,
		hostile_records,
	};
	const struct attack *lie;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (lie = tables[i]; lie->name; lie++)
			if (!strcmp(lie->name, name))
				return lie;
	return &honest;
}

static void offer(void)
{
	say("version", "1");
	say("features", "overwrite doorbell");
	say("reader", "");
	say("config", "");
	say("state", "open");
}

static void let_go(void)
{
	if (peer.bufs) {
		xenrelay_doorbell_destroy(&peer.bufs->doorbell);
		xenrelay_buffers_free(peer.bufs);
	}
	memset(&peer, 0, sizeof(peer));
	offer();
}

/* What the last lie left behind, here and in XenStore, must not be in the way. */
static void take_attack(void)
{
	char *name = xenbus_read(XBT_NIL, TELL_DIR, "tell", NULL);
	const struct attack *next;

	if (IS_ERR(name))
		return;
	next = find_attack(name);
	/* No flapper is in the middle of its own then, nor begins with it again. */
	down_write(&attack_lock);
	attack = next;
	up_write(&attack_lock);
	let_go();
	xenbus_write(XBT_NIL, TELL_DIR, "told", attack->name);
	kfree(name);
}

static void connect(const char *words, unsigned int reader)
{
	u32 pages = attack->ring_pages ?: RING_PAGES;
	unsigned int percent;

	if (attack->to_another)
		reader = DOMID_FIRST_RESERVED - 7;
	peer.bufs = xenrelay_buffers_create(XBLK_RECORD_SIZE, pages, false, reader,
					    XENRELAY_MAP_AUTO);
	if (IS_ERR(peer.bufs)) {
		pr_err("no buffers: %ld\n", PTR_ERR(peer.bufs));
		peer.bufs = NULL;
		return;
	}
	words = strstr(words, "doorbell=");
	if (words && sscanf(words, "doorbell=%u", &percent) == 1 &&
	    !xenrelay_doorbell_create(&peer.bufs->doorbell, reader, 1,
				      xenrelay_producer(peer.bufs),
				      xenrelay_consumer(peer.bufs))) {
		info()->doorbell_port = peer.bufs->doorbell.port;
		info()->flags |= XENRELAY_F_DOORBELL;
	}
	peer.ref = peer.bufs->info.refs[0];
	info()->session = peer.session;
	info()->client_version = 1;
	peer.since = jiffies;
	if (attack->granted)
		attack->granted();
	if (attack->announce)
		attack->announce();
	else
		announce_ready();
}

static void obey_reader(void)
{
	char *text = xenbus_read(XBT_NIL, hostile_dir, "reader", NULL);
	unsigned long long session;
	unsigned int reader;

	if (IS_ERR(text))
		return;
	if (sscanf(text, "connect %llu %u", &session, &reader) == 2) {
		if (session != peer.session && !attack->mute) {
			if (peer.session)
				let_go();
			peer.session = session;
			connect(text, reader);
		}
	} else if (sscanf(text, "disconnect %llu", &session) == 1) {
		if (session == peer.session && !attack->deaf && peer.bufs) {
			peer.stopped = true;
			xblk_store_release(&xenrelay_producer(peer.bufs)[0].channel.state,
					   XENRELAY_STOPPED);
			set_state("stopped %llu", session);
		}
	} else if (sscanf(text, "release %llu", &session) == 1) {
		if (session == peer.session)
			let_go();
	}
	kfree(text);
}

/* A reader that is slow to connect has seen nothing of a lie that is told as turns. */
static bool reader_left(void)
{
	bool attached = xblk_load_once(&xenrelay_consumer(peer.bufs)[0].channel.attached);

	if (attached && !peer.attached) {
		peer.attached = true;
		peer.since = jiffies;
	}
	return peer.attached ? !attached : time_after(jiffies, peer.since + 60 * HZ);
}

static int lie(void *unused)
{
	while (!kthread_should_stop()) {
		if (xchg(&retold, false))
			take_attack();
		if (xchg(&reader_wrote, false))
			obey_reader();
		if (peer.bufs && reader_left())
			let_go();
		if (!peer.bufs || peer.stopped) {
			wait_event_interruptible_timeout(wake,
							 READ_ONCE(reader_wrote) ||
								 READ_ONCE(retold) ||
								 kthread_should_stop(),
							 HZ / 10);
			continue;
		}
		if (!peer.attached || time_before(jiffies, peer.since + HONEST_FIRST)) {
			put_request();
			msleep(10);
			continue;
		}
		peer.turns++;
		if (attack->turn)
			attack->turn();
		if (!attack->busy)
			usleep_range(500, 1000);
		cond_resched();
	}
	let_go();
	return 0;
}

static int flap(void *n)
{
	while (!kthread_should_stop()) {
		bool flapping;

		down_read(&attack_lock);
		flapping = attack->flap && (attack->flap_always || peer.attached);
		if (flapping)
			attack->flap((unsigned long)n);
		up_read(&attack_lock);
		if (!flapping)
			msleep(50);
	}
	return 0;
}

static void reader_changed(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	WRITE_ONCE(reader_wrote, true);
	wake_up(&wake);
}

static void told_to_lie(struct xenbus_watch *watch, const char *path, const char *token)
{
	WRITE_ONCE(retold, true);
	wake_up(&wake);
}

static char reader_node[80];
static struct xenbus_watch reader_watch = {
	.node = reader_node,
	.callback = reader_changed,
};

static struct xenbus_watch tell_watch = {
	.node = TELL_DIR "/tell",
	.callback = told_to_lie,
};

/* Its buffers are xenrelay.ko's own code. */
struct workqueue_struct *xenrelay_wq;

static int __init xr_hostile_init(void)
{
	unsigned long i;
	int err;

	xenrelay_wq = alloc_workqueue("xr-hostile", WQ_UNBOUND, 0);
	if (!xenrelay_wq)
		return -ENOMEM;
	attack = &honest;
	snprintf(hostile_dir, sizeof(hostile_dir), XENRELAY_XS_DIR "/%s", channel);
	snprintf(reader_node, sizeof(reader_node), "%s/reader", hostile_dir);
	xenbus_write(XBT_NIL, TELL_DIR, "tell", attack->name);
	offer();
	err = register_xenbus_watch(&reader_watch);
	if (err)
		goto err_wq;
	err = register_xenbus_watch(&tell_watch);
	if (err)
		goto err_watch;
	thread = kthread_run(lie, NULL, "xr-hostile");
	for (i = 0; i < NR_FLAPPERS; i++)
		flappers[i] = kthread_run(flap, (void *)i, "xr-flap");
	return 0;

err_watch:
	unregister_xenbus_watch(&reader_watch);
err_wq:
	destroy_workqueue(xenrelay_wq);
	return err;
}

static void __exit xr_hostile_exit(void)
{
	unsigned int i;

	unregister_xenbus_watch(&tell_watch);
	unregister_xenbus_watch(&reader_watch);
	for (i = 0; i < NR_FLAPPERS; i++)
		if (!IS_ERR(flappers[i]))
			kthread_stop(flappers[i]);
	if (!IS_ERR(thread))
		kthread_stop(thread);
	xenrelay_leftovers_abandon();
	destroy_workqueue(xenrelay_wq);
	/* Nobody else in this guest has a channel. */
	xenbus_rm(XBT_NIL, XENRELAY_XS_DIR, "");
	xenbus_rm(XBT_NIL, TELL_DIR, "");
}

module_init(xr_hostile_init);
module_exit(xr_hostile_exit);

MODULE_DESCRIPTION("A guest that breaks every promise of a Xenrelay channel, for tests");
MODULE_LICENSE("GPL");
