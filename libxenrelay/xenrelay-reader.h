/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * libxenrelay: the reading end of Xenrelay channels.
 *
 *	struct xenrelay_reader *reader;
 *	struct xenrelay_channel *ch;
 *
 *	if (xenrelay_reader_open(&reader) ||
 *	    xenrelay_connect(reader, domid, "xblk", NULL, &ch))
 *		errx(1, "%s", xenrelay_strerror(reader));
 *	while (!xenrelay_stopped(ch)) {
 *		xenrelay_dispatch(reader);
 *		for (ring = 0; ring < nr_rings; ring++)
 *			n = xenrelay_read(ch, ring, buf, max, &loss);
 *		poll() with a timeout, on xenrelay_fd(reader) among others
 *	}
 *	xenrelay_disconnect(ch, 3000);
 *	...read what is left...
 *	xenrelay_release(ch);
 *	xenrelay_reader_close(reader);
 *
 * One reader serves any number of channels of any number of domains, and one
 * descriptor tells of all of them.  A loop that sleeps until a doorbell rings
 * arms every channel before it does, and then sleeps only if none has items:
 *
 *	for (;;) {
 *		xenrelay_dispatch(reader);
 *		for each channel:
 *			ended = xenrelay_stopped(ch);	before the reads
 *			read each ring until it gives less than asked and no loss
 *			if (ended) xenrelay_release(ch);
 *		for each channel:
 *			awake |= xenrelay_arm(ch) != 0;
 *		poll(xenrelay_fd(reader), ..., awake ? 0 : period);
 *	}
 *
 * The bell rings at a mark; items below it wait for the period, which bounds
 * how long.  A channel without a doorbell (xenrelay_arm() gives an error) is
 * polled in the same loop.
 *
 * Conventions.  Functions return 0 (or a count) or a negative errno; errno
 * itself means nothing.  After an error xenrelay_strerror() says what failed
 * and why, in one sentence without a newline; after one of xenrelay_read() or
 * xenrelay_arm(), xenrelay_channel_strerror() does.  A NULL where it is not allowed,
 * and a number out of its range, is refused with -EINVAL, unless the function
 * says otherwise, and a reader whose opening failed with -EBADF; neither
 * changes the text.  A pointer to a channel or reader that has been freed is
 * beyond what can be checked.
 *
 * Structures with a first member size may grow in later versions of this library.  The
 * caller sets it, to sizeof of the structure that it was compiled with, or is refused
 * with -EINVAL.  Of those that a function fills in, what the caller does not know is left
 * out, and what the library does not know is set to 0; of options, what the caller does
 * not know is 0, and what the library does not know has to be.
 *
 * Threads.  A reader and its channels belong to one thread at a time, but for this:
 * while a channel is connected one other thread may read it, which is to call
 *
 *	xenrelay_read(), xenrelay_ring_level(), xenrelay_get_ring_stats(),
 *	xenrelay_arm(), xenrelay_rang(), xenrelay_events_sent(),
 *	xenrelay_get_properties(), xenrelay_get_user(), xenrelay_channel_strerror()
 *
 * of it, whatever the first one does with the reader, its other channels, and this one.
 * Of these the first thread then calls none but xenrelay_ring_level(),
 * xenrelay_get_ring_stats(), xenrelay_rang(), xenrelay_events_sent(),
 * xenrelay_get_properties() and xenrelay_get_user().  Which thread reads may differ from
 * channel to channel, and change as mutexes and the like allow.  Nobody may use a channel
 * when xenrelay_release() is called for it: the one that reads lets go of it first.
 *
 * There is no hidden global state, so several readers may run in several threads.  A
 * process that forks must not use them in the child.
 *
 * The guest is not trusted.  It can break its own channel (-EPROTO), and the
 * items are its word: check them before use.  However fast it changes its nodes
 * in XenStore or rings, what that costs this program is bounded: see
 * xenrelay_dispatch().
 */
