/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON chunks of a trace: xblk/trace.h describes their members. */
#ifndef XBLKTRACE_META_H
#define XBLKTRACE_META_H

#include "dom0.h"
#include "guest.h"

/**
 * struct capture_facts - what the chunks are made from
 * @backing, @guests: and their domains: what is told of them is marked there
 * @domains, @guests: nr_guests of each, in the same order
 * @connected_only: leave out the guests that could not be connected to
 * @trace:	for which trace, 0 to 6: 0 is the capture's own
 * @wanted:	of another one: for each guest whether it is in it; else NULL
 */
struct capture_facts {
	const struct options *opts;
	unsigned int own_domid;
	struct backing_table *backing;
	const struct dom0 *dom0;
	const struct domain *domains;
	struct guest *guests;
	unsigned int nr_guests;
	bool connected_only;
	unsigned int trace;
	const bool *wanted;
};

/**
 * meta_text - a part of what has not been told, as much as a chunk can hold
 *
 * Return: text to be freed; NULL if there is no memory for it.
 */
char *meta_text(const struct capture_facts *facts);

/* Whether there is something that has not been told. */
bool meta_has_news(const struct capture_facts *facts);

/* Nothing has been told, in this file. */
void meta_forget(const struct capture_facts *facts);

/**
 * counters_text - for a META chunk before END: counters that this has no room for
 * @goes_on: in another file, so that what has been produced and not read is that one's
 * @next:	the first guest that has not been told, 0 at first
 *
 * Return: text to be freed; NULL if END has room for all that is left.
 */
char *counters_text(const struct capture_facts *facts, bool goes_on, unsigned int *next);

/**
 * end_text - how it ended, and all counters
 * @goes_on:	as above
 * @first:	of the guests that have not been told
 *
 * Return: text to be freed; NULL if there is no memory for it.
 */
char *end_text(const struct capture_facts *facts, const char *reason,
	       uint64_t duration_ns, bool goes_on, unsigned int first);

/* Streams of which one of these tells at the most. */
#define META_MAX_ACCOUNTS 4096

/**
 * meta_text_of_ended - of streams whose guests are no more, of another trace
 * @arg:	the &struct capture_facts
 *
 * Return: text to be freed; NULL if there is no memory for it.
 */
char *meta_text_of_ended(void *arg, const struct writer_stream *const *streams,
			 unsigned int nr);

/* Both by @streams alone: what their producers made is in them or was lost. */
char *counters_text_of_streams(unsigned int own_domid,
			       const struct writer_stream **streams);
char *end_text_of_streams(const struct writer_stream *streams, const char *reason,
			  uint64_t duration_ns);

#endif /* XBLKTRACE_META_H */
