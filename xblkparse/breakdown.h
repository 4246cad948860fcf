/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk's joined requests by what they have in common: operation, size,
 * process.  The number of rows is bounded; processes beyond it share one.
 */
#ifndef XBLKPARSE_BREAKDOWN_H
#define XBLKPARSE_BREAKDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include <xblk/record.h>

#include "hist.h"
#include "stage.h"

#define OP_CLASSES	(XBLK_OP_MASK + 1)
#define SIZE_CLASSES	33 /* no sectors, 1, 2-3, 4-7, ... */
#define PROCESS_ROWS	64
#define PROCESS_BUCKETS (2 * PROCESS_ROWS)

struct row {
	uint64_t sectors;
	uint64_t sum[STAGE_PARTS];
	struct hist q2c;
};

struct process_row {
	uint32_t pid; /* 0: not known */
	struct row *row;
};

struct breakdown {
	/* Both at once, so that a request costs one row; a margin is one or the other. */
	struct row *cells[OP_CLASSES][SIZE_CLASSES];
	struct process_row processes[PROCESS_ROWS]; /* in the order of appearance */
	unsigned int nr_processes;
	uint8_t buckets[PROCESS_BUCKETS]; /* 1 + index; 0: free */
	struct row *others;		  /* of all further processes */
};

extern const char *const op_names[OP_CLASSES]; /* NULL where there is none */

static inline unsigned int size_class(uint32_t nr_sectors)
{
	return nr_sectors ? 32 - __builtin_clz(nr_sectors) : 0;
}

/* The smallest and the largest number of sectors in a class. */
static inline uint32_t size_class_from(unsigned int class)
{
	return class ? 1u << (class - 1) : 0;
}

static inline uint32_t size_class_to(unsigned int class)
{
	return class ? size_class_from(class) - 1 + size_class_from(class) : 0;
}

void breakdown_add(struct breakdown *b, unsigned int op, uint32_t nr_sectors,
		   const int64_t stages[STAGE_MAX]);
void breakdown_add_process(struct breakdown *b, uint32_t pid, uint32_t nr_sectors,
			   const int64_t stages[STAGE_MAX]);
/* @to += @from, which may be NULL. */
void row_merge(struct row *to, const struct row *from);
/* The margins; @to is overwritten.  False if there is nothing. */
bool breakdown_op(const struct breakdown *b, unsigned int op, struct row *to);
bool breakdown_size(const struct breakdown *b, unsigned int class, struct row *to);
void breakdown_deinit(struct breakdown *b);

#endif
