/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables that a person reads. */
#ifndef XBLKPARSE_REPORT_H
#define XBLKPARSE_REPORT_H

#include "output.h"

enum report_by {
	REPORT_BAND = 1 << 0,
	REPORT_OP = 1 << 1,
	REPORT_SIZE = 1 << 2,
	REPORT_PROCESS = 1 << 3,
	REPORT_TIME = 1 << 4,
};

struct report_options {
	unsigned int by; /* tables beside the stages: enum report_by */
	bool slowest;
	bool colour;
};

/* report.c */
void report_print(FILE *out, const struct xblk *x, const struct filter *f,
		  const struct report_options *o);
/* In messages, what the tables would say of disks of which few requests are joined. */
void report_tell_few(const struct xblk *x, const struct filter *f);
/* "op,size", "all" or "none"; false if it makes no sense. */
bool report_parse_by(unsigned int *by, const char *arg);

/* report_analysis.c */
void report_analysis(FILE *out, const struct xblk *x, const struct xblk_disk *d,
		     const struct report_options *o);

#endif