#ifndef XENRELAY_READER_H
#define XENRELAY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xs_handle;
struct xenrelay_reader;
struct xenrelay_channel;

/**
 * xenrelay_reader_open - open XenStore and the grant-mapping device
 * @reader:	the new reader; set on failure too, so that xenrelay_strerror()
 *		can be asked, and to be closed then too.  NULL after -ENOMEM.
 *
 * Return: 0; -ENOENT, -ENXIO, ... if this is not a Xen domain; -EACCES if the
 * caller may not (root is needed).  Blocks while XenStore does not answer.
 */
int xenrelay_reader_open(struct xenrelay_reader **reader);

/* Release what is still connected and free everything.  NULL is ignored. */
void xenrelay_reader_close(struct xenrelay_reader *reader);

/*
 * The text of the last error; valid until the next call on this reader.  Never
 * NULL: for a reader of NULL it is that of a lack of memory.
 */
const char *xenrelay_strerror(const struct xenrelay_reader *reader);

/*
 * That of the last error of xenrelay_read() or xenrelay_arm() on this channel; valid
 * until the next one, or until the channel is released.  Never NULL.
 */
const char *xenrelay_channel_strerror(const struct xenrelay_channel *ch);

/**
 * xenrelay_set_patience - do not wait for XenStore without end
 * @waits:	called, with @arg, ten times a second while XenStore does not answer a
 *		request: for how long it has not, and whether to wait on.  NULL: wait on
 *
 * A xenstored that hangs would keep this thread in whatever it has called for as long.
 * From here on a thread of the reader makes its requests, which gets no signals, while
 * the caller's waits and calls @waits, which is not to use the reader.  When that says
 * false XenStore is given up for good: what needs it fails with -ETIMEDOUT at once,
 * xenrelay_dispatch() too; channels are read, and let go of, without it.
 *
 * Return: 0; -ENOMEM, -EAGAIN if there can be no thread, -EINVAL or -EBADF for a bad
 * reader.
 */
int xenrelay_set_patience(struct xenrelay_reader *reader,
			  bool (*waits)(void *arg, unsigned int ms), void *arg);

/* The value of a node of XenStore, to be freed; NULL if there is none or on error. */
char *xenrelay_read_node(struct xenrelay_reader *reader, const char *path);

/* The names of its children, to be freed in one; NULL, and *@nr 0, likewise. */
char **xenrelay_list_nodes(struct xenrelay_reader *reader, const char *path,
			   unsigned int *nr);

/*
 * The reader's XenStore connection, for requests of the caller's own, which know no
 * patience.  Stays the reader's; its watch events are consumed by xenrelay_dispatch().
 * NULL if the reader is NULL or not open, or XenStore was given up.
 */
struct xs_handle *xenrelay_xenstore(struct xenrelay_reader *reader);

/* The domain this program runs in; XENRELAY_EVERY_DOMAIN if the reader is not open. */
unsigned int xenrelay_own_domid(const struct xenrelay_reader *reader);

/*
 * A descriptor that is readable when xenrelay_dispatch() has something to do:
 * channels and domains that come and go, doorbells, and its own timer.  Items
 * alone do not make it so.  Stays the reader's; only for poll() and its like.
 */
int xenrelay_fd(const struct xenrelay_reader *reader);

#define XENRELAY_CHANGED_CHANNEL 0x1  /* channels' states: ask xenrelay_next_changed() */
#define XENRELAY_CHANGED_DOMAIN	 0x2  /* some domain went: ask xenrelay_domain_exists() */
#define XENRELAY_CHANGED_OFFERS	 0x4  /* ask xenrelay_next_offer() */
#define XENRELAY_RANG		 0x8  /* a doorbell: ask xenrelay_rang(), or read all */
#define XENRELAY_CHANGED_NODES	 0x10 /* ask xenrelay_next_node() */

