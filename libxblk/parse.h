/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole way: bytes -> chunks -> merged records -> join. */
#ifndef LIBXBLK_PARSE_H
#define LIBXBLK_PARSE_H

#include <signal.h>

#include "analyse/tally.h"
#include "base/tell.h"
#include "input/index.h"
#include "join/join.h"
#include "input/merge.h"
#include "input/model.h"
#include "input/reader.h"

struct parse {
	struct reader reader;
	struct model model;
	struct merge merge;
	struct join join;
	struct tally tally;
	bool began;    /* the header is good */
	bool ended;    /* the capture ended in good order */
	bool problems; /* something could not be used; a message said so */
	bool stopped;
	bool foreign;	/* what is behind is of another trace and not used */
	bool conserved; /* see parse_conserved() */
	uint64_t chunks;
	/*
	 * How far the capture has come, by its own clock: the time of its last chunk,
	 * or of dom0's last record.  No guest can move it.
	 */
	uint64_t now_ns;
	char reason[NAME_LEN]; /* why the capture ended */
	uint64_t duration_ns;
	uint64_t events_sent;	 /* notifications from guests' channels */
	struct gaps *before_cut; /* each domain's, see parse_begin_cut(); or NULL */

	/* rows of the file: those before @full_row and all behind parse_rest() are left
	 * out, but for what has to be known of them; @index NULL: everything is read */
	const struct index *index;
	size_t full_row, row;
	bool rest;			     /* what comes is only looked at for losses */
	uint64_t rest_ns;		     /* all before that had been processed then */
	uint64_t told_round_ns, told_offset; /* where on_progress() was called last */

	struct tell tell; /* set by the caller, as is what follows; all may be NULL */
	const volatile sig_atomic_t *stop;
	/* each record in global order, gaps too */
	void (*on_event)(void *ctx, struct stream *s, const struct xblk_record *r);
	/* now and then: something may have been processed; false: stop */
	bool (*on_progress)(void *ctx, const struct parse *p);
	/* all records have been given, and what is in flight is about to be given up */
	void (*on_end)(void *ctx, const struct parse *p);
	void *ctx;
};

/* The streams' losses, of the domain or of all (NULL). */
struct account {
	uint64_t found, invalid, late, lost;
};

void parse_init(struct parse *p, reader_read_fn read, void *ctx);
void parse_deinit(struct parse *p);
/* Read what is there.  True: more is to come, by and by. */
bool parse_some(struct parse *p);
/* After the last of it.  What can be used is in p->model, even if there are problems. */
void parse_finish(struct parse *p);
/* Both, where nothing comes by and by. */
void parse_run(struct parse *p);
/*
 * What is wanted has been read, and the rest cannot change it, but for a loss that is
 * told late: of a file with an index only such are read from here on.  To be called from
 * on_progress().
 */
void parse_rest(struct parse *p);
/* From when on the trace is read in full. */
uint64_t parse_from_ns(const struct parse *p);
void parse_account(const struct parse *p, const struct domain *dom, struct account *a);
/* Records lost in a stream, by the best account of it there is. */
uint64_t stream_lost(const struct stream *s);

/* end.c: apply what an END chunk says; -1 after a message if it cannot be used. */
int parse_end(struct parse *p, const json_t *root);
/* end.c: the same of guests that a META chunk says have gone. */
int parse_ended(struct parse *p, const json_t *root);
/* end.c: and of counters that a META chunk has as END has no room for them. */
int parse_counters(struct parse *p, const json_t *root);
/*
 * end.c: what was lost after the last record of a stream, which no record there tells: by
 * its producer, or with the end of it in the file.
 */
void parse_lost_behind(struct parse *p, struct stream *s);
/*
 * end.c: of a trace without its end anything may be missing behind the last round, of any
 * stream, and nothing says so: no request is joined there.  To be called before what is
 * left is processed; and in place of join_finish().
 */
void parse_begin_cut(struct parse *p);
void parse_finish_cut(struct parse *p);
/* end.c: what was produced, written and found must agree. */
bool parse_conserved(const struct parse *p);
/* end.c: which side is dom0 is known; where one has I/O, the other one must have records
 * of it. */
bool parse_sides(const struct parse *p);

#endif
