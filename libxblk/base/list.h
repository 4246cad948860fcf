/* SPDX-License-Identifier: GPL-2.0-only */
/* A circular doubly linked list inside its elements, as in the kernel. */
#ifndef LIBXBLK_LIST_H
#define LIBXBLK_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* For the last time: @node is not in any list, and not one itself. */
static inline void list_unlink(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

/* @by takes the place of @node, which is not in any list from now on. */
static inline void list_replace(struct list *node, struct list *by)
{
	list_add_tail(node, by);
	list_unlink(node);
}

/* Leaves @node a list of its own, so that deleting twice does no harm. */
static inline void list_del(struct list *node)
{
	list_unlink(node);
	list_init(node);
}

#endif