/**
 * xenrelay_dispatch - take in what XenStore and the doorbells report
 *
 * Never waits for a guest.  Call it when xenrelay_fd() is readable and after each
 * call that waited (xenrelay_connect(), xenrelay_disconnect()), which may have taken in
 * events of others.
 *
 * A turn takes in at most 4096 events of XenStore and 64 doorbells, and looks at
 * 8 domains' lists of channels, of each at 4 channels; the rest of them has its turn
 * after that.  A watch that fires more than 256 times, and goes on more often than 128
 * times a second, is taken back for a second: the guest's writing costs nothing then, and
 * what it wrote is looked at afterwards.  A domain's list is looked at 4 times a second
 * at most, and so are, in a driver domain, its backends.  A channel's bell stays masked
 * until xenrelay_arm(), and a millisecond at least.
 *
 * Return: XENRELAY_CHANGED_* and XENRELAY_RANG, 0 for none; negative errno if
 * XenStore is gone.
 */
int xenrelay_dispatch(struct xenrelay_reader *reader);

/**
 * xenrelay_next_changed - the next channel whose state is to be looked at
 *
 * Of one that is being connected xenrelay_connect_poll() is to be asked, of one that is
 * connected xenrelay_stopped(): something has happened to it, or to some domain, or its
 * time has come.  Each is told once, until something happens again; one that is released
 * is not told.
 *
 * Return: the channel; NULL if there is no more, or for a bad reader.
 */
struct xenrelay_channel *xenrelay_next_changed(struct xenrelay_reader *reader);

/**
 * xenrelay_watch_nodes - be told of changes in XenStore
 * @path:	a node; it and all below it is watched, whether it is there or not
 * @levels:	how many levels below it xenrelay_next_node() tells apart
 *
 * xenrelay_dispatch() reports XENRELAY_CHANGED_NODES, once at the beginning, too.
 * The limits there hold for this watch as for those of guests' nodes, so a change
 * may be told a second late, but is told.  The watch ends with the reader.
 *
 * Return: 0; -EINVAL (no such path), -ENOMEM and XenStore's errors.
 */
int xenrelay_watch_nodes(struct xenrelay_reader *reader, const char *path,
			 unsigned int levels);

#define XENRELAY_NODE_SIZE 128 /* of a path that xenrelay_next_node() tells */

/**
 * xenrelay_next_node - the next watched node that has changed
 * @path:	its path, cut off @levels below the node that is watched, or further up
 *		where it is too long
 * @size:	of @path, XENRELAY_NODE_SIZE at least
 *
 * Something has changed at or below it.  That of the watched node itself means all of
 * it, as at the beginning and after its watch had been taken back for firing too often.
 * A node is told once, however often it changed since it was last told.
 *
 * Return: 1 if @path was set; 0 if there is no more; -EOVERFLOW, once: more have changed
 * than are kept (1024), look at all that is watched.
 */
int xenrelay_next_node(struct xenrelay_reader *reader, char *path, size_t size);

/*
 * Whether the domain is there and has not begun to die; false for a bad argument, and
 * true if XenStore was given up.  A driver domain sees only those whose channels are open
 * to it: see xenrelay_list().
 */
bool xenrelay_domain_exists(struct xenrelay_reader *reader, unsigned int domid);

#define XENRELAY_NAME_SIZE    32    /* of a channel's name with its NUL */
#define XENRELAY_MAX_CHANNELS 64    /* of a domain; those beyond are not seen */
#define XENRELAY_EVERY_DOMAIN (~0u) /* that xenrelay_list_domains() gives */

/**
 * xenrelay_list_domains - the other domains that this one knows of
 * @domids:	an array, free with free()
 *
 * All; or in a driver domain, which may not list them, those that it has backends for.
 *
 * Return: how many; -ENOMEM and XenStore's errors.
 */
int xenrelay_list_domains(struct xenrelay_reader *reader, unsigned int **domids);

