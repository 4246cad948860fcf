/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole way: bytes -> chunks -> merged records -> join. */
#ifndef XBLKPARSE_PARSE_H
#define XBLKPARSE_PARSE_H

#include <signal.h>

#include "index.h"
#include "join.h"
#include "merge.h"
#include "model.h"
#include "reader.h"

struct parse {
	struct reader reader;
	struct model model;
	struct merge merge;
	struct join join;
	bool began;    /* the header is good */
	bool ended;    /* the capture ended in good order */
	bool problems; /* something could not be used; a message said so */
	bool stopped;
	bool foreign;	/* what is behind is of another trace and not used */
	bool conserved; /* see parse_conserved() */
	uint64_t chunks;
	char reason[NAME_LEN]; /* why the capture ended */
	uint64_t duration_ns;
	uint64_t events_sent; /* notifications from guests' channels */

	/* rows of the file: those before @full_row are left out, but for what has
	 * to be known of them; @index NULL: everything is read */
	const struct index *index;
	size_t full_row, row;

	/* set by the caller, may be NULL */
	const volatile sig_atomic_t *stop;
	/* each record in global order, gaps too */
	void (*on_event)(void *ctx, struct stream *s, const struct xblk_record *r);
	bool (*on_chunk)(void *ctx, const struct parse *p); /* false: stop */
	void *ctx;
};

/* The streams' losses, of the domain or of all (NULL). */
struct account {
	uint64_t found, invalid, late, lost;
};

void parse_init(struct parse *p, reader_read_fn read, void *ctx);
void parse_deinit(struct parse *p);
/* Read it all.  What can be used is in p->model, even if there are problems. */
void parse_run(struct parse *p);
/* From when on the trace is read in full. */
uint64_t parse_from_ns(const struct parse *p);
void parse_account(const struct parse *p, const struct domain *dom, struct account *a);
/* Records lost in a stream, by the best account of it there is. */
uint64_t stream_lost(const struct stream *s);

/* end.c: apply an END chunk's text; -1 after a message if it cannot be used. */
int parse_end(struct parse *p, const char *text, size_t len);
/* end.c: what was produced, written and found must agree. */
bool parse_conserved(const struct parse *p);
/* end.c: where one side has I/O, the other one must have records of it. */
bool parse_sides(const struct parse *p);

#endif
