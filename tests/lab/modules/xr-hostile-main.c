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
#include <linux/random.h>
#include <linux/rwsem.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <xen/events.h>
#include <xen/xenbus.h>
#include "../kmod-guest/buffers.h"
#include "xblk/record.h"

#define TELL_DIR     "data/xr-hostile"
#define RING_PAGES   16
#define NR_FLAPPERS  4
#define HONEST_FIRST (HZ / 2) /* from "ready" until a lie about the rings begins */
#define NOWHERE	     0x7ffffff0u

/**
 * struct attack - one lie
 * @name:	what the parameter calls it
 * @granted:	told when the pages are granted and filled in, before "ready"
 * @announce:	told instead of "ready"
 * @turn:	told over and over while the reader reads
 * @flap:	told by several threads at once while the reader reads
 * @flap_always: or from the beginning
 * @ring_pages:	of each ring, where not RING_PAGES
 * @mute:	does not answer "connect"
 * @deaf:	does not answer "disconnect"
 * @to_another:	grants its pages to another domain than the reader's
 * @busy:	turns follow each other without a pause
 */
struct attack {
	const char *name;
	void (*granted)(void);
	void (*announce)(void);
	void (*turn)(void);
	void (*flap)(unsigned int n);
	bool flap_always;
	u32 ring_pages;
	bool mute;
	bool deaf;
	bool to_another;
	bool busy;
};

static char *channel = "xblk";
module_param(channel, charp, 0444);
MODULE_PARM_DESC(channel, "name of the channel");

/* Written by the thread alone; the others hold the lock while they act on it. */
static const struct attack *attack;
static DECLARE_RWSEM(attack_lock);
static char dir[64];

static struct {
	struct xenrelay_buffers *bufs; /* while there is a reader */
	unsigned long long session;
	grant_ref_t ref;     /* of the info page */
	bool attached;	     /* the reader has been seen */
	bool stopped;	     /* as it wished */
	unsigned long since; /* jiffies of "ready" */
	u64 turns;
} peer;

static struct task_struct *thread, *flappers[NR_FLAPPERS];
static DECLARE_WAIT_QUEUE_HEAD(wake);
static bool reader_wrote;
static bool retold; /* another lie: offer the channel anew */

static void say(const char *node, const char *text)
{
	xenbus_write(XBT_NIL, dir, node, text);
}

