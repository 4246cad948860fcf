/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Xen host for tests, in one process: the functions of libxenstore, libxengnttab
 * and libxenevtchn that libxenrelay uses, over a small tree of nodes and a memory
 * whose pages can be mapped by number.  Link it instead of the libraries.
 *
 * A mapping is a real one with the protection asked for, so that writing where
 * the reader may only read is a fault here as on Xen.
 *
 * A transaction's writes are seen by others when it ends, and not at all if
 * something that it read or wrote has changed meanwhile.
 */
#ifndef FAKE_XEN_H
#define FAKE_XEN_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_PAGES 1024 /* of the guest's memory; a page's number is its grant */

/**
 * struct fake_xen - the host, and what a test may want to know or change
 * @memory:	the guest's own view of its pages
 * @mapped:	pages that the reader has mapped now
 * @maps:	map calls so far
 * @fail_map:	which of them is to fail (1: the first), 0: none
 * @room:	pages that can be mapped at once, 0: any number
 * @room_errno:	what is said when there is no more room
 * @maptrack_frames: what Xen's hypfs has of that limit; NULL: there is no hypfs
 * @command_line: Xen's; NULL: it is not to be had
 * @domain_gone: the domains are no longer introduced
 * @closed:	this is a driver domain, and XenStore says EACCES of the paths for which
 *		this is true; NULL: it is domain 0
 * @watching:	watches that the reader has
 * @calls:	requests of the reader to XenStore
 * @fail_ends:	transactions that are to fail, from the next on
 * @bell_port:	the guest's event channel, 0: it has none
 * @bound:	the reader has bound it
 * @unmasked:	times that the reader has unmasked it
 * @called:	called before each of the reader's calls that reads or writes nodes
 * @written:	called after the reader wrote a node
 * @idle:	called when the reader looked for events and found none
 */
struct fake_xen {
	unsigned char *memory;
	unsigned int mapped;
	unsigned int maps;
	unsigned int fail_map;
	unsigned int room;
	int room_errno;
	const char *maptrack_frames;
	const char *command_line;
	bool domain_gone;
	bool (*closed)(const char *path);
	unsigned int watching;
	unsigned int calls;
	unsigned int fail_ends;
	unsigned int bell_port;
	bool bound;
	unsigned int unmasked;
	void (*called)(void);
	void (*written)(const char *path, const char *value);
	void (*idle)(void);
};

extern struct fake_xen fake;

void fake_begin(void);
void fake_end(void);

/* As a guest or a toolstack would; watches fire. */
void fake_write(const char *path, const char *value);
void fake_remove(const char *path);
/* With all below it. */
void fake_remove_tree(const char *path);
/* NULL if there is no such node. */
const char *fake_read(const char *path);
unsigned int fake_nr_nodes(void);
/* "@releaseDomain" */
void fake_fire(const char *path);
/* That wait for the reader to take them. */
unsigned int fake_nr_events(void);
/* Have the reader look for events, though there may be none. */
void fake_wake(void);

/* XenStore answers nothing, until it does again: all that was asked is answered then. */
void fake_silence(bool silent);

/*
 * What is above and the libraries' functions may be called by any thread; between these
 * by no other one.  What a test changes itself it may change so, too.
 */
void fake_hold(void);
void fake_release(void);

/* The guest sends an event. */
void fake_ring_bell(void);

static inline void *fake_page(unsigned int ref)
{
	return fake.memory + ref * 4096;
}

#endif /* FAKE_XEN_H */
