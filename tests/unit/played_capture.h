/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole capture over fake_xen.h, with the module in dom0 played by the test (see
 * played_module.h) and, where it wants, two guests of one ring each that answer a reader
 * as xenrelay.ko does.
 */
#ifndef PLAYED_CAPTURE_H
#define PLAYED_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../ring/producer.h"
#include "../../xblktrace/capture.h"
#include "../../xblktrace/state.h"
#include "said.h"

/**
 * struct played - a capture, and what it is of
 * @opts, @backing, @writer: to be filled by the test between played_begin() and
 *		played_run(); @writer is not open
 * @cpu:	the only one that this domain has
 * @said:	on standard error while it ran
 */
struct played {
	struct options opts;
	struct backing_table backing;
	struct dom0_cpu cpu;
	struct dom0 dom0;
	struct writer writer;
	struct capture capture;
	struct said said;
};

/**
 * played_begin - a capture of all that @table has
 * @guests:	MAX_DOMAINS, or as many as there will be; they are set here
 *
 * The module's clock has something new whenever it is asked: no round waits.
 */
void played_begin(struct played *p, struct xenrelay_reader *reader,
		  struct domain_table *table, struct guest *guests,
		  unsigned int nr_guests);

/* Return: as capture_run(); what it says is in @said only. */
int played_run(struct played *p);

/* The writer is the test's to close. */
void played_end(struct played *p);

/* Fails the test unless @word was said. */
void played_check_said(const struct played *p, const char *word);

/* Each guest's pages, from its first one on: several turns' worth of a ring. */
#define PLAYER_RING_PAGES 130
#define PLAYER_PAGES	  140
#define PLAYER_CAPACITY	  (PLAYER_RING_PAGES * 4096 / XBLK_RECORD_SIZE)

enum {
	INFO = 1,
	PRODUCER,
	LOSSES,
	CONSUMER,
	DIRECTORY,
	DATA
};

/**
 * struct player - a guest
 * @session:	of the reader that it has answered last
 * @late:	it answers when the test says so, by player_connect()
 * @deaf:	it does not stop when it is told to
 * @written:	records, as the test counts them
 */
struct player {
	unsigned int domid, first_page, session;
	bool connected;
	bool late, deaf;
	struct xenrelay_ring ring;
	uint64_t written;
};

/* Domains 3 and 4. */
extern struct player players[2];

/* They offer the channel in XenStore, and answer: fake.written. */
void players_begin(void);

void *player_page(const struct player *p, unsigned int n);
/* The path of the channel's directory and @name, until the next call. */
const char *player_node(const struct player *p, const char *name);
void player_connect(struct player *p);
void player_stop(struct player *p);
void players_answer(const char *path, const char *value);

#endif /* PLAYED_CAPTURE_H */
