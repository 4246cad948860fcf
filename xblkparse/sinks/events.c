// SPDX-License-Identifier: GPL-2.0-only
/* --events: blkparse's columns, with domain and disk where it has the device. */
#include "output.h"

#include <string.h>

#include "base/op.h"
#include "base/util.h"
#include "base/event.h"
#include "text.h"

static void add_disk(struct text *t, const struct xblk_event_record *e)
{
	size_t from = t->len, columns;

	text_u64(t, e->domid);
	text_char(t, ':');
	columns = t->len - from;
	columns += text_name(t, e->label ? e->label : "-");
	text_right(t, from, columns, 12);
}

/* Seconds, of a time that may be before the trace began. */
static void add_seconds(struct text *t, int64_t ns)
{
	uint64_t abs_ns = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		text_char(t, '-');
	text_number(t, abs_ns / 1000000000, 5, ' ');
	text_char(t, '.');
	text_number(t, abs_ns % 1000000000, 9, '0');
}

static void add_in_brackets(struct text *t, const char *s)
{
	text_string(t, " [");
	text_name(t, s);
	text_char(t, ']');
}

static void add_block(struct text *t, const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;
	const char *process = xblk_event_process(e);
	char op[16];

	op_letters(op, r->op, r->nr_sectors);
	text_char(t, ' ');
	text_string_right(t, op, 4);
	if (r->nr_sectors) {
		text_char(t, ' ');
		text_u64(t, r->sector);
		text_string(t, " + ");
		text_u64(t, r->nr_sectors);
	}
	if (event_has(r->event, EVENT_ERROR)) {
		text_string(t, " [");
		text_u64(t, r->aux);
		text_char(t, ']');
	} else if (process && strcmp(process, "?")) {
		add_in_brackets(t, process);
	}
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

void event_print(FILE *out, uint64_t start_ns, const struct xblk_event_record *e)
{
	const struct xblk_record *r = e->record;
	char comm[COMM_SIZE];
	struct text t;

	t.len = 0;
	add_disk(&t, e);
	text_char(&t, ' ');
	text_number(&t, e->cpu, 3, ' ');
	text_char(&t, ' ');
	text_number(&t, e->sequence, 8, ' ');
	text_char(&t, ' ');
	add_seconds(&t, (int64_t)(r->time - start_ns));
	text_char(&t, ' ');
	text_number(&t, event_has(r->event, EVENT_PID) ? r->aux : 0, 5, ' ');
	text_string(&t, "  ");
	text_char(&t, e->letter);
	switch (r->event) {
	case XBLK_EVENT_GAP:
		text_print(&t, "  %llu records missing or invalid", r->lost.count);
		break;
	case XBLK_EV_LOST:
		text_print(&t, "  %llu records lost, until %llu ns later", r->lost.count,
			   r->lost.until - r->time);
		break;
	case XBLK_EV_PROCESS:
		copy_printable(comm, sizeof(comm), r->comm, XBLK_COMM_LEN);
		text_char(&t, ' ');
		add_in_brackets(&t, comm);
		break;
	case XBLK_EV_CLOCK:
		text_print(&t, "  clock generation %u", r->id);
		break;
	case XBLK_EV_RESPONSE:
		text_print(&t, "  ring %u", r->aux);
		if (r->nr_sectors)
			text_print(&t, " request %u", r->nr_sectors);
		text_print(&t, " %s", blkif_name(r->op));
		break;
	case XBLK_EV_ORDER:
		text_print(&t, "  ring %u rq %u place %u", r->nr_sectors, r->id, r->aux);
		break;
	case XBLK_EV_RQ_REMAP:
		text_print(&t, "  %llu + %u of disk %u", r->sector, r->nr_sectors,
			   r->aux);
		break;
	case XBLK_EV_BACKEND_BIO:
		text_print(&t, "  bio %u request %u", r->id, r->aux);
		break;
	case XBLK_EV_INTERRUPT:
	case XBLK_EV_RING:
		text_print(&t, "  ring %u", r->event == XBLK_EV_RING ? r->id : r->aux);
		break;
	default:
		add_block(&t, e);
		break;
	}
	text_char(&t, '\n');
	text_write(&t, out);
}
