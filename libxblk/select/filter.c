// SPDX-License-Identifier: GPL-2.0-only
#include "select/filter.h"

#include <string.h>

#include "base/op.h"
#include "base/util.h"
#include "base/event.h"

bool filter_is_guest(const struct filter_item *item, unsigned int domid, const char *name)
{
	return item->name ? !strcmp(item->name, name) : item->number == domid;
}

/* XenStore's name, by which the trace has it, with or without a number; or the guest's. */
static bool is_disk(const struct filter_item *item, const char *name, const char *label,
		    const char *device)
{
	return !strcmp(item->name, name) || !strcmp(item->name, label) ||
	       (*device && !strcmp(item->name, device));
}

bool filter_is_disk(const struct filter_item *item, const struct xblk_disk *disk)
{
	return is_disk(item, disk->name, disk->label, disk->device);
}

bool filter_is_process(const struct filter_item *item, uint32_t pid, const char *name)
{
	return item->name ? !strcmp(item->name, name) : item->number == pid;
}

static bool guest_chosen(const struct filter *f, unsigned int domid, const char *name)
{
	for (unsigned int i = 0; i < f->guests.nr; i++) {
		if (filter_is_guest(&f->guests.of[i], domid, name))
			return true;
	}
	return !f->guests.nr;
}

static bool disk_chosen(const struct filter *f, const char *name, const char *label,
			const char *device)
{
	for (unsigned int i = 0; i < f->disks.nr; i++) {
		if (is_disk(&f->disks.of[i], name, label, device))
			return true;
	}
	return !f->disks.nr;
}

static bool process_chosen(const struct filter *f, uint32_t pid, const char *name)
{
	for (unsigned int i = 0; i < f->processes.nr; i++) {
		if (filter_is_process(&f->processes.of[i], pid, name))
			return true;
	}
	return !f->processes.nr;
}

bool filter_domain(const struct filter *f, unsigned int domid, const char *name)
{
	return guest_chosen(f, domid, name);
}

bool filter_disk(const struct filter *f, const struct xblk_disk *disk)
{
	return !disk->backend && guest_chosen(f, disk->domid, disk->guest) &&
	       disk_chosen(f, disk->name, disk->label, disk->device);
}

bool filter_shows(const struct filter *f, const struct xblk_request *r)
{
	return guest_chosen(f, r->domid, r->guest) &&
	       disk_chosen(f, r->disk, r->label, r->device);
}

bool filter_chooses(const struct filter *f)
{
	return f->ops || f->have_sectors || f->processes.nr || f->have_time ||
	       f->min_latency_ns;
}

static bool op_chosen(const struct filter *f, unsigned int op)
{
	return !f->ops || f->ops & 1u << (op & XBLK_OP_MASK);
}

static bool sectors_chosen(const struct filter *f, uint64_t sector, uint32_t nr)
{
	return !f->have_sectors ||
	       (nr && sector <= f->last_sector && sector + nr > f->first_sector);
}

static bool time_chosen(const struct filter *f, uint64_t start_ns, uint64_t ns)
{
	uint64_t since = sub_sat(ns, start_ns);

	return !f->have_time || (since >= f->from_ns && since < f->to_ns);
}

bool filter_request(const struct filter *f, uint64_t start_ns, uint64_t now_ns,
		    const struct xblk_request *r)
{
	uint64_t end = r->c_ns ? r->c_ns : now_ns;
	uint64_t begin = r->q_ns ? r->q_ns : r->d_ns ? r->d_ns : end;

	return op_chosen(f, r->op) && sectors_chosen(f, r->sector, r->nr_sectors) &&
	       process_chosen(f, r->pid, r->process) && time_chosen(f, start_ns, begin) &&
	       sub_sat(end, begin) >= f->min_latency_ns;
}

bool filter_event(const struct filter *f, uint64_t start_ns,
		  const struct xblk_event_record *e, const char *process)
{
	const struct xblk_record *r = e->record;

	if (!time_chosen(f, start_ns, r->time))
		return false;
	if (event_has(r->event, EVENT_OP) ? !op_chosen(f, r->op) : f->ops)
		return false;
	if (event_has(r->event, EVENT_POSITION)
		    ? !sectors_chosen(f, r->sector, r->nr_sectors)
		    : f->have_sectors)
		return false;
	return !f->processes.nr || (process && process_chosen(f, r->aux, process));
}
