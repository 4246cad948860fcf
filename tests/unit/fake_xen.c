// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xen/version.h>
#include <xen/xen.h>
#include <xencall.h>
#include <xenhypfs.h>
#include <xenstore.h>

#include "fake_xen.h"

#define MAX_NODES   16384
#define MAX_EVENTS  16384
#define MAX_MAPS    16384
#define PAGE	    4096
#define LOCAL_PORT  40
#define MAX_IN_HAND 8

struct node {
	char *path, *value;
};

struct mapping {
	unsigned char *at;
	unsigned int pages;
	int notify; /* offset of the byte to clear, -1 for none */
};

/**
 * struct in_hand - a node that the transaction has read or written
 * @before:	its value when that was first done, NULL: it was not there
 * @written:	what it is to be, NULL: it was only read
 */
struct in_hand {
	char *path, *before, *written;
};

struct fake_xen fake;

static struct node nodes[MAX_NODES];
static struct node watches[MAX_NODES];	    /* value: the token */
static unsigned int nodes_end, watches_end; /* what is behind was never used */
static struct node events[MAX_EVENTS];
static unsigned int nr_events;
static struct in_hand in_hand[MAX_IN_HAND];
static unsigned int nr_in_hand;
static bool in_transaction;
static struct mapping maps[MAX_MAPS];
static int memory_fd, event_fd, bell_fd;
static bool bell_masked, bell_pending;

/* Functions that one thread calls may call those of a test, which call these again. */
static pthread_mutex_t host = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static pthread_cond_t call_goes_on = PTHREAD_COND_INITIALIZER;
static unsigned int nr_calling; /* requests of the reader that are not answered */
static bool is_silent;

void fake_hold(void)
{
	pthread_mutex_lock(&host);
}

void fake_release(void)
{
	pthread_mutex_unlock(&host);
}

static void release(int *unused)
{
	(void)unused;
	fake_release();
}

/* To the end of the function. */
#define HOLD_HOST __attribute__((cleanup(release), unused)) int held = (fake_hold(), 0)

void fake_begin(void)
{
	memset(&fake, 0, sizeof(fake));
	memory_fd = memfd_create("guest", MFD_CLOEXEC);
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bell_masked = bell_pending = false;
	if (memory_fd < 0 || event_fd < 0 || bell_fd < 0 ||
	    ftruncate(memory_fd, FAKE_PAGES * PAGE))
		abort();
	fake.memory = mmap(NULL, FAKE_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   memory_fd, 0);
	if (fake.memory == MAP_FAILED)
		abort();
}

static void clear(struct node *array, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		free(array[i].path);
		free(array[i].value);
		array[i] = (struct node){0};
	}
}

void fake_end(void)
{
	clear(nodes, MAX_NODES);
	clear(watches, MAX_NODES);
	clear(events, nr_events);
	nr_events = nodes_end = watches_end = 0;
	munmap(fake.memory, FAKE_PAGES * PAGE);
	close(memory_fd);
	close(event_fd);
	close(bell_fd);
}

static unsigned int *end_of(const struct node *array)
{
	return array == nodes ? &nodes_end : &watches_end;
}

static struct node *find(struct node *array, const char *path)
{
	unsigned int i, end = *end_of(array);

	for (i = 0; i < end; i++)
		if (path ? array[i].path && !strcmp(array[i].path, path) : !array[i].path)
			return &array[i];
	return NULL;
}

static void set(struct node *array, const char *path, const char *value)
{
	struct node *node = find(array, path);

	if (!node)
		node = find(array, NULL);
	if (!node && *end_of(array) < MAX_NODES)
		node = &array[(*end_of(array))++];
	if (!node)
		abort();
	free(node->path);
	free(node->value);
	node->path = strdup(path);
	node->value = strdup(value);
}

static void drop(struct node *array, const char *path)
{
	struct node *node = find(array, path);

	if (!node)
		return;
	free(node->path);
	free(node->value);
	*node = (struct node){0};
}

static void push_event(const char *path, const char *token)
{
	if (nr_events == MAX_EVENTS)
		abort();
	events[nr_events++] = (struct node){strdup(path), strdup(token)};
	eventfd_write(event_fd, 1);
}

static bool is_closed(const char *path)
{
	if (!fake.closed || !fake.closed(path))
		return false;
	errno = EACCES;
	return true;
}

