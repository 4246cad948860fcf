// SPDX-License-Identifier: GPL-2.0-only
/* --events: blkparse's columns, with domain and disk where it has the device. */
#include "output.h"

#include <inttypes.h>

#include "event.h"
#include "util.h"

char event_letter(unsigned int event)
{
	char letter = event_kinds[event == EV_GAP ? XBLK_EV_LOST : event & 0xff].letter;

	return letter ? letter : '?';
}

static const struct disk *disk_of(const struct stream *s, const struct xblk_record *r)
{
	return event_has(r->event, EVENT_DISK) ? domain_disk(s->dom, r->disk) : NULL;
}

bool event_shown(const struct parse *p, const struct filter *f, const struct stream *s,
		 const struct xblk_record *r)
{
	const struct disk *disk = disk_of(s, r);

	/* A guest or a disk that is chosen is a guest's; dom0 is always of interest. */
	if (!s->dom->backend &&
	    (!filter_domain(f, s->dom) || (disk && !filter_disk(f, disk))))
		return false;
	return !filter_chooses(f) || filter_event(f, p->join.start_ns, s->dom, r);
}

static void print_block(FILE *out, const struct stream *s, const struct xblk_record *r)
{
	const struct process *p = NULL;
	char op[16];

	if (event_has(r->event, EVENT_PID))
		p = map_get(&s->dom->processes, r->aux);
	op_letters(op, r->op, r->nr_sectors);
	fprintf(out, " %4s", op);
	if (r->nr_sectors)
		fprintf(out, " %llu + %u", r->sector, r->nr_sectors);
	if (event_has(r->event, EVENT_ERROR))
		fprintf(out, " [%u]", r->aux);
	else if (p && p->known)
		fprintf(out, " [%s]", p->comm);
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

void event_print(FILE *out, const struct parse *p, const struct stream *s,
		 const struct xblk_record *r)
{
	const struct disk *disk = disk_of(s, r);
	int64_t ns = (int64_t)(r->time - p->merge.start_ns);
	uint64_t abs_ns = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char name[LABEL_LEN + 16], comm[XBLK_COMM_LEN + 1];

	snprintf(name, sizeof(name), "%u:%s", s->dom->domid, disk ? disk->label : "-");
	fprintf(out, "%12s %3u %8" PRIu64 " %s%5" PRIu64 ".%09" PRIu64 " %5u %2c", name,
		s->cpu, s->sequence, ns < 0 ? "-" : "", abs_ns / 1000000000,
		abs_ns % 1000000000, event_has(r->event, EVENT_PID) ? r->aux : 0,
		event_letter(r->event));
	switch (r->event) {
	case EV_GAP:
		fprintf(out, "  %llu records missing or invalid", r->lost.count);
		break;
	case XBLK_EV_LOST:
		fprintf(out, "  %llu records lost, until %llu ns later", r->lost.count,
			r->lost.until - r->time);
		break;
	case XBLK_EV_PROCESS:
		copy_printable(comm, sizeof(comm), r->comm, XBLK_COMM_LEN);
		fprintf(out, "  [%s]", comm);
		break;
	case XBLK_EV_CLOCK:
		fprintf(out, "  clock generation %u", r->id);
		break;
	case XBLK_EV_RESPONSE:
		fprintf(out, "  ring %u", r->aux);
		if (r->nr_sectors)
			fprintf(out, " request %u", r->nr_sectors);
		fprintf(out, " %s", blkif_name(r->op));
		break;
	case XBLK_EV_ORDER:
		fprintf(out, "  ring %u rq %u place %u", r->nr_sectors, r->id, r->aux);
		break;
	case XBLK_EV_RQ_REMAP:
		fprintf(out, "  %llu + %u of disk %u", r->sector, r->nr_sectors, r->aux);
		break;
	case XBLK_EV_BACKEND_BIO:
		fprintf(out, "  bio %u request %u", r->id, r->aux);
		break;
	case XBLK_EV_INTERRUPT:
	case XBLK_EV_RING:
		fprintf(out, "  ring %u", r->event == XBLK_EV_RING ? r->id : r->aux);
		break;
	default:
		print_block(out, s, r);
		break;
	}
	fputc('\n', out);
}
