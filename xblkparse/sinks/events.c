// SPDX-License-Identifier: GPL-2.0-only
/* --events: blkparse's columns, with domain and disk where it has the device. */
#include "output.h"

#include <string.h>

#include "base/op.h"
#include "base/util.h"
#include "base/event.h"
#include "sink.h"
#include "text.h"

/* Seconds, of a time that may be before the trace began. */
static char *put_seconds(char *to, int64_t ns)
{
	uint64_t abs_ns = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		to = put_char(to, '-');
	to = put_right_u64(to, abs_ns / 1000000000, 5);
	return put_digits(put_char(to, '.'), abs_ns % 1000000000, 9);
}

static char *put_in_brackets(char *to, const char *s)
{
	size_t columns;

	return put_char(put_name(put_string(to, " ["), s, &columns), ']');
}

static char *put_block(char *to, const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;
	const char *process = xblk_event_process(e);

	to = put_op(put_char(to, ' '), r->op, r->nr_sectors);
	if (r->nr_sectors) {
		to = put_u64(put_char(to, ' '), r->sector);
		to = put_u64(put_string(to, " + "), r->nr_sectors);
	}
	if (event_has(r->event, EVENT_ERROR))
		to = put_char(put_u64(put_string(to, " ["), r->aux), ']');
	else if (process && strcmp(process, "?"))
		to = put_in_brackets(to, process);
	return to;
}

/* Guest and dom0 call a barrier what it is for them, a write or a flush: the ring does
 * not. */
static const char *blkif_name(unsigned int op)
{
	static const char *const names[] = {
		[0] = "read",  [1] = "write",	[2] = "barrier",
		[3] = "flush", [5] = "discard",
	};

	return op < ARRAY_SIZE(names) && names[op] ? names[op] : "other";
}

static char *put_named(char *to, const char *name, uint64_t n)
{
	return put_u64(put_string(to, name), n);
}

static char *put_response(char *to, const struct xblk_record *r)
{
	to = put_named(to, "  ring ", r->aux);
	if (r->nr_sectors)
		to = put_named(to, " request ", r->nr_sectors);
	return put_string(put_char(to, ' '), blkif_name(r->op));
}

/* What an event says beyond what each of them does. */
static char *put_rest(char *to, const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;
	char comm[COMM_SIZE];

	switch (r->event) {
	case XBLK_EVENT_GAP:
		to = put_named(to, "  ", r->lost.count);
		return put_string(to, " records missing or invalid");
	case XBLK_EV_LOST:
		to = put_named(to, "  ", r->lost.count);
		to = put_named(to, " records lost, until ", r->lost.until - r->time);
		return put_string(to, " ns later");
	case XBLK_EV_PROCESS:
		copy_printable(comm, sizeof(comm), r->comm, XBLK_COMM_LEN);
		return put_in_brackets(put_char(to, ' '), comm);
	case XBLK_EV_CLOCK:
		return put_named(to, "  clock generation ", r->id);
	case XBLK_EV_RESPONSE:
		return put_response(to, r);
	case XBLK_EV_ORDER:
		to = put_named(to, "  ring ", r->nr_sectors);
		to = put_named(to, " rq ", r->id);
		return put_named(to, " place ", r->aux);
	case XBLK_EV_RQ_REMAP:
		to = put_named(to, "  ", r->sector);
		to = put_named(to, " + ", r->nr_sectors);
		return put_named(to, " of disk ", r->aux);
	case XBLK_EV_BACKEND_BIO:
		return put_named(put_named(to, "  bio ", r->id), " request ", r->aux);
	case XBLK_EV_FLUSH_QUEUE:
		to = put_named(to, "  queue ", r->sector);
		to = put_named(to, " rq ", r->id);
		return r->aux ? put_named(to, " bio ", r->aux) : to;
	case XBLK_EV_INTERRUPT:
		return put_named(to, "  ring ", r->aux);
	case XBLK_EV_RING:
		return put_named(to, "  ring ", r->id);
	default:
		return put_block(to, e);
	}
}

void event_print(struct text *t, uint64_t start_ns, const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;
	char *to = text_line(t);

	to = put_disk(to, e->domid, e->label ? e->label : "-");
	to = put_right_u64(put_char(to, ' '), e->cpu, 3);
	to = put_right_u64(put_char(to, ' '), e->sequence, 8);
	to = put_seconds(put_char(to, ' '), (int64_t)(r->time - start_ns));
	to = put_char(to, ' ');
	to = put_right_u64(to, event_has(r->event, EVENT_PID) ? r->aux : 0, 5);
	to = put_char(put_string(to, "  "), e->letter);
	text_end_line(t, put_rest(to, e));
}

static void print(struct output *to, const struct xblk *x,
		  const struct xblk_event_record *e)
{
	event_print(&to->text, xblk_start_ns(x), e);
}

const struct sink events_sink = {.event = print};