/**
 * xenrelay_list - the channels that a domain offers
 * @names:	an array of strings, free with xenrelay_list_free()
 *
 * Names that no channel can have are left out, and those that exceed
 * XENRELAY_MAX_CHANNELS.
 *
 * Return: how many, 0 if none; -EACCES (this is a driver domain, which domain 0 has
 * not let in: see xenrelay(7)), -ENOMEM and XenStore's errors.
 */
int xenrelay_list(struct xenrelay_reader *reader, unsigned int domid, char ***names);

/* @names may be NULL. */
void xenrelay_list_free(char **names, int nr);

/**
 * xenrelay_get_versions - the versions of the protocol that a channel's guest speaks
 * @oldest, @newest: its range, also after -EPROTONOSUPPORT; else 0
 *
 * To be asked before there is a connection, which makes the same of them.
 *
 * Return: 0 if one of them is spoken here; -EPROTONOSUPPORT if none is; -EPROTO: what the
 * guest says is no range; -ENOENT (no such channel, or it says nothing), -EACCES as
 * xenrelay_list(), and XenStore's errors.
 */
int xenrelay_get_versions(struct xenrelay_reader *reader, unsigned int domid,
			  const char *channel, uint32_t *oldest, uint32_t *newest);

/**
 * xenrelay_watch_channels - be told of channels that come and go
 * @domid:	of this domain, or XENRELAY_EVERY_DOMAIN
 *
 * Looks at once: xenrelay_next_offer() then tells of the channels that are there.
 * Later xenrelay_dispatch() reports XENRELAY_CHANGED_OFFERS.  May be called for
 * several domains; again for one that is watched it does nothing.
 *
 * Return: 0; -ENOMEM and XenStore's errors.
 */
int xenrelay_watch_channels(struct xenrelay_reader *reader, unsigned int domid);

/* No more of it, for all domains; what has not been told is forgotten. */
int xenrelay_unwatch_channels(struct xenrelay_reader *reader);

/**
 * xenrelay_wind_down - ask XenStore nothing any more but what channels need
 *
 * For who is about to disconnect them and to close the reader, where each request may
 * take long, as guests keep XenStore busy.  What xenrelay_watch_channels() and
 * xenrelay_watch_nodes() watch is looked at no more, and xenrelay_dispatch() does not
 * tell of it.  This costs no request itself: the watches go with the reader.
 *
 * Return: 0; -EINVAL or -EBADF for a bad reader.
 */
int xenrelay_wind_down(struct xenrelay_reader *reader);

/**
 * struct xenrelay_offer - a channel that has come or gone
 * @size:	sizeof(struct xenrelay_offer), set by the caller
 * @domid:	its domain
 * @present:	it has come; else it has gone, perhaps with its domain
 * @channel:	its name: A-Z, a-z, 0-9, '-' and '_' only
 * @generation:	by the guest's word another number for each channel that it has opened
 *		under this name; 0 of an older guest, which gives none
 */
struct xenrelay_offer {
	size_t size;
	unsigned int domid;
	bool present;
	char channel[XENRELAY_NAME_SIZE];
	uint64_t generation;
};

/**
 * xenrelay_next_offer - the next channel that has come or gone
 *
 * What is told is the difference to what was told before: a channel that comes
 * and goes between two looks is not told, and nothing can pile up.  One that goes and
 * comes between two looks is told as gone and then as come, if its guest gives
 * generations.
 *
 * Return: 1 if @offer was set, 0 if there is none.
 */
int xenrelay_next_offer(struct xenrelay_reader *reader, struct xenrelay_offer *offer);

/**
 * struct xenrelay_watch_stats - what watching has met since the reader was opened
 * @size:	sizeof(struct xenrelay_watch_stats), set by the caller
 * @events:	events of XenStore that were taken in
 * @muted:	times that a watch was taken back for firing too often
 * @looks:	looks at a domain's list of channels
 * @bad_names:	names that no channel can have, at each look
 * @left_out:	channels beyond XENRELAY_MAX_CHANNELS, at each look
 */
