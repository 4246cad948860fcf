/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many streams, each in the order of its own time -> one, in global order.
 *
 * Records wait until a round of the capture says that nothing older can come.
 */
#ifndef XBLKPARSE_MERGE_H
#define XBLKPARSE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>
#include <xblk/trace.h>

#include "model.h"

/*
 * Takes the place of records that are missing or cannot be used, in the
 * stream where they would be; never comes from a trace.  As XBLK_EV_LOST.
 */
#define EV_GAP 0xff

/* Above this many buffered records a trace without rounds goes on regardless. */
#define MERGE_MAX_BUFFERED ((64u << 20) / XBLK_RECORD_SIZE)

#define MAX_STREAMS 8192

struct stream {
	struct domain *dom;
	unsigned int nr; /* in the order of appearance: breaks ties */
	uint32_t cpu;
	struct xblk_record *buf;
	size_t head, len, cap;	/* buf[head..len) wait */
	uint64_t next_sequence; /* expected of the next chunk */
	uint64_t sequence;	/* of the record that is processed next */
	uint64_t last_ns;	/* of the last good record that arrived */

	uint64_t found;	  /* records in the trace */
	uint64_t invalid; /* of these: make no sense */
	uint64_t late;	  /* came after younger ones had been processed */
	uint64_t lost;	  /* as counted by records in the stream */
	uint64_t missing; /* by the sequence */

	bool has_end; /* the end chunk's account of it */
	uint64_t end_produced, end_written, end_lost, end_marks;

	/* the join's: the request whose further bios may follow */
	bool rq_open;
	uint32_t rq_id;
	/* and the remapping that a queued bio completes */
	struct {
		bool have_to, have_from;
		uint32_t id;
		uint16_t to_disk, from_disk;
		uint64_t from_sector;
	} remap;
};

typedef void (*merge_emit_fn)(void *ctx, struct stream *s, const struct xblk_record *r);

struct merge {
	struct model *model;
	merge_emit_fn emit;
	void *ctx;
	uint64_t start_ns; /* of the trace */
	struct stream **streams;
	unsigned int nr_streams;
	struct stream **heap; /* streams with records, by the first one's time */
	unsigned int nr_heap;
	size_t buffered;
	size_t max_buffered;
	uint64_t round_ns;     /* time of the last round */
	uint64_t processed_ns; /* all before this has been processed */
};

void merge_init(struct merge *m, struct model *model, merge_emit_fn emit, void *ctx);
void merge_deinit(struct merge *m);

/* NULL if there are too many. */
struct stream *merge_stream(struct merge *m, unsigned int domid, uint32_t cpu);

/* A chunk of records. */
void merge_data(struct merge *m, struct stream *s, const struct xblk_chunk *chunk,
		const struct xblk_record *records, size_t nr);
/* All that was written before @ns has been given to merge_data(). */
void merge_round(struct merge *m, uint64_t ns);
/* Nothing more comes. */
void merge_finish(struct merge *m);

/* Whether the record can be what it claims to be (valid.c). */
bool record_valid(const struct xblk_record *r, const struct domain *dom, uint64_t min_ns,
		  uint64_t max_ns);

#endif
