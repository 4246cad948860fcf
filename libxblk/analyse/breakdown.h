/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk's joined requests by what they have in common: operation, size,
 * process.  The room for rows and their histograms is bounded: beyond it, processes share
 * a row, and so do sizes of an operation.
 */
#ifndef LIBXBLK_BREAKDOWN_H
#define LIBXBLK_BREAKDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "analyse/hist.h"
#include "base/op.h"
#include "base/util.h"
#include "xblk.h"

#define PROCESS_ROWS	64
#define PROCESS_BUCKETS (2 * PROCESS_ROWS)
#define SIZE_FURTHER	SIZE_CLASSES /* all that had no room for a row of their own */

/* So many rows have room without taking any of the disk's, where each is ROW_PARTS. */
#define ROWS_OWN  16
#define ROW_PARTS 4

struct row {
	uint64_t sectors;
	uint64_t sum[STAGE_PARTS];
	struct hist *q2c;
};

struct process_row {
	uint32_t pid;	      /* 0: not known */
	char name[COMM_SIZE]; /* one that has another name by now is another one */
	struct row *row;
};

struct breakdown {
	/* Both at once, so that a request costs one row; a margin is one or the other. */
	struct row *cells[OP_CLASSES][SIZE_CLASSES + 1];
	struct process_row *processes; /* in the order of appearance */
	unsigned int nr_processes;
	uint8_t buckets[PROCESS_BUCKETS]; /* 1 + index; 0: free */
	struct row *others;		  /* of all further processes */
	struct room *room;		  /* the disk's; or NULL */
	unsigned int nr_rows;
	bool full; /* a row had no room: none does from now on, as it would be a part */
};

/* @bucket: Q2C's */
void breakdown_add(struct breakdown *b, unsigned int op, uint32_t nr_sectors,
		   size_t bucket, const int64_t stages[STAGE_MAX]);
void breakdown_add_process(struct breakdown *b, uint32_t pid, const char *name,
			   uint32_t nr_sectors, size_t bucket,
			   const int64_t stages[STAGE_MAX]);
/* @to += @from, which may be NULL. */
void row_merge(struct row *to, const struct row *from);
void row_deinit(const struct row *r);
/* The margins; @to is overwritten.  False if there is nothing, nor anything to be freed. */
bool breakdown_op(const struct breakdown *b, unsigned int op, struct row *to);
bool breakdown_size(const struct breakdown *b, unsigned int class, struct row *to);
void breakdown_deinit(struct breakdown *b);

#endif