struct xenrelay_watch_stats {
	size_t size;
	uint64_t events;
	uint64_t muted;
	uint64_t looks;
	uint64_t bad_names;
	uint64_t left_out;
};

int xenrelay_get_watch_stats(const struct xenrelay_reader *reader,
			     struct xenrelay_watch_stats *stats);

/* What happens when a ring is full: see xenrelay/wire.h or xenrelay(7). */
enum xenrelay_mode {
	XENRELAY_MODE_DEFAULT,	 /* as the guest's client chooses */
	XENRELAY_MODE_DISCARD,	 /* new items are lost, until all has been read */
	XENRELAY_MODE_OVERWRITE, /* the oldest are lost: a flight recorder */
};

/**
 * struct xenrelay_options - wishes for a connection; all else zero are the defaults
 * @size:	sizeof(struct xenrelay_options)
 * @ring_kib:	size of each ring, KiB, up to 262144; 0: the guest's default
 * @config:	text for the guest's client of the channel, up to 2048 bytes; NULL for
 *		none
 * @timeout_ms:	how long the guest may take to get ready, all attempts together;
 *		0: 5000
 * @busy_ms:	how long to wait for a channel that another reader has (that of a
 *		killed reader becomes free after a second or two); 0: 4000
 * @max_kib:	the most memory of the guest to map, KiB, over all rings; 0:
 *		256 MiB, or sixteen times @ring_kib where that is more.  Mapping
 *		takes as many of this domain's pages and maptrack entries, of which
 *		all its guests' disks need theirs.
 * @mode:	when a ring is full
 * @doorbell_percent: have an event sent when a ring has filled so far, 1 to 100;
 *		0: none.  A guest that offers none is connected to without:
 *		&xenrelay_properties.doorbell tells.
 * @idle:	called every 100 ms at least while xenrelay_connect() or
 *		xenrelay_disconnect() waits for the guest; another value than 0
 *		ends the waiting, with -ECANCELED.  It may use the reader's other
 *		channels, but not connect, disconnect, release or close.  NULL for none.
 * @idle_priv:	passed to it
 */
struct xenrelay_options {
	size_t size;
	unsigned int ring_kib;
	const char *config;
	unsigned int timeout_ms;
	unsigned int busy_ms;
	uint64_t max_kib;
	enum xenrelay_mode mode;
	unsigned int doorbell_percent;
	int (*idle)(void *priv);
	void *idle_priv;
};

/**
 * xenrelay_connect - connect to a channel and map it
 * @channel:	its name, as in xenrelay_list()
 * @options:	NULL for the defaults
 * @ch:		the channel, to be given back with xenrelay_release(); NULL after a
 *		failure
 *
 * Starts, and polls until it is decided: see xenrelay_connect_start().  It waits for the
 * guest, which other channels' threads that read do not notice.
 *
 * Return: 0, or the errors of xenrelay_connect_start() and xenrelay_connect_poll().
 */
int xenrelay_connect(struct xenrelay_reader *reader, unsigned int domid,
		     const char *channel, const struct xenrelay_options *options,
		     struct xenrelay_channel **ch);

/**
 * xenrelay_connect_start - begin to connect to a channel
 * @channel:	its name, as in xenrelay_list()
 * @options:	NULL for the defaults; copied, with their text
 * @ch:		the channel, to be given back with xenrelay_release() whatever becomes
 *		of it; NULL after a failure
 *
 * Does not wait for the guest.  Any number of channels can be connecting at once.
 * xenrelay_connect_poll() goes on; until it has returned 0 the channel has no rings.
 *
 * Where the guest lacks memory or grants, or this domain what mapping takes, or
 * the rings are larger than @options allow, it tries again with rings half as
 * large, down to 64 KiB: see &xenrelay_properties.ring_kib_wanted.
 *
 * Return: 0: it has begun; else with the text
 *   -ENOENT       no such domain or channel (the guest's module is not loaded)
 *   -EPROTONOSUPPORT no version of the protocol is common to both
 *   -EOPNOTSUPP   the guest does not offer the mode
 *   -EPROTO       what the guest shows makes no sense
 *   -EINVAL       a bad argument
 *   -EACCES       this is a driver domain, which domain 0 has not let in
 *   -ENOMEM, and XenStore's errors
 */