static __printf(1, 2) void set_state(const char *fmt, ...)
{
	char text[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say("state", text);
}

static void announce_ready(void)
{
	set_state("ready %llu %u", peer.session, peer.ref);
}

static struct xenrelay_info *info(void)
{
	return xenrelay_info(peer.bufs);
}

static union xenrelay_producer_line *line(void)
{
	return &xenrelay_producer(peer.bufs)[1];
}

static struct xenrelay_ring *ring(void)
{
	return &peer.bufs->rings[0];
}

/* --- records ---------------------------------------------------------------- */

static void put(const struct xblk_record *rec)
{
	void *room = xenrelay_ring_reserve(ring());

	if (!room) {
		xenrelay_ring_lose(ring(), rec->time);
		return;
	}
	memcpy(room, rec, sizeof(*rec));
	xenrelay_ring_commit(ring());
}

/* A request that was queued, issued and completed: well formed, at least. */
static void put_request(void)
{
	static u32 id;
	struct xblk_record rec = {
		.time = sched_clock(),
		.sector = (u64)id * 8,
		.nr_sectors = 8,
		.event = XBLK_EV_QUEUE,
	};

	rec.id = ++id;
	put(&rec);
	rec.event = XBLK_EV_ISSUE;
	rec.aux = rec.id;
	put(&rec);
	rec.event = XBLK_EV_COMPLETE;
	rec.aux = 0;
	put(&rec);
}

/* Which variant of a bad record comes next. */
static u64 nth;

static void put_noise(void)
{
	struct xblk_record rec;

	get_random_bytes(&rec, sizeof(rec));
	put(&rec);
}

static void put_absurd(void)
{
	static const u64 extremes[] = {0, 1, 1ull << 31, 1ull << 63, ~0ull, ~0ull - 1};
	struct xblk_record rec = {
		.time = sched_clock(),
		.sector = extremes[nth % ARRAY_SIZE(extremes)],
		.nr_sectors = extremes[nth / 7 % ARRAY_SIZE(extremes)],
		.id = nth % 5,
		.aux = nth % 3,
		.event = nth % (XBLK_EV_MAX + 3),
		.op = nth / 11,
		.disk = nth % 13 ? 0 : nth,
	};

	put(&rec);
}

static void put_time(void)
{
	struct xblk_record rec = {
		.time = sched_clock(),
		.sector = 8,
		.nr_sectors = 8,
		.id = 1 + nth / 3,
		.event = (u8[]){XBLK_EV_QUEUE, XBLK_EV_ISSUE, XBLK_EV_COMPLETE}[nth % 3],
	};

	switch (nth % 5) {
	case 0:
		rec.time = 0;
		break;
	case 1:
		rec.time = ~0ull;
		break;
	case 2:
		rec.time += 3600ull * NSEC_PER_SEC;
		break;
	case 3:
		rec.time -= 5ull * NSEC_PER_SEC;
		break;
	}
	put(&rec);
}

/* Names that would clear a terminal, set its title or go on in the next line. */
static void put_name(void)
{
	static const char names[][XBLK_COMM_LEN] = {
		"\033[2J\033[31mred",	 "\033]0;title\007", "two\nlines\r",
		"\x9b\x33\x31m\xff\xfe", "\"},{<b>$(id)`",
	};
	struct xblk_record rec = {
		.time = sched_clock(),
		.aux = nth % 7,
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_PROCESS,
	};

	memcpy(rec.comm, names[nth % ARRAY_SIZE(names)], XBLK_COMM_LEN);
	put(&rec);
	rec = (struct xblk_record){
		.time = sched_clock(),
		.nr_sectors = 8,
		.id = nth,
		.aux = nth % 7,
		.event = XBLK_EV_QUEUE,
	};
	put(&rec);
}

static void put_lost(void)
{
	struct xblk_record rec = {
		.time = sched_clock(),
		.lost = {.until = nth % 2 ? 0 : ~0ull, .count = ~0ull - nth},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	};

	put(&rec);
}

/* The items change under the reader's eyes. */
static void rewrite_items(void)
{
	get_random_bytes(peer.bufs->data[0].vaddr, 4096);
	put_request();
}

/* As many as the ring holds, each time that the reader has taken some. */
static void flood(void)
{
	unsigned int i;

	for (i = 0; i < peer.bufs->nr_rings; i++) {
		struct xenrelay_ring *r = &peer.bufs->rings[i];
		u64 tail = xblk_load_acquire(&r->consumer->ring.tail);

		xblk_store_release(&r->producer->ring.head, tail + r->capacity);
	}
}

/* --- positions ---------------------------------------------------------------- */

static void set_head(u64 head)
{
	xblk_store_release(&line()->ring.head, head);
}

static void head_far(void)
{
	set_head(ring()->head + 2 * ring()->capacity);
}

/* Once the reader has been there: before, 0 is where it begins. */
static void head_back(void)
{
	if (xblk_load_acquire(&ring()->consumer->ring.tail))
		set_head(0);
	else
		put_request();
}

static void head_huge(void)
{
	set_head(~0ull);
}

static void head_wild(void)
{
	set_head(get_random_u64());
}

/* Never more than the ring holds ahead, so that only the direction betrays it. */
static void head_shaking(void)
{
	u64 tail = xblk_load_acquire(&ring()->consumer->ring.tail);

	set_head(tail + get_random_u32() % ring()->capacity);
}

static struct xenrelay_span *span(u64 n)
{
	return &xenrelay_losses(peer.bufs)[1].spans[n % 2];
}

static void set_spans(u64 n)
{
	xblk_store_release(&line()->ring.spans, n);
}

static void spans_many(void)
{
	set_spans(1000);
}

static void spans_far(void)
{
	span(1)->position = ring()->head + 10 * ring()->capacity;
	span(1)->count = 1;
	set_spans(1);
}

static void spans_behind(void)
{
	span(1)->position = 0;
	span(1)->count = 1;
	set_spans(1);
}

/* Once, for the reader to come upon: a place that moves on is one that it never meets. */
static void spans_empty(void)
{
	if (!line()->ring.spans) {
		span(1)->position = ring()->head;
		span(1)->count = 0;
		set_spans(1);
	}
	put_request();
}

static void spans_twice(void)
{
	if (!line()->ring.spans) {
		span(1)->position = ring()->head;
		span(1)->count = 1;
		*span(2) = *span(1);
		set_spans(2);
	}
	put_request();
}

/* Lies that the reader cannot see through: the loss is the guest's word. */
static void spans_absurd(void)
{
	static u64 n;

	if (!line()->ring.spans)
		n = 0;
	if (n == 3)
		return;
	n++;
	span(n)->position = ring()->head;
	span(n)->count = ~0ull / 2;
	span(n)->first_ns = ~0ull;
	span(n)->last_ns = n;
	ring()->spans = n;
	set_spans(n);
	put_request();
	msleep(200);
}

/* A loss behind the last item, and one more each time that it has been met. */
static void spans_endless(void)
{
	u64 n = line()->ring.spans + 1;

	span(n)->position = xblk_load_acquire(&ring()->consumer->ring.tail);
	span(n)->count = 1;
	xblk_store_release(&xenrelay_producer(peer.bufs)[0].channel.state,
			   XENRELAY_STOPPED);
	set_spans(n);
}

static void counters_wild(void)
{
	xblk_store_once(&line()->ring.lost, get_random_u64());
	xblk_store_once(&line()->ring.lost_nmi, get_random_u64());
	xblk_store_once(&xenrelay_producer(peer.bufs)[0].channel.events,
			get_random_u64());
	put_request();
}

/* --- the info page, the directory and the grants ------------------------------ */

static void bad_magic(void)
{
	info()->magic ^= 1;
}
static void bad_version(void)
{
	info()->version = 77;
}
static void bad_info_size(void)
{
	info()->info_size = 0xfffffffc;
}
static void bad_session(void)
{
	info()->session++;
}
static void no_item_size(void)
{
	info()->item_size = 0;
}
static void huge_item_size(void)
{
	info()->item_size = ~0u;
}
static void no_rings(void)
{
	info()->nr_rings = 0;
}
static void many_rings(void)
{
	info()->nr_rings = ~0u;
}
static void no_ring_pages(void)
{
	info()->ring_pages = 0;
}
static void many_ring_pages(void)
{
	info()->ring_pages = 1u << 31;
}
static void bad_dir_count(void)
{
	info()->nr_dir_pages = 0;
}
static void other_records(void)
{
	info()->client_version = 99;
}
static void bad_producer(void)
{
	info()->producer_ref = NOWHERE;
}
static void bad_losses(void)
{
	info()->loss_ref = NOWHERE;
}
static void bad_consumer(void)
{
	info()->consumer_ref = NOWHERE;
}
static void readonly_consumer(void)
{
	info()->consumer_ref = info()->producer_ref;
}
static void bad_data(void)
{
	((u32 *)peer.bufs->dir.vaddr)[RING_PAGES + 1] = NOWHERE;
}

/* As large as the format allows, with a directory to match. */
static void huge(void)
{
	info()->nr_rings = 15;
	info()->ring_pages = XENRELAY_MAX_RING_PAGES;
	info()->nr_dir_pages = 15 * XENRELAY_MAX_RING_PAGES / XENRELAY_REFS_PER_PAGE;
}

static void bad_dir(void)
{
	*(u32 *)(peer.bufs->info.vaddr + sizeof(struct xenrelay_info)) = NOWHERE;
}

/* Every page of the second ring is the consumer page, which the reader itself writes. */
static void ring_alias(void)
{
	u32 *refs = peer.bufs->dir.vaddr;
	unsigned int i;

	for (i = RING_PAGES; i < peer.bufs->nr_rings * RING_PAGES; i++)
		refs[i] = peer.bufs->consumer.refs[0];
}

/* The reader has looked at these once and must never look again. */
static void rewrite_info(void)
{
	get_random_bytes(peer.bufs->info.vaddr, 4096);
	get_random_bytes(peer.bufs->dir.vaddr, 4096);
	put_request();
}

static void ref_zero(void)
{
	set_state("ready %llu 0", peer.session);
}
static void ref_nowhere(void)
{
	set_state("ready %llu 4294967295", peer.session);
}

/* "ready", and the grants are gone by the time that the reader comes. */
static void revoke(void)
{
	xenrelay_buffers_free(peer.bufs);
	peer.bufs = NULL;
	announce_ready();
}

/* --- XenStore ------------------------------------------------------------------ */

static void state_huge(void)
{
	char *text = kmalloc(2000, GFP_KERNEL);

	if (!text)
		return;
	memset(text, '7', 1999);
	memcpy(text, "ready ", 6);
	text[1999] = '\0';
	say("state", text);
	kfree(text);
}

static void state_negative(void)
{
	set_state("ready -1 -5");
}
static void state_binary(void)
{
	say("state", "\001\377\033[2Jready");
}
static void state_empty(void)
{
	say("state", "");
}

static void state_words(void)
{
	set_state("failed %llu 5 \033[31m\033]0;owned\007", peer.session);
}

static void flap_version(unsigned int n)
{
	say("version", "99999999999999999999-\033[2J");
}

/* The same "ready" again and again: nothing changes, and the reader is told each time. */
static void flap_state(unsigned int n)
{
	announce_ready();
}

/* Whatever the reader has in hand in a transaction meets another write. */
static void flap_nodes(unsigned int n)
{
	say(n % 2 ? "state" : "config", n % 2 ? "open" : "");
}

/* Channels that come and go, with names that a path or a terminal would mind. */
static void flap_channels(unsigned int n)
{
	char name[64];

	snprintf(name, sizeof(name), "../other%u_%u", n, get_random_u32() % 8);
	xenbus_write(XBT_NIL, XENRELAY_XS_DIR, name + 3, "");
	xenbus_rm(XBT_NIL, XENRELAY_XS_DIR, name + 3);
}

/* The channel ends and is there again, as fast as XenStore takes it. */
static void storm(void)
{
	set_state("stopped %llu", peer.session);
	say("state", "open");
	announce_ready();
	xenbus_rm(XBT_NIL, dir, "");
	xenbus_write(XBT_NIL, dir, "version", "1");
	announce_ready();
}

/* Events without end, asked for or not. */
static void ring_bell(void)
{
	unsigned int i;

	for (i = 0; i < 1000 && peer.bufs->doorbell.mark; i++)
		notify_remote_via_irq(peer.bufs->doorbell.irq);
}

/* All that a reader cannot see through, in one: what is behind a guest's word is its own.
 */
static void put_garbage(void)
{
	static void (*const kinds[])(void) = {
		put_noise,   put_absurd,   put_time,	  put_name,	put_lost,
		put_request, spans_absurd, counters_wild, rewrite_info, rewrite_items,
	};

	kinds[peer.turns % ARRAY_SIZE(kinds)]();
	nth = peer.turns / ARRAY_SIZE(kinds);
}

/* --- the table ------------------------------------------------------------------ */

static const struct attack attacks[] = {
	{"none"},
	{"magic", .granted = bad_magic},
	{"version", .granted = bad_version},
	{"info-size", .granted = bad_info_size},
	{"session", .granted = bad_session},
	{"item-size-0", .granted = no_item_size},
	{"item-size-huge", .granted = huge_item_size},
	{"rings-0", .granted = no_rings},
	{"rings-many", .granted = many_rings},
	{"ring-pages-0", .granted = no_ring_pages},
	{"ring-pages-many", .granted = many_ring_pages},
	{"dir-count", .granted = bad_dir_count},
	{"huge", .granted = huge},
	{"client-version", .granted = other_records},
	{"producer-ref", .granted = bad_producer},
	{"loss-ref", .granted = bad_losses},
	{"consumer-ref", .granted = bad_consumer},
	{"consumer-readonly", .granted = readonly_consumer},
	{"dir-ref", .granted = bad_dir},
	{"data-ref", .granted = bad_data},
	{"ref-0", .announce = ref_zero},
	{"ref-nowhere", .announce = ref_nowhere},
	{"revoked", .announce = revoke},
	{"to-another", .to_another = true},
	{"state-huge", .announce = state_huge},
	{"state-negative", .announce = state_negative},
	{"state-binary", .announce = state_binary},
	{"state-empty", .announce = state_empty},
	{"state-words", .announce = state_words},
	{"version-words", .flap = flap_version, .flap_always = true},
	{"mute", .mute = true},
	{"deaf", .deaf = true},
	{"nodes-flap", .flap = flap_nodes, .flap_always = true},
	{"channels-flap", .flap = flap_channels, .flap_always = true},
	{"state-flap", .flap = flap_state},
	{"storm", .turn = storm},
	{"head-far", .turn = head_far},
	{"head-back", .turn = head_back},
	{"head-huge", .turn = head_huge},
	{"head-wild", .turn = head_wild, .busy = true},
	{"head-shaking", .turn = head_shaking, .busy = true},
	{"spans-many", .turn = spans_many},
	{"spans-far", .turn = spans_far},
	{"spans-behind", .turn = spans_behind},
	{"spans-empty", .turn = spans_empty},
	{"spans-twice", .turn = spans_twice},
	{"spans-endless", .turn = spans_endless, .busy = true},
	{"garbage", .granted = ring_alias, .turn = put_garbage},
	{"flood", .turn = flood, .busy = true, .ring_pages = 2048},
	{"bell", .turn = ring_bell, .busy = true},
};

static const struct attack *find_attack(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attacks); i++)
		if (!strcmp(attacks[i].name, name))
			return &attacks[i];
	return NULL;
}