void fake_fire(const char *path)
{
	HOLD_HOST;
	unsigned int i;

	if (is_closed(path))
		return;
	for (i = 0; i < watches_end; i++) {
		size_t len = watches[i].path ? strlen(watches[i].path) : 0;

		if (len && !strncmp(watches[i].path, path, len) &&
		    (!path[len] || path[len] == '/'))
			push_event(path, watches[i].value);
	}
}

unsigned int fake_nr_events(void)
{
	HOLD_HOST;

	return nr_events;
}

void fake_wake(void)
{
	eventfd_write(event_fd, 1);
}

void fake_write(const char *path, const char *value)
{
	HOLD_HOST;
	set(nodes, path, value);
	fake_fire(path);
}

void fake_remove(const char *path)
{
	HOLD_HOST;
	drop(nodes, path);
	fake_fire(path);
}

void fake_remove_tree(const char *path)
{
	HOLD_HOST;
	size_t len = strlen(path);
	unsigned int i;

	for (i = 0; i < nodes_end; i++) {
		char *node = nodes[i].path;

		if (!node || strncmp(node, path, len) || (node[len] && node[len] != '/'))
			continue;
		nodes[i].path = NULL;
		free(nodes[i].value);
		nodes[i].value = NULL;
		fake_fire(node);
		free(node);
	}
}

const char *fake_read(const char *path)
{
	HOLD_HOST;
	struct node *node = find(nodes, path);

	return node ? node->value : NULL;
}

unsigned int fake_nr_nodes(void)
{
	HOLD_HOST;
	unsigned int i, n = 0;

	for (i = 0; i < nodes_end; i++)
		n += nodes[i].path != NULL;
	return n;
}

/* --- libxenstore --- */

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	return (struct xs_handle *)&fake;
}

void xs_close(struct xs_handle *xs)
{
	(void)xs;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The transaction's own view of a node, from now on. */
static struct in_hand *take_in_hand(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_in_hand; i++)
		if (!strcmp(in_hand[i].path, path))
			return &in_hand[i];
	if (!in_transaction || nr_in_hand == MAX_IN_HAND)
		abort();
	in_hand[nr_in_hand] =
		(struct in_hand){.path = strdup(path), .before = copy(fake_read(path))};
	return &in_hand[nr_in_hand++];
}

void fake_silence(bool silent)
{
	HOLD_HOST;
	is_silent = silent;
	pthread_cond_broadcast(&call_goes_on);
	while (!silent && nr_calling)
		pthread_cond_wait(&call_goes_on, &host);
}

static void call_ends(int *unused)
{
	(void)unused;
	nr_calling--;
	pthread_cond_broadcast(&call_goes_on);
}

static int call_begins(void)
{
	fake.calls++;
	nr_calling++;
	while (is_silent)
		pthread_cond_wait(&call_goes_on, &host);
	return 0;
}

/* The reader asks XenStore, to the end of the function. */
#define HOLD_CALL  \
	HOLD_HOST; \
	__attribute__((cleanup(call_ends), unused)) int calling = call_begins()

static void reader_calls(void)
{
	if (fake.called)
		fake.called();
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	HOLD_CALL;
	const struct in_hand *node;
	const char *value;

	(void)xs;
	reader_calls();
	if (is_closed(path))
		return NULL;
	if (t == XBT_NULL) {
		value = fake_read(path);
	} else {
		node = take_in_hand(path);
		value = node->written ? node->written : node->before;
	}
	if (!value) {
		errno = ENOENT;
		return NULL;
	}
	if (len)
		*len = strlen(value);
	return strdup(value);
}

static void reader_wrote(const char *path, const char *value)
{
	fake_write(path, value);
	if (fake.written)
		fake.written(path, value);
}

bool xs_write(struct xs_handle *xs, xs_transaction_t t, const char *path,
	      const void *data, unsigned int len)
{
	HOLD_CALL;
	struct in_hand *node;
	char *value;

	(void)xs;
	reader_calls();
	if (is_closed(path))
		return false;
	value = strndup(data, len);
	if (t == XBT_NULL) {
		reader_wrote(path, value);
		free(value);
	} else {
		node = take_in_hand(path);
		free(node->written);
		node->written = value;
	}
	return true;
}

