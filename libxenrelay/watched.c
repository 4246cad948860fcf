// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Nodes that the caller watches, and which of them have changed.
 *
 * What has changed is a set, in which nothing is twice and which has a bound: nothing
 * piles up while nobody asks, however much is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "fail.h"
#include "objects.h"
#include "watched.h"

#define MAX_CHANGED 1024
#define NR_BUCKETS  256

_Static_assert(XENRELAY_NODE_SIZE == XR_PATH_MAX, "what is watched can be told");

/**
 * struct xr_node_watch - a watch of xenrelay_watch_nodes()
 * @levels:	below its node, that are told apart
 */
struct xr_node_watch {
	struct xr_watch watch;
	struct xr_node_watch *next;
	unsigned int levels;
};

struct changed {
	struct changed *next;	   /* that changed later */
	struct changed *in_bucket; /* of the same hash */
	char path[];
};

/* All that have changed and were not told, by time and by hash. */
struct xr_changed_nodes {
	struct changed *first, **end;
	struct changed *buckets[NR_BUCKETS];
	unsigned int nr;
	bool too_many;
};

static struct changed **bucket_of(struct xr_changed_nodes *all, const char *path,
				  size_t len)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	while (len--)
		hash = (hash ^ (unsigned char)*path++) * 16777619u;
	return &all->buckets[hash % NR_BUCKETS];
}

static void drop_first(struct xr_changed_nodes *all)
{
	struct changed *node = all->first;
	struct changed **link = bucket_of(all, node->path, strlen(node->path));

	while (*link != node)
		link = &(*link)->in_bucket;
	*link = node->in_bucket;
	all->first = node->next;
	if (!all->first)
		all->end = &all->first;
	all->nr--;
	free(node);
}

static void drop_all(struct xr_changed_nodes *all)
{
	while (all->first)
		drop_first(all);
}

static void add(struct xr_changed_nodes *all, const char *path, size_t len)
{
	struct changed **bucket = bucket_of(all, path, len), *node;

	if (all->too_many)
		return;
	for (node = *bucket; node; node = node->in_bucket)
		if (!strncmp(node->path, path, len) && !node->path[len])
			return;
	node = all->nr < MAX_CHANGED ? malloc(sizeof(*node) + len + 1) : NULL;
	if (!node) {
		drop_all(all);
		all->too_many = true;
		return;
	}
	memcpy(node->path, path, len);
	node->path[len] = '\0';
	node->next = NULL;
	node->in_bucket = *bucket;
	*bucket = node;
	*all->end = node;
	all->end = &node->next;
	all->nr++;
}

static struct xr_node_watch *nodes_of(struct xr_watch *watch)
{
	return (struct xr_node_watch *)((char *)watch -
					offsetof(struct xr_node_watch, watch));
}

/* How much of a path below the watched node is told: what is too long, by its parent. */
static size_t cut(const struct xr_node_watch *nodes, const char *path)
{
	size_t end = strlen(nodes->watch.path), next;
	unsigned int level;

	for (level = 0; level < nodes->levels && path[end] == '/'; level++) {
		next = end + 1 + strcspn(path + end + 1, "/");
		if (next >= XR_PATH_MAX)
			break;
		end = next;
	}
	return end;
}

static void node_changed(struct xenrelay_reader *reader, struct xr_watch *watch,
			 const char *path)
{
	/* Also of an event that XenStore should not have sent. */
	if (strncmp(path, watch->path, strlen(watch->path)) != 0)
		path = watch->path;
	add(reader->changed_nodes, path, cut(nodes_of(watch), path));
}

static void nodes_changed(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	(void)watch;
	reader->changed |= XENRELAY_CHANGED_NODES;
}

static int prepare(struct xenrelay_reader *reader)
{
	if (reader->changed_nodes)
		return 0;
	reader->changed_nodes = calloc(1, sizeof(*reader->changed_nodes));
	if (!reader->changed_nodes)
		return -ENOMEM;
	reader->changed_nodes->end = &reader->changed_nodes->first;
	return 0;
}

int xenrelay_watch_nodes(struct xenrelay_reader *reader, const char *path,
			 unsigned int levels)
{
	struct xr_node_watch *nodes;
	int err = xr_check_reader(reader);

	if (err)
		return err;
	if (!path || !*path || strlen(path) >= sizeof(nodes->watch.path))
		return xr_fail(reader, -EINVAL, "not a path that can be watched");
	nodes = calloc(1, sizeof(*nodes));
	if (!nodes || prepare(reader)) {
		free(nodes);
		return xr_fail(reader, -ENOMEM, "out of memory");
	}
	strcpy(nodes->watch.path, path);
	nodes->watch.event = node_changed;
	nodes->watch.fired = nodes_changed;
	nodes->levels = levels;
	err = xr_watch_start(reader, &nodes->watch);
	if (err) {
		free(nodes);
		return err;
	}
	nodes->next = reader->node_watches;
	reader->node_watches = nodes;
	return 0;
}

int xenrelay_next_node(struct xenrelay_reader *reader, char *path, size_t size)
{
	struct xr_changed_nodes *all;
	int err = xr_check_reader(reader);

	if (err)
		return err;
	if (!path || size < XENRELAY_NODE_SIZE)
		return -EINVAL;
	all = reader->changed_nodes;
	if (!all)
		return 0;
	if (all->too_many) {
		all->too_many = false;
		return -EOVERFLOW;
	}
	if (!all->first)
		return 0;
	strcpy(path, all->first->path);
	drop_first(all);
	return 1;
}

void xr_watched_wind_down(struct xenrelay_reader *reader)
{
	struct xr_node_watch *nodes;

	for (nodes = reader->node_watches; nodes; nodes = nodes->next)
		nodes->watch.over = true;
}

void xr_watched_end(struct xenrelay_reader *reader)
{
	while (reader->node_watches) {
		struct xr_node_watch *nodes = reader->node_watches;

		reader->node_watches = nodes->next;
		xr_watch_stop(reader, &nodes->watch);
		free(nodes);
	}
	if (reader->changed_nodes)
		drop_all(reader->changed_nodes);
	free(reader->changed_nodes);
}
