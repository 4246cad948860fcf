/* SPDX-License-Identifier: GPL-2.0-only */
/* Which requests and events are of interest. */
#ifndef XBLKPARSE_FILTER_H
#define XBLKPARSE_FILTER_H

#include <string.h>

#include "join.h"

struct filter {
	bool have_domid;
	unsigned int domid;
	const char *disk;  /* name, or NULL */
	unsigned int ops;  /* a bit each of enum xblk_op; 0: all */
	bool have_sectors; /* any of first_sector..last_sector */
	uint64_t first_sector, last_sector;
	bool have_pid;
	uint32_t pid;
	const char *comm; /* name of the process, or NULL */
	bool have_time;	  /* from_ns <= t < to_ns since the trace began */
	uint64_t from_ns, to_ns;
	uint64_t min_latency_ns;
};

static inline bool filter_domain(const struct filter *f, const struct domain *dom)
{
	return !f->have_domid || f->domid == dom->domid;
}

/* A guest disk that is to be shown. */
static inline bool filter_disk(const struct filter *f, const struct disk *disk)
{
	return !disk->dom->backend && filter_domain(f, disk->dom) &&
	       (!f->disk || !strcmp(f->disk, disk->name));
}

/* It says something of requests beyond their disk. */
bool filter_chooses(const struct filter *f);
/* These three look at nothing but that. */
bool filter_request(const struct filter *f, const struct join *j, const struct rq *rq);
bool filter_event(const struct filter *f, uint64_t start_ns, const struct domain *dom,
		  const struct xblk_record *r);

/* A filter, or what it is of, from an argument.  Return: NULL, or what is wrong with
 * that. */
const char *filter_parse_domid(void *filter, const char *arg);
const char *filter_parse_ops(void *filter, const char *arg);
const char *filter_parse_sectors(void *filter, const char *arg);
const char *filter_parse_process(void *filter, const char *arg);
const char *filter_parse_time(void *filter, const char *arg);
const char *filter_parse_latency(void *filter, const char *arg);

#endif
