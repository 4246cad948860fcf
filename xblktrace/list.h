/* SPDX-License-Identifier: GPL-2.0-only */
/* The guests of this host and their disks, as XenStore has them, and what could be seen. */
#ifndef XBLKTRACE_LIST_H
#define XBLKTRACE_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "domains.h"

/* What a guest has of xblk-guest. */
enum list_tracer {
	LIST_TRACER_READY,
	LIST_TRACER_NONE,     /* not loaded */
	LIST_TRACER_FOREIGN,  /* none of the versions that it speaks is spoken here */
	LIST_TRACER_NONSENSE, /* the guest does not say which it speaks */
	LIST_TRACER_CLOSED,   /* this domain may not look */
	LIST_TRACER_UNKNOWN,  /* XenStore did not say */
};

/**
 * struct list_seen - what of a disk would be seen if it were traced
 * @guest:	what happens in the guest
 * @backend:	and in this domain
 * @why:	not all of it, "" if it is all
 */
struct list_seen {
	bool guest;
	bool backend;
	char why[160];
};

/**
 * struct list_disk - a guest's disk
 * @disk:	its names; 0:0 if it has no device here
 * @kind:	of its backend, as "vbd"; NULL: not known
 * @backend:	the domain that serves it
 * @mode:	'r', 'w', or 0: not known
 * @on:		its device; @on.name is "" if it has none that this kernel knows
 * @state, @guest_state: of the backend and of the guest's end, enum xenbus_state; 0: not
 *		known
 */
struct list_disk {
	struct disk disk;
	const char *kind;
	unsigned int backend;
	char mode;
	struct backing_words on;
	unsigned int state;
	unsigned int guest_state;
	struct list_seen seen;
};

/**
 * struct list_guest - a guest
 * @domain:	its number and names
 * @oldest, @newest: versions of the protocol that its tracer speaks, 0: not known
 * @disks:	by their numbers
 */
struct list_guest {
	struct domain domain;
	enum list_tracer tracer;
	uint32_t oldest, newest;
	struct list_disk *disks;
	unsigned int nr_disks;
};

/**
 * struct list - all guests, by their numbers; all zero it is empty
 * @own:	this domain
 * @dom0_loaded: the module xblk-dom0 is
 */
struct list {
	unsigned int own;
	bool dom0_loaded;
	struct list_guest *guests;
	unsigned int nr;
};

/*
 * Read it; nothing is written or watched.  Return: 0, or -1 after an error message; free
 * it in any case.
 */
int list_read(struct list *list, struct xenrelay_reader *reader);
void list_free(struct list *list);

/* "connected"; NULL if it is none that is known. */
const char *list_state_name(unsigned int state);

/* Print it.  Return: 0, or -1 after an error message. */
int list_print_table(const struct list *list);
int list_print_json(const struct list *list);

#endif /* XBLKTRACE_LIST_H */
