// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Requests to XenStore, and an end of waiting for them.
 *
 * A request in libxenstore can neither be given a time nor be ended by another thread,
 * and its connection need not be a socket that could be shut down.  So what is made on
 * behalf of a reader with a patience is made by a thread, from a copy.  If it is given up,
 * that thread, the copy and the connection are left to XenStore, which may answer yet.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "fail.h"
#include "objects.h"

/* How often the caller's function is asked whether to wait on. */
#define SLICE_MS 100

/**
 * struct request - one, and what came of it
 * @make:	makes it
 * @path, @text, @domid, @abandon: what it is of
 * @transaction: likewise, or the one that was started
 * @answer:	to be freed, NULL if there is none; @nr: its length
 * @done:	as xs_*() says that do not give an answer
 * @err:	errno
 */
struct request {
	void (*make)(struct xs_handle *xs, struct request *r);
	xs_transaction_t transaction;
	const char *path, *text;
	unsigned int domid;
	bool abandon;
	void *answer;
	unsigned int nr;
	bool done;
	int err;
};

/**
 * struct xr_asking - the thread that makes requests
 * @waits, @arg: see xenrelay_set_patience()
 * @given_up:	the caller's, who waits no more
 * @lock:	of what follows
 * @request:	in hand; NULL: there is none
 * @answered:	it has been made, and is the caller's
 * @ends:	no more will come: who is last closes the connection
 */
struct xr_asking {
	struct xs_handle *xs;
	bool (*waits)(void *arg, unsigned int ms);
	void *arg;
	bool given_up;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct request *request;
	bool answered;
	bool ends;
};

static void make(struct xs_handle *xs, struct request *r)
{
	/* Some functions leave it, where XenStore has not failed. */
	errno = 0;
	r->make(xs, r);
	r->err = errno;
}

/* With what it points to. */
static struct request *copy_of(const struct request *r)
{
	size_t path = r->path ? strlen(r->path) + 1 : 0;
	size_t text = r->text ? strlen(r->text) + 1 : 0;
	struct request *copy = malloc(sizeof(*copy) + path + text);

	if (!copy)
		return NULL;
	*copy = *r;
	if (path)
		copy->path = memcpy(copy + 1, r->path, path);
	if (text)
		copy->text = memcpy((char *)(copy + 1) + path, r->text, text);
	return copy;
}

static void free_all(struct xr_asking *a)
{
	xs_close(a->xs);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* With the lock.  Return: whether there is one to be made; else it is the end. */
static bool next_request(struct xr_asking *a)
{
	while (!a->request || a->answered) {
		if (a->ends)
			return false;
		pthread_cond_wait(&a->changed, &a->lock);
	}
	return true;
}

static void *make_requests(void *arg)
{
	struct xr_asking *a = arg;
	bool late = false;

	pthread_mutex_lock(&a->lock);
	while (next_request(a)) {
		pthread_mutex_unlock(&a->lock);
		make(a->xs, a->request);
		pthread_mutex_lock(&a->lock);
		a->answered = true;
		late = a->ends;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	if (late) {
		free(a->request->answer);
		free(a->request);
		free_all(a);
	}
	return NULL;
}

/* With the lock.  Return: 0 or ETIMEDOUT. */
static int wait_for_answer(struct xr_asking *a)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SLICE_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!a->answered && !err)
		err = pthread_cond_timedwait(&a->changed, &a->lock, &until);
	return a->answered ? 0 : ETIMEDOUT;
}

/* Return: whether it has been, and is the caller's again. */
static bool is_made(struct xr_asking *a, struct request *r)
{
	bool waits = true, made;
	unsigned int ms = 0;

	pthread_mutex_lock(&a->lock);
	a->request = r;
	a->answered = false;
	pthread_cond_broadcast(&a->changed);
	while (waits && wait_for_answer(a)) {
		pthread_mutex_unlock(&a->lock);
		ms += SLICE_MS;
		waits = !a->waits || a->waits(a->arg, ms);
		pthread_mutex_lock(&a->lock);
	}
	made = a->answered;
	if (made)
		a->request = NULL;
	a->given_up = !made;
	pthread_mutex_unlock(&a->lock);
	return made;
}

static void fail(struct request *r, int err)
{
	r->answer = NULL;
	r->done = false;
	r->transaction = XBT_NULL;
	r->err = err;
}

static void have_made(struct xr_asking *a, struct request *r)
{
	struct request *copy = a->given_up ? NULL : copy_of(r);

	if (copy && is_made(a, copy)) {
		*r = *copy;
		free(copy);
	} else {
		fail(r, a->given_up ? ETIMEDOUT : ENOMEM);
	}
}

static void ask(struct xenrelay_reader *reader, struct request *r)
{
	if (reader->asking)
		have_made(reader->asking, r);
	else
		make(reader->xs, r);
	errno = r->err;
}

static void make_read(struct xs_handle *xs, struct request *r)
{
	r->answer = xs_read(xs, r->transaction, r->path, &r->nr);
}

void *xr_xs_read(struct xenrelay_reader *reader, uint32_t transaction, const char *path,
		 unsigned int *len)
{
	struct request r = {
		.make = make_read,
		.transaction = transaction,
		.path = path,
	};

	ask(reader, &r);
	if (len)
		*len = r.nr;
	return r.answer;
}

