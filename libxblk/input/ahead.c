// SPDX-License-Identifier: GPL-2.0-only
#include "input/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* One that is being unpacked, and one to go on with when that is done. */
#define SLOTS 2

struct slot {
	uint64_t offset;
	struct xblk_chunk pack;
	void *payload;
	struct unpack unpacked;
	const char *why;
};

struct ahead {
	pthread_t thread;
	pthread_mutex_t lock;
	/* One for both: never does one side wait while the other one does. */
	pthread_cond_t changed;
	bool ends;
	/* Packs so far; those that were not yet taken have a slot each, in turn. */
	uint64_t given, done, taken;
	struct slot slots[SLOTS];
};

static void *unpack_all(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->ends) {
		struct slot *slot = &a->slots[a->done % SLOTS];

		if (a->done == a->given) {
			pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		pthread_mutex_unlock(&a->lock);
		slot->why = unpack_begin(&slot->unpacked, &slot->pack, slot->payload);
		pthread_mutex_lock(&a->lock);
		a->done++;
		pthread_cond_signal(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Signals are for the thread that reads: one may have to end its waiting. */
static int start(struct ahead *a)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&a->thread, NULL, unpack_all, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

struct ahead *ahead_new(void)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (start(a)) {
		free(a);
		return NULL;
	}
	for (int i = 0; i < SLOTS; i++)
		a->slots[i].payload = xmalloc(XBLK_CHUNK_MAX_PAYLOAD);
	return a;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->ends = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	for (int i = 0; i < SLOTS; i++) {
		unpack_deinit(&a->slots[i].unpacked);
		free(a->slots[i].payload);
	}
	free(a);
}

bool ahead_has_room(const struct ahead *a)
{
	return a->given - a->taken < SLOTS;
}

void ahead_give(struct ahead *a, uint64_t offset, const struct xblk_chunk *pack,
		const void *payload)
{
	struct slot *slot = &a->slots[a->given % SLOTS];

	slot->offset = offset;
	slot->pack = *pack;
	memcpy(slot->payload, payload, pack->payload);
	pthread_mutex_lock(&a->lock);
	a->given++;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
}

/* The oldest pack that was not taken, when it is done. */
static struct slot *wait_for_oldest(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	while (a->done == a->taken)
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
	return &a->slots[a->taken % SLOTS];
}

bool ahead_take(struct ahead *a, uint64_t offset, struct unpack *u, const char **why)
{
	while (a->taken != a->given && a->slots[a->taken % SLOTS].offset <= offset) {
		struct slot *slot = wait_for_oldest(a);
		struct unpack unpacked = slot->unpacked;

		a->taken++;
		if (slot->offset != offset)
			continue;
		/* Its buffer for the one that has been read: nothing is copied. */
		slot->unpacked = *u;
		*u = unpacked;
		*why = slot->why;
		return true;
	}
	return false;
}