int xenrelay_connect_start(struct xenrelay_reader *reader, unsigned int domid,
			   const char *channel, const struct xenrelay_options *options,
			   struct xenrelay_channel **ch);

/**
 * xenrelay_connect_poll - go on connecting to a channel
 *
 * Does not wait for the guest.  To be called when xenrelay_next_changed() tells of the
 * channel; xenrelay_fd() becomes readable then, also when a time-out has come.  May be
 * called at any time, and costs nothing while there is nothing new.  To give up before
 * it is decided, release the channel.
 *
 * Return: 0: connected; -EINPROGRESS: not yet.  Else it has failed, and what is left to
 * do is to read the text and to release the channel; asked again it says the same:
 *   -ENOENT       the guest has closed it, or is gone
 *   -ENOENT       no such domain or channel (the guest's module is not loaded)
 *   -EBUSY        another reader has the channel
 *   -ETIMEDOUT    the guest did not answer in time
 *   -ECANCELED    &xenrelay_options.idle wished so (only of xenrelay_connect())
 *   -ECONNREFUSED the guest reported a failure; its words are in the text
 *   -EOPNOTSUPP   the guest's mode is always another
 *   -EPROTO       what the guest shows contradicts itself
 *   -E2BIG        its rings are larger than @options allow
 *   -EINVAL       a page could not be mapped, because its grant is bad or this domain
 *                 has no maptrack entry left
 *   -ENOMEM, other errors of the mapping, and XenStore's
 */
int xenrelay_connect_poll(struct xenrelay_channel *ch);

/*
 * A pointer of the caller's own that goes with the channel, NULL at first; it is not
 * followed.  Either thread may ask for it, while none sets it.  NULL for a channel of
 * NULL, of which it is ignored.
 */
void xenrelay_set_user(struct xenrelay_channel *ch, void *user);
void *xenrelay_get_user(const struct xenrelay_channel *ch);

/**
 * xenrelay_configure - give the guest's client of the channel another configuration
 * @config:	text as in &xenrelay_options.config
 *
 * Does not wait for the guest: the client hears of it some time later, and of the
 * last one only, where several follow each other closely.
 *
 * Return: 0; -EOPNOTSUPP (the client does not offer it), -ENOTCONN or -ENOENT (the
 * channel is not connected, has stopped or is closed), -EINVAL (too long), -EAGAIN (the
 * guest's writing to XenStore keeps it from being told), and XenStore's errors.
 */
int xenrelay_configure(struct xenrelay_channel *ch, const char *config);

/**
 * struct xenrelay_properties - what a connected channel is
 * @size:	sizeof(struct xenrelay_properties), set by the caller
 * @nr_rings:	rings; ring n is that of the guest's vCPU n
 * @item_size:	bytes of an item
 * @capacity:	items that a ring holds
 * @ring_kib:	size of a ring, KiB
 * @ring_kib_wanted: the size that was asked for first, or that the guest chose first
 *		where nothing was asked for.  @ring_kib is less where memory, grants
 *		or bounds did not allow it.
 * @contiguous:	whether the guest allocated the rings contiguously
 * @overwrite:	the mode: the oldest items are lost, not the newest
 * @clock_ns:	accuracy of the items' clock, see xenrelay/wire.h; 0 unknown
 * @client_version: the client's version of the items' format
 * @session:	this connection's number
 * @version:	the version of the protocol that both speak
 * @doorbell:	1: it may ring; 0: not asked for; -EOPNOTSUPP: the guest does not
 *		offer it, or did not grant it; another negative errno: its event
 *		channel could not be bound
 * @places_losses: discard: the guest tells where its losses are.  An older one only
 *		counts them, and xenrelay_read() tells of none.
 */
