// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "index.h"

int index_init(struct index *index)
{
	*index = (struct index){.row = INDEX_ROW};
	index->entries = malloc(XBLK_INDEX_MAX * sizeof(*index->entries));
	index->known = calloc(1u << INDEX_KNOWN_BITS, sizeof(*index->known));
	return index->entries && index->known ? 0 : -ENOMEM;
}

void index_deinit(struct index *index)
{
	free(index->entries);
	free(index->known);
	*index = (struct index){0};
}

static void forget(struct index *index)
{
	memset(index->known, 0, sizeof(*index->known) << INDEX_KNOWN_BITS);
}

void index_forget(struct index *index, uint16_t domid)
{
	unsigned int i;

	for (i = 0; i < 1u << INDEX_KNOWN_BITS; i++)
		if (index->known[i].domid == domid)
			index->known[i] = (struct index_known){0};
}

void index_reset(struct index *index)
{
	*index = (struct index){
		.entries = index->entries, .known = index->known, .row = INDEX_ROW};
	forget(index);
}

static bool is_new(struct index *index, struct index_known say)
{
	uint64_t about = (uint64_t)say.domid << 48 | (uint64_t)say.event << 32 | say.of;
	struct index_known *known =
		&index->known[about * 0x9e3779b97f4a7c15ull >> (64 - INDEX_KNOWN_BITS)];

	if (known->domid == say.domid && known->event == say.event &&
	    known->of == say.of && known->what == say.what)
		return false;
	*known = say;
	return true;
}

/* Threads are named on each CPU, and again where the producer has forgotten. */
static bool new_name(struct index *index, uint16_t domid, const struct xblk_record *r)
{
	return is_new(index, (struct index_known){
				     .domid = domid,
				     .event = r->event,
				     .of = r->aux,
				     .what = XXH3_64bits_withSeed(r->comm,
								  sizeof(r->comm), r->op),
			     });
}

/* Each of a disk's queues has one request for flushes: a CPU's is the same for long. */
static bool new_flush(struct index *index, uint16_t domid, uint32_t cpu,
		      const struct xblk_record *r)
{
	return is_new(index, (struct index_known){
				     .domid = domid,
				     .event = r->event,
				     .of = (uint32_t)r->disk << 16 | (cpu & 0xffff),
				     .what = r->id,
			     });
}

/* A ring has one thread as long as it is there; then its identity may be another one's. */
static bool new_ring(struct index *index, uint16_t domid, const struct xblk_record *r)
{
	return is_new(index, (struct index_known){
				     .domid = domid,
				     .event = r->event,
				     .of = r->id,
				     .what = r->aux,
			     });
}

/*
 * Of which operations, a bit each, an event's records say what a reader has to know.  Few
 * do, and which ones cannot be foreseen: to ask for each event by a jump of its own takes
 * a processor longer than to move the record.
 */
static const unsigned char asked_for[UINT8_MAX + 1] = {
	[XBLK_EV_PROCESS] = 0xff,
	[XBLK_EV_LOST] = 0xff,
	[XBLK_EV_RING] = 0xff,
	[XBLK_EV_ISSUE] = XBLK_OP_BIT(FLUSH),
};

bool index_records(struct index *index, uint16_t domid, uint32_t cpu,
		   const struct xblk_record *records, size_t nr)
{
	bool names = false;

	for (const struct xblk_record *r = records; r < records + nr; r++) {
		if (!(asked_for[r->event] >> (r->op & XBLK_OP_MASK) & 1))
			continue;
		if (r->event == XBLK_EV_PROCESS) {
			names = true;
			if (new_name(index, domid, r))
				index->flags |= XBLK_INDEX_NAMES;
		} else if (r->event == XBLK_EV_LOST) {
			index->flags |= XBLK_INDEX_LOSSES;
		} else if (r->event == XBLK_EV_RING) {
			if (new_ring(index, domid, r))
				index->flags |= XBLK_INDEX_RINGS;
		} else if (new_flush(index, domid, cpu, r)) {
			index->flags |= XBLK_INDEX_FLUSHES;
		}
	}
	return names;
}

void index_meta(struct index *index)
{
	index->flags |= XBLK_INDEX_META;
	/* A disk may have got the place of another one, and all its identities. */
	forget(index);
}

/* Half as many rows, twice as long. */
static void halve(struct index *index)
{
	struct xblk_index_entry *e = index->entries;

	for (size_t i = 0; i < index->nr / 2; i++) {
		e[i] = e[2 * i];
		e[i].flags |= e[2 * i + 1].flags;
	}
	index->nr /= 2;
	index->row *= 2;
}

uint32_t index_take_flags(struct index *index)
{
	uint32_t flags = index->flags;

	index->flags = 0;
	return flags;
}

void index_written(struct index *index, uint64_t offset, uint64_t first, uint64_t last,
		   uint32_t flags)
{
	struct xblk_index_entry *e = &index->entries[index->nr];

	/*
	 * The chunks of one time hold what came while they were read, too: only
	 * where time has gone on is all that is in the trace older.
	 */
	if (!index->nr ||
	    (offset - e[-1].offset >= index->row && first > index->newest)) {
		if (index->nr == XBLK_INDEX_MAX) {
			halve(index);
			e = &index->entries[index->nr];
		}
		*e = (struct xblk_index_entry){.offset = offset, .time = first};
		e->flags = index->nr++ ? 0 : XBLK_INDEX_RINGS;
	} else {
		e--;
	}
	e->flags |= flags;
	index->newest = last;
}
