/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON chunks of a trace: xblk/trace.h describes their members. */
#ifndef XBLKTRACE_META_H
#define XBLKTRACE_META_H

#include "dom0.h"
#include "guest.h"

/**
 * struct capture_facts - what the chunks are made from
 * @domains, @guests: nr_guests of each, in the same order
 * @connected_only: leave out the guests that could not be connected to
 */
struct capture_facts {
	const struct options *opts;
	unsigned int own_domid;
	const struct backing_table *backing;
	const struct dom0 *dom0;
	const struct domain *domains;
	const struct guest *guests;
	unsigned int nr_guests;
	bool connected_only;
};

/* Text to be freed; NULL if there is no memory for it. */
char *meta_text(const struct capture_facts *facts);
char *end_text(const struct capture_facts *facts, const char *reason,
	       uint64_t duration_ns);

#endif /* XBLKTRACE_META_H */
