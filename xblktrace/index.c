// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "index.h"

int index_init(struct index *index)
{
	*index = (struct index){.row = INDEX_ROW};
	index->entries = malloc(XBLK_INDEX_MAX * sizeof(*index->entries));
	index->names = calloc(INDEX_NAMES, sizeof(*index->names));
	return index->entries && index->names ? 0 : -ENOMEM;
}

void index_deinit(struct index *index)
{
	free(index->entries);
	free(index->names);
	*index = (struct index){0};
}

/* Threads are named on each CPU, and again where the producer has forgotten. */
static bool new_name(struct index *index, uint16_t domid, const struct xblk_record *r)
{
	struct index_name name = {.domid = domid, .pid = r->aux};
	struct index_name *known;

	name.hash = XXH3_64bits_withSeed(r->comm, sizeof(r->comm), r->op);
	known = &index->names[(domid * 2654435761u + name.pid * 40503u) % INDEX_NAMES];
	if (known->domid == name.domid && known->pid == name.pid &&
	    known->hash == name.hash)
		return false;
	*known = name;
	return true;
}

void index_records(struct index *index, uint16_t domid, const struct xblk_record *records,
		   size_t nr)
{
	for (const struct xblk_record *r = records; r < records + nr; r++) {
		if (r->event == XBLK_EV_PROCESS && new_name(index, domid, r))
			index->flags |= XBLK_INDEX_NAMES;
		else if (r->event == XBLK_EV_LOST)
			index->flags |= XBLK_INDEX_LOSSES;
	}
}

void index_meta(struct index *index)
{
	index->flags |= XBLK_INDEX_META;
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

void index_written(struct index *index, uint64_t offset, uint64_t first, uint64_t last)
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
		index->nr++;
	} else {
		e--;
	}
	e->flags |= index->flags;
	index->flags = 0;
	index->newest = last;
}