/* --- the channel's life ----------------------------------------------------------- */

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
	attack = next ?: &attacks[0];
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
	char *text = xenbus_read(XBT_NIL, dir, "reader", NULL);
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

static bool reader_left(void)
{
	bool attached = xblk_load_once(&xenrelay_consumer(peer.bufs)[0].channel.attached);

	peer.attached |= attached;
	return peer.attached ? !attached : time_after(jiffies, peer.since + 20 * HZ);
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
		if (time_before(jiffies, peer.since + HONEST_FIRST)) {
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

static int __init xr_hostile_init(void)
{
	unsigned long i;
	int err;

	attack = &attacks[0];
	snprintf(dir, sizeof(dir), XENRELAY_XS_DIR "/%s", channel);
	snprintf(reader_node, sizeof(reader_node), "%s/reader", dir);
	xenbus_write(XBT_NIL, TELL_DIR, "tell", attack->name);
	offer();
	err = register_xenbus_watch(&reader_watch);
	if (err)
		return err;
	err = register_xenbus_watch(&tell_watch);
	if (err) {
		unregister_xenbus_watch(&reader_watch);
		return err;
	}
	thread = kthread_run(lie, NULL, "xr-hostile");
	for (i = 0; i < NR_FLAPPERS; i++)
		flappers[i] = kthread_run(flap, (void *)i, "xr-flap");
	return 0;
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
	/* Nobody else in this guest has a channel. */
	xenbus_rm(XBT_NIL, XENRELAY_XS_DIR, "");
	xenbus_rm(XBT_NIL, TELL_DIR, "");
}

module_init(xr_hostile_init);
module_exit(xr_hostile_exit);

MODULE_DESCRIPTION("A guest that breaks every promise of a Xenrelay channel, for tests");
MODULE_LICENSE("GPL");