static void make_write(struct xs_handle *xs, struct request *r)
{
	r->done = xs_write(xs, r->transaction, r->path, r->text, strlen(r->text));
}

bool xr_xs_write(struct xenrelay_reader *reader, uint32_t transaction, const char *path,
		 const char *text)
{
	struct request r = {
		.make = make_write,
		.transaction = transaction,
		.path = path,
		.text = text,
	};

	ask(reader, &r);
	return r.done;
}

static void make_directory(struct xs_handle *xs, struct request *r)
{
	r->answer = xs_directory(xs, r->transaction, r->path, &r->nr);
}

char **xr_xs_directory(struct xenrelay_reader *reader, uint32_t transaction,
		       const char *path, unsigned int *nr)
{
	struct request r = {
		.make = make_directory,
		.transaction = transaction,
		.path = path,
	};

	ask(reader, &r);
	*nr = r.nr;
	return r.answer;
}

static void make_watch(struct xs_handle *xs, struct request *r)
{
	r->done = xs_watch(xs, r->path, r->text);
}

bool xr_xs_watch(struct xenrelay_reader *reader, const char *path, const char *token)
{
	struct request r = {.make = make_watch, .path = path, .text = token};

	ask(reader, &r);
	return r.done;
}

static void make_unwatch(struct xs_handle *xs, struct request *r)
{
	r->done = xs_unwatch(xs, r->path, r->text);
}

bool xr_xs_unwatch(struct xenrelay_reader *reader, const char *path, const char *token)
{
	struct request r = {.make = make_unwatch, .path = path, .text = token};

	ask(reader, &r);
	return r.done;
}

static void make_is_introduced(struct xs_handle *xs, struct request *r)
{
	r->done = xs_is_domain_introduced(xs, r->domid);
}

bool xr_xs_is_domain_introduced(struct xenrelay_reader *reader, unsigned int domid)
{
	struct request r = {.make = make_is_introduced, .domid = domid};

	ask(reader, &r);
	return r.done;
}

static void make_start(struct xs_handle *xs, struct request *r)
{
	r->transaction = xs_transaction_start(xs);
}

uint32_t xr_xs_transaction_start(struct xenrelay_reader *reader)
{
	struct request r = {.make = make_start};

	ask(reader, &r);
	return r.transaction;
}

static void make_end(struct xs_handle *xs, struct request *r)
{
	r->done = xs_transaction_end(xs, r->transaction, r->abandon);
}

bool xr_xs_transaction_end(struct xenrelay_reader *reader, uint32_t transaction,
			   bool abandon)
{
	struct request r = {
		.make = make_end,
		.transaction = transaction,
		.abandon = abandon,
	};

	ask(reader, &r);
	return r.done;
}

bool xr_xs_is_given_up(const struct xenrelay_reader *reader)
{
	return reader->asking && reader->asking->given_up;
}

/* Signals are the program's. */
static int start_thread(struct xr_asking *a)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&a->thread, NULL, make_requests, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static struct xr_asking *new_asking(struct xs_handle *xs)
{
	struct xr_asking *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;

	if (!a)
		return NULL;
	a->xs = xs;
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
	return a;
}

int xenrelay_set_patience(struct xenrelay_reader *reader,
			  bool (*waits)(void *arg, unsigned int ms), void *arg)
{
	struct xr_asking *a;
	int err = xr_check_reader(reader);

	if (err)
		return err;
	a = reader->asking ? reader->asking : new_asking(reader->xs);
	if (!a)
		return xr_fail(reader, -ENOMEM, "out of memory");
	a->waits = waits;
	a->arg = arg;
	if (reader->asking)
		return 0;
	err = start_thread(a);
	if (err) {
		pthread_cond_destroy(&a->changed);
		pthread_mutex_destroy(&a->lock);
		free(a);
		return xr_fail(reader, err, "no thread to ask XenStore with: %s",
			       strerror(-err));
	}
	reader->asking = a;
	return 0;
}

char *xenrelay_read_node(struct xenrelay_reader *reader, const char *path)
{
	if (xr_check_reader(reader) || !path)
		return NULL;
	return xr_xs_read(reader, XBT_NULL, path, NULL);
}

char **xenrelay_list_nodes(struct xenrelay_reader *reader, const char *path,
			   unsigned int *nr)
{
	char **nodes;

	if (nr)
		*nr = 0;
	if (xr_check_reader(reader) || !path || !nr)
		return NULL;
	nodes = xr_xs_directory(reader, XBT_NULL, path, nr);
	if (!nodes)
		*nr = 0;
	return nodes;
}

void xr_xs_close(struct xenrelay_reader *reader)
{
	struct xr_asking *a = reader->asking;
	bool late;

	if (!a) {
		xs_close(reader->xs);
		return;
	}
	pthread_mutex_lock(&a->lock);
	late = a->request && !a->answered;
	a->ends = true;
	if (late)
		pthread_detach(a->thread);
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	if (late)
		return;
	pthread_join(a->thread, NULL);
	/* One that was answered too late. */
	if (a->request) {
		free(a->request->answer);
		free(a->request);
	}
	free_all(a);
}