char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path,
		    unsigned int *num)
{
	HOLD_CALL;
	size_t len = strlen(path);
	char **list, *text;
	unsigned int i;

	(void)xs, (void)t;
	*num = 0;
	reader_calls();
	if (is_closed(path))
		return NULL;
	list = calloc(nodes_end + 1, sizeof(*list) + 64);
	text = (char *)(list + nodes_end);
	for (i = 0; i < nodes_end; i++) {
		const char *p = nodes[i].path;

		if (!p || strncmp(p, path, len) || p[len] != '/' ||
		    strchr(p + len + 1, '/'))
			continue;
		snprintf(text, 64, "%s", p + len + 1);
		list[(*num)++] = text;
		text += 64;
	}
	if (*num)
		return list;
	free(list);
	errno = ENOENT;
	return NULL;
}

bool xs_watch(struct xs_handle *xs, const char *path, const char *token)
{
	HOLD_CALL;
	(void)xs;
	set(watches, path, token);
	fake.watching++;
	push_event(path, token);
	return true;
}

bool xs_unwatch(struct xs_handle *xs, const char *path, const char *token)
{
	HOLD_CALL;
	struct node *watch = find(watches, path);
	unsigned int i, n = 0;

	(void)xs;
	if (!watch || strcmp(watch->value, token))
		abort();
	drop(watches, path);
	fake.watching--;
	/* XS_UNWATCH_FILTER */
	for (i = 0; i < nr_events; i++) {
		if (strcmp(events[i].value, token)) {
			events[n++] = events[i];
			continue;
		}
		free(events[i].path);
		free(events[i].value);
	}
	nr_events = n;
	return true;
}

int xs_fileno(struct xs_handle *xs)
{
	(void)xs;
	return event_fd;
}

char **xs_check_watch(struct xs_handle *xs)
{
	HOLD_HOST;
	struct node event;
	eventfd_t n;
	char **ret;

	(void)xs;
	if (!nr_events) {
		eventfd_read(event_fd, &n);
		if (fake.idle)
			fake.idle();
		errno = EAGAIN;
		return NULL;
	}
	event = events[0];
	memmove(events, events + 1, --nr_events * sizeof(events[0]));
	events[nr_events] = (struct node){0};
	ret = calloc(1, 2 * sizeof(*ret) + strlen(event.path) + strlen(event.value) + 2);
	ret[XS_WATCH_PATH] = strcpy((char *)(ret + 2), event.path);
	ret[XS_WATCH_TOKEN] =
		strcpy(ret[XS_WATCH_PATH] + strlen(event.path) + 1, event.value);
	free(event.path);
	free(event.value);
	return ret;
}

xs_transaction_t xs_transaction_start(struct xs_handle *xs)
{
	HOLD_CALL;
	(void)xs;
	if (in_transaction)
		abort();
	in_transaction = true;
	return 1;
}

static bool is_outdated(const struct in_hand *node)
{
	const char *now = fake_read(node->path);

	return now && node->before ? strcmp(now, node->before) != 0 : now != node->before;
}

static bool may_commit(void)
{
	unsigned int i;

	if (fake.fail_ends) {
		fake.fail_ends--;
		return false;
	}
	for (i = 0; i < nr_in_hand; i++)
		if (is_outdated(&in_hand[i]))
			return false;
	return true;
}

bool xs_transaction_end(struct xs_handle *xs, xs_transaction_t t, bool abort)
{
	HOLD_CALL;
	bool commit;
	unsigned int i;

	(void)xs, (void)t;
	reader_calls();
	commit = !abort && may_commit();
	in_transaction = false;
	for (i = 0; i < nr_in_hand; i++) {
		if (commit && in_hand[i].written)
			reader_wrote(in_hand[i].path, in_hand[i].written);
		free(in_hand[i].path);
		free(in_hand[i].before);
		free(in_hand[i].written);
	}
	nr_in_hand = 0;
	errno = EAGAIN;
	return abort || commit;
}

bool xs_is_domain_introduced(struct xs_handle *xs, unsigned int domid)
{
	HOLD_CALL;
	(void)xs, (void)domid;
	reader_calls();
	if (fake.closed) {
		errno = EACCES;
		return false;
	}
	return !fake.domain_gone;
}

/* --- libxengnttab --- */

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	(void)logger, (void)open_flags;
	return (xengnttab_handle *)&fake;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	(void)xgt;
	return 0;
}

