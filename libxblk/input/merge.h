/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many streams, each in the order of its own time -> one, in global order.
 *
 * Records wait until a round of the capture says that nothing older can come.
 */
#ifndef LIBXBLK_MERGE_H
#define LIBXBLK_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>
#include <xblk/trace.h>

#include "input/model.h"

/*
 * Takes the place of records that are missing or cannot be used, in the
 * stream where they would be; never comes from a trace.  As XBLK_EV_LOST.
 */
#define EV_GAP XBLK_EV_MAX
#define EVENTS (EV_GAP + 1)

/* Above this many buffered records a trace without rounds goes on regardless. */
#define MERGE_MAX_BUFFERED ((8u << 20) / XBLK_RECORD_SIZE)

#define MAX_STREAMS XBLK_MAX_STREAMS

struct stream;

/* The next record in order; there is a function for each event, of guests and of dom0. */
typedef void (*merge_emit_fn)(void *ctx, struct stream *s, const struct xblk_record *r);
typedef merge_emit_fn merge_emit_pair[2]; /* by struct domain.backend */

struct stream {
	struct domain *dom;
	const struct xblk_record *head; /* up to the tail: these wait */
	struct xblk_record *buf, *tail;
	merge_emit_fn emit;	  /* what is to be done with the first of these */
	struct merge_side *side;  /* where it is while it is its turn, */
	unsigned int first_match; /* and where there; see merge.c */
	uint64_t nr;		  /* in the order of appearance: breaks ties */
	uint32_t cpu;
	bool busy; /* it is in the merge's list of these */
	size_t cap;
	struct stream *sibling; /* of the domain, the one before; or NULL */
	uint64_t next_sequence; /* expected of the next chunk */
	uint64_t sequence;	/* of the next event, where events are told of */
	bool reached;		/* its records have come from next_sequence on */
	uint64_t last_ns;	/* of the last good record that arrived */

	uint64_t found;	    /* records in the trace */
	uint64_t invalid;   /* of these: make no sense */
	uint64_t late;	    /* came after younger ones had been processed */
	uint64_t lost;	    /* as counted by records in the stream */
	uint64_t missing;   /* by the sequence */
	uint64_t backwards; /* chunks whose sequence is behind their place */

	bool has_end; /* the end chunk's account of it */
	uint64_t end_produced, end_written, end_lost, end_marks;

	/* the join's: the request whose further bios may follow */
	bool rq_open;
	uint32_t rq_id;
	uint64_t rq_ns;
	/* and the first half of a remapping, by which process */
	struct remap remap;
	uint64_t interrupt_ns; /* a guest's last one here */
	uint32_t flush_id;     /* the request that ended here last, if it was a flush */
	uint64_t flush_nr;     /* of dom0's: and the how many-th of its disk's that was */
	uint16_t flush_disk;
	uint64_t done_ns;	 /* dom0's: when a request completed here last */
	struct process *process; /* whose bio was queued here last */
	struct list responses;	 /* guests' requests that dom0 has just done here */
};

/*
 * dom0's streams, or all guests'.  dom0's are few and have as many records as all others
 * have: they do not climb a tree of as many levels.
 */
struct merge_side {
	struct stream **streams; /* whose turn it is */
	unsigned int nr, room;
	uint64_t *keys; /* see play() */
	uint64_t least;
	merge_emit_fn emit[EVENTS];
};

struct merge {
	struct model *model;
	void *ctx;		 /* of what gets the records */
	uint64_t start_ns;	 /* of the trace */
	bool partial;		 /* streams do not come from their beginning on */
	struct stream **streams; /* by their number; &@none where one has ended */
	struct map by_cpu;	 /* those of CPUs below 65536, by stream_id() */
	struct stream **busy;	 /* of which something may wait */
	unsigned int nr_busy, room_busy;
	/* Of these, those that were there when records were processed; and when the first
	 * record is of those that were not. */
	unsigned int nr_looked_at;
	uint64_t fresh_ns;
	unsigned int nr_streams;
	unsigned int nr_none;
	struct stream none;
	struct stream **ended; /* nothing more comes of these: what is known of them */
	unsigned int nr_ended;
	struct merge_side sides[2]; /* by struct domain.backend */
	uint64_t base_ns;	    /* that keys count from */
	uint64_t key_bits[EVENTS];  /* that count of a record's key */
	size_t buffered;
	size_t capacity; /* of all streams' buffers */
	size_t trim_at;	 /* so much of it is too much */
	size_t max_buffered;
	uint64_t round_ns;     /* time of the last round */
	uint64_t processed_ns; /* all before this has been processed */
};

void merge_init(struct merge *m, struct model *model);
void merge_deinit(struct merge *m);

/* What gets the records, by event; before there are any. */
void merge_to(struct merge *m, const merge_emit_pair emit[EVENTS], void *ctx);

/* One that has not ended; NULL if there are too many. */
struct stream *merge_stream(struct merge *m, unsigned int domid, uint32_t cpu);
/* The same, but NULL if there is none yet. */
struct stream *merge_find(const struct merge *m, unsigned int domid, uint32_t cpu);
/* Nothing more comes of it: what waits is processed, and its number is another's. */
void merge_end_stream(struct merge *m, struct stream *s);

/* All streams there were: those that have ended first, in the order in which they did. */
static inline unsigned int merge_count(const struct merge *m)
{
	return m->nr_ended + m->nr_streams - m->nr_none;
}

/* The next one after *@at, which is 0 before the first; NULL behind the last. */
struct stream *merge_next(const struct merge *m, unsigned int *at);

/* A chunk of records. */
void merge_data(struct merge *m, struct stream *s, const struct xblk_chunk *chunk,
		const struct xblk_record *records, size_t nr);
/*
 * Of a chunk before the part of the trace that is wanted, what has to be known all
 * the same: names, and what was lost.
 */
void merge_skim(struct merge *m, struct stream *s, const struct xblk_chunk *chunk,
		const struct xblk_record *records, size_t nr);
/* All that was written before @ns has been given to merge_data(). */
void merge_round(struct merge *m, uint64_t ns);
/* Nothing more comes. */
void merge_finish(struct merge *m);

/* Far beyond any disk, of which Linux counts bytes in 63 bits; see place_at(). */
#define MAX_SECTOR (1ull << 59)

static inline bool block_valid(const struct xblk_record *r)
{
	return ((r->op & XBLK_OP_MASK) != 6) & (r->sector < MAX_SECTOR);
}

/* valid.c: of the events beyond Q to C */
bool other_valid(const struct xblk_record *r, const struct domain *dom, uint64_t max_ns);

/* Whether the record can be what it claims to be. */
static inline bool record_valid(const struct xblk_record *r, const struct domain *dom,
				uint64_t min_ns, uint64_t max_ns)
{
	if (r->time < min_ns || r->time > max_ns)
		return false;
	/* Nearly all are of these; which one it is, no branch can foresee. */
	_Static_assert(XBLK_EV_QUEUE == 1 && XBLK_EV_COMPLETE == 9, "Q to C in a row");
	if (r->event - 1u < XBLK_EV_COMPLETE)
		return block_valid(r) && domain_disk(dom, r->disk);
	return other_valid(r, dom, max_ns);
}

#endif