struct xenrelay_properties {
	size_t size;
	unsigned int nr_rings;
	uint32_t item_size;
	uint64_t capacity;
	uint64_t ring_kib;
	uint64_t ring_kib_wanted;
	bool contiguous;
	bool overwrite;
	uint32_t clock_ns;
	uint32_t client_version;
	uint32_t session;
	uint32_t version;
	int doorbell;
	bool places_losses;
};

/* Return: 0; what xenrelay_connect_poll() would, for a channel that is not connected. */
int xenrelay_get_properties(const struct xenrelay_channel *ch,
			    struct xenrelay_properties *properties);

/**
 * struct xenrelay_loss - items lost one after the other, by the guest's word
 * @position:	discard: they were lost before the item of this number;
 *		overwrite: the number of the first of them
 * @count:	how many; 0: none
 * @first_ns:	time of the first, by the client's clock; 0 where it is not known:
 *		the client has no clock, or the items were overwritten
 * @last_ns:	time of the last
 */
struct xenrelay_loss {
	uint64_t position;
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
};

/**
 * xenrelay_read - take items out of one ring
 * @ring:	0 .. nr_rings - 1
 * @buf:	@max_items * item_size bytes; may be NULL if @max_items is 0
 * @max_items:	the most to take; @capacity items, and two losses between or
 *		behind them, are the most that were there when the call began
 * @loss:	set to the loss that comes before the items returned, count 0 if there
 *		is none; NULL is allowed
 *
 * A read ends before a loss, and the next one begins with it, so a caller reads
 * until it gets less than it asked for and no loss either.  A loss with no item
 * behind it is told, with 0 items, once xenrelay_stopped() has returned true.
 *
 * Works on a stopped channel, and on one whose domain has died, until it is
 * released.  Makes no system call; a caller that does nothing but read is
 * held up, 2 to 8 us at a time, which spares the guest looks at what it is writing.
 *
 * Return: items copied, 0 if there are none; -EPROTO if what the guest says
 * cannot be true: the ring stays unreadable, release the channel; -EINVAL: there is
 * no such ring, or no @buf.  Then xenrelay_channel_strerror() says so.
 */
ssize_t xenrelay_read(struct xenrelay_channel *ch, unsigned int ring, void *buf,
		      size_t max_items, struct xenrelay_loss *loss);

/**
 * xenrelay_ring_level - items of a ring that wait to be read
 *
 * At most what the ring holds.  Those of a full ring in overwrite mode may have been
 * lost by the time that they are read.
 *
 * Return: how many; -EINVAL: there is no such ring.
 */
int64_t xenrelay_ring_level(const struct xenrelay_channel *ch, unsigned int ring);

/**
 * struct xenrelay_ring_stats - a ring's counters
 * @size:	sizeof(struct xenrelay_ring_stats), set by the caller
 * @produced:	items written to the ring, by the guest's word
 * @lost:	items that found the ring full, by the guest's word; in overwrite
 *		mode those that were overwritten before they were read
 * @lost_nmi:	items refused from NMI context, by the guest's word
 * @read:	items that were read
 * @met:	items of @lost whose loss xenrelay_read() has told
 * @level:	xenrelay_ring_level()
 * @broken:	why the ring may not be read any more, a constant text; NULL if it may
 *
 * Once a stopped channel has been read to its end: discard, @produced = @read;
 * overwrite, @produced = @read + @lost.  And @met = @lost, unless the guest does
 * not tell places.
 */