static void *map(uint32_t count, const uint32_t *refs, int prot, int notify)
{
	struct mapping *m = maps;
	unsigned char *at;
	uint32_t i;

	fake.maps++;
	for (i = 0; i < count; i++) {
		if (refs[i] >= FAKE_PAGES || fake.maps == fake.fail_map) {
			errno = EINVAL;
			return NULL;
		}
	}
	if (fake.room && fake.mapped + count > fake.room) {
		errno = fake.room_errno;
		return NULL;
	}
	at = mmap(NULL, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < count; i++)
		if (mmap(at + i * PAGE, PAGE, prot, MAP_SHARED | MAP_FIXED, memory_fd,
			 (off_t)refs[i] * PAGE) == MAP_FAILED)
			abort();
	while (m->at)
		m++;
	*m = (struct mapping){at, count, notify};
	fake.mapped += count;
	return at;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid, uint32_t ref,
			      int prot)
{
	HOLD_HOST;
	(void)xgt, (void)domid;
	return map(1, &ref, prot, -1);
}

void *xengnttab_map_grant_ref_notify(xengnttab_handle *xgt, uint32_t domid, uint32_t ref,
				     int prot, uint32_t notify_offset,
				     evtchn_port_t notify_port)
{
	HOLD_HOST;
	(void)xgt, (void)domid, (void)notify_port;
	return map(1, &ref, prot, notify_offset);
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count,
				      uint32_t domid, uint32_t *refs, int prot)
{
	HOLD_HOST;
	(void)xgt, (void)domid;
	return map(count, refs, prot, -1);
}

int xengnttab_unmap(xengnttab_handle *xgt, void *start_address, uint32_t count)
{
	HOLD_HOST;
	struct mapping *m = maps;

	(void)xgt;
	while (m < maps + MAX_MAPS && m->at != start_address)
		m++;
	if (m == maps + MAX_MAPS || m->pages != count)
		abort();
	if (m->notify >= 0)
		m->at[m->notify] = 0;
	munmap(m->at, count * PAGE);
	*m = (struct mapping){0};
	fake.mapped -= count;
	return 0;
}

/* --- libxenevtchn --- */

static void deliver(void)
{
	bell_masked = true;
	eventfd_write(bell_fd, 1);
}

void fake_ring_bell(void)
{
	HOLD_HOST;
	if (!fake.bound)
		return;
	if (bell_masked)
		bell_pending = true;
	else
		deliver();
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger, (void)flags;
	return (xenevtchn_handle *)&fake;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	(void)xce;
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
	(void)xce;
	return bell_fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce,
						     uint32_t domid,
						     evtchn_port_t remote_port)
{
	HOLD_HOST;
	(void)xce, (void)domid;
	if (!fake.bell_port || remote_port != fake.bell_port || fake.bound) {
		errno = EINVAL;
		return -1;
	}
	fake.bound = true;
	return LOCAL_PORT;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	HOLD_HOST;
	(void)xce;
	if (port != LOCAL_PORT || !fake.bound)
		abort();
	fake.bound = false;
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
	HOLD_HOST;
	eventfd_t n;

	(void)xce;
	/* The device would block. */
	if (eventfd_read(bell_fd, &n))
		abort();
	return LOCAL_PORT;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
	HOLD_HOST;
	(void)xce;
	if (port != LOCAL_PORT || !fake.bound)
		abort();
	fake.unmasked++;
	bell_masked = false;
	if (bell_pending) {
		bell_pending = false;
		deliver();
	}
	return 0;
}

xenhypfs_handle *xenhypfs_open(struct xentoollog_logger *logger, unsigned int flags)
{
	(void)logger, (void)flags;
	return fake.maptrack_frames ? (xenhypfs_handle *)&fake : NULL;
}

int xenhypfs_close(xenhypfs_handle *hypfs)
{
	(void)hypfs;
	return 0;
}

char *xenhypfs_read(xenhypfs_handle *hypfs, const char *path)
{
	(void)hypfs;
	return strcmp(path, "/params/gnttab_max_maptrack_frames")
		       ? NULL
		       : strdup(fake.maptrack_frames);
}

/* --- libxencall --- */

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	(void)logger, (void)open_flags;
	return fake.command_line ? (xencall_handle *)&fake : NULL;
}

int xencall_close(xencall_handle *xcall)
{
	(void)xcall;
	return 0;
}

void *xencall_alloc_buffer(xencall_handle *xcall, size_t size)
{
	(void)xcall;
	return malloc(size);
}

void xencall_free_buffer(xencall_handle *xcall, void *p)
{
	(void)xcall;
	free(p);
}

int xencall2(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2)
{
	(void)xcall;
	if (op != __HYPERVISOR_xen_version || arg1 != XENVER_commandline)
		abort();
	strncpy((char *)(uintptr_t)arg2, fake.command_line, sizeof(xen_commandline_t));
	return 0;
}
