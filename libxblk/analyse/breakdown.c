// SPDX-License-Identifier: GPL-2.0-only
#include "analyse/breakdown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static inline void row_add(struct breakdown *b, struct row **rp, uint32_t nr_sectors,
			   size_t bucket, const int64_t stages[STAGE_MAX])
{
	struct row *r = *rp;

	if (!r)
		r = *rp = xcalloc(1, sizeof(*r));
	r->sectors += nr_sectors;
	for (int i = 0; i < STAGE_PARTS; i++)
		r->sum[i] += stages[i];
	hist_add_at(&r->q2c, bucket, stages[STAGE_Q2C], b->room);
}

/* Whether there may be one more, which takes its room. */
static bool take_row(struct breakdown *b)
{
	b->full |= b->nr_rows >= ROWS_OWN && !room_take(b->room, ROW_PARTS);
	b->nr_rows += !b->full;
	return !b->full;
}

static bool is_process(const struct process_row *row, uint32_t pid, const char *name)
{
	return row->pid == pid && !strcmp(row->name, name);
}

static struct row **process_row(struct breakdown *b, uint32_t pid, const char *name)
{
	unsigned int at = pid * 0x9e3779b1u >> 16;

	for (;; at++) {
		uint8_t *bucket = &b->buckets[at % PROCESS_BUCKETS];

		if (*bucket && !is_process(&b->processes[*bucket - 1], pid, name))
			continue;
		if (*bucket)
			return &b->processes[*bucket - 1].row;
		if (b->nr_processes == PROCESS_ROWS || !take_row(b))
			return &b->others;
		/* It grows by doubling: few disks have many. */
		if (!(b->nr_processes & (b->nr_processes - 1)))
			b->processes =
				xrealloc(b->processes,
					 (b->nr_processes ? 2 * b->nr_processes : 1) *
						 sizeof(*b->processes));
		b->processes[b->nr_processes].row = NULL;
		b->processes[b->nr_processes].pid = pid;
		snprintf(b->processes[b->nr_processes].name, COMM_SIZE, "%s", name);
		*bucket = ++b->nr_processes;
		return &b->processes[*bucket - 1].row;
	}
}

void breakdown_add(struct breakdown *b, unsigned int op, uint32_t nr_sectors,
		   size_t bucket, const int64_t stages[STAGE_MAX])
{
	struct row **cells = b->cells[op & XBLK_OP_MASK];
	unsigned int class = size_class(nr_sectors);

	if (unlikely(!cells[class]) && !take_row(b))
		class = SIZE_FURTHER;
	row_add(b, &cells[class], nr_sectors, bucket, stages);
}

void breakdown_add_process(struct breakdown *b, uint32_t pid, const char *name,
			   uint32_t nr_sectors, size_t bucket,
			   const int64_t stages[STAGE_MAX])
{
	row_add(b, process_row(b, pid, name), nr_sectors, bucket, stages);
}

void row_merge(struct row *to, const struct row *from)
{
	if (!from)
		return;
	to->sectors += from->sectors;
	for (int i = 0; i < STAGE_PARTS; i++)
		to->sum[i] += from->sum[i];
	hist_merge(&to->q2c, from->q2c);
}

bool breakdown_op(const struct breakdown *b, unsigned int op, struct row *to)
{
	memset(to, 0, sizeof(*to));
	for (unsigned int i = 0; i <= SIZE_FURTHER; i++)
		row_merge(to, b->cells[op][i]);
	return to->q2c;
}

bool breakdown_size(const struct breakdown *b, unsigned int class, struct row *to)
{
	memset(to, 0, sizeof(*to));
	for (unsigned int i = 0; i < OP_CLASSES; i++)
		row_merge(to, b->cells[i][class]);
	return to->q2c;
}

void row_deinit(const struct row *r)
{
	hist_free(r->q2c, NULL);
}

static void row_free(struct row *r)
{
	if (r)
		row_deinit(r);
	free(r);
}

void breakdown_deinit(struct breakdown *b)
{
	for (unsigned int op = 0; op < OP_CLASSES; op++) {
		for (unsigned int i = 0; i <= SIZE_FURTHER; i++)
			row_free(b->cells[op][i]);
	}
	for (unsigned int i = 0; i < b->nr_processes; i++)
		row_free(b->processes[i].row);
	free(b->processes);
	row_free(b->others);
}