struct xenrelay_ring_stats {
	size_t size;
	uint64_t produced;
	uint64_t lost;
	uint64_t lost_nmi;
	uint64_t read;
	uint64_t met;
	uint64_t level;
	const char *broken;
};

#define XENRELAY_EVERY_RING (~0u)

/**
 * xenrelay_get_ring_stats - the counters of a ring, or of all
 * @ring:	0 .. nr_rings - 1, or XENRELAY_EVERY_RING: their sums; @broken is that of
 *		the first that is
 *
 * Return: 0; -EINVAL: there is no such ring, and @stats is zero but for its size.
 */
int xenrelay_get_ring_stats(const struct xenrelay_channel *ch, unsigned int ring,
			    struct xenrelay_ring_stats *stats);

/**
 * struct xenrelay_channel_stats - a channel's counters
 * @size:	sizeof(struct xenrelay_channel_stats), set by the caller
 * @broken_rings: rings that may not be read any more
 * @events_sent: events that the channel has sent, by the guest's word
 * @rang:	events that arrived: times that its doorbell rang here; one comes from Xen
 *		when the event channel is bound
 * @vain:	the last so many of these were for nothing: no ring was as full as the
 *		guest had been asked to ring at
 * @muted:	times that the watch of its state was taken back: xenrelay_dispatch()
 * @senseless:	xenrelay_stopped() is true because its state in XenStore cannot be read
 */
struct xenrelay_channel_stats {
	size_t size;
	unsigned int broken_rings;
	uint64_t events_sent;
	uint64_t rang;
	uint64_t vain;
	uint64_t muted;
	bool senseless;
};

int xenrelay_get_channel_stats(const struct xenrelay_channel *ch,
			       struct xenrelay_channel_stats *stats);

/* Events (notifications) that the channel has sent, by the guest's word; 0 for NULL. */
uint64_t xenrelay_events_sent(const struct xenrelay_channel *ch);

/**
 * xenrelay_arm - have the doorbell ring once more
 *
 * To be called when all has been read and the caller is about to sleep.  The guest
 * sends one event at the most for each call.
 *
 * Return: 0: sleep; 1: items are waiting already, read them first; -EOPNOTSUPP:
 * the channel has no doorbell, and only a timeout wakes the caller.
 */
int xenrelay_arm(struct xenrelay_channel *ch);

/* Whether the doorbell has rung since this was last asked; false for NULL. */
bool xenrelay_rang(struct xenrelay_channel *ch);

/*
 * Whether no item comes any more: the channel was disconnected or closed, or
 * its domain is gone.  What is in the rings can still be read, and a read
 * that begins after this returned true sees all of it, in another thread, too, that
 * has learned of it.  False for a channel that is being connected, true if that has
 * failed, and for NULL.
 */
bool xenrelay_stopped(struct xenrelay_channel *ch);

/**
 * xenrelay_disconnect - ask the guest to stop, and wait for it
 * @timeout_ms:	how long to wait; 0: ask only, xenrelay_stopped() tells
 *
 * May be called again; it asks once.  A guest that writes to XenStore without end can
 * keep it from asking: it tries again while it waits, and when it is called again.
 *
 * Return: 0 once the channel has stopped or its domain is gone; -ETIMEDOUT;
 * -ECANCELED as its connection's @idle wished; XenStore's errors; -EINPROGRESS for a
 * @timeout_ms of 0 if it has not stopped yet; -ENOTCONN if it was never connected.
 */
int xenrelay_disconnect(struct xenrelay_channel *ch, unsigned int timeout_ms);

/*
 * Unmap everything, tell the guest so and free the channel, in whatever state
 * it is: this alone is a safe end too.  No other thread may be using it.  Leaves the
 * text of the last error.  NULL is ignored.
 */
void xenrelay_release(struct xenrelay_channel *ch);

#ifdef __cplusplus
}
#endif

#endif /* XENRELAY_READER_H */
