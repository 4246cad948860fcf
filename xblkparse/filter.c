// SPDX-License-Identifier: GPL-2.0-only
#include "filter.h"

#include "event.h"
#include "number.h"
#include "util.h"

bool filter_chooses(const struct filter *f)
{
	return f->ops || f->have_sectors || f->have_pid || f->comm || f->have_time ||
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

static bool process_chosen(const struct filter *f, const struct domain *dom, uint32_t pid)
{
	const struct process *p;

	if (f->have_pid && f->pid == pid)
		return true;
	if (!f->comm)
		return !f->have_pid;
	p = map_get(&dom->processes, pid);
	return p && p->known && !strcmp(p->comm, f->comm);
}

static bool time_chosen(const struct filter *f, uint64_t start_ns, uint64_t ns)
{
	uint64_t since = sub_sat(ns, start_ns);

	return !f->have_time || (since >= f->from_ns && since < f->to_ns);
}

bool filter_request(const struct filter *f, const struct join *j, const struct rq *rq)
{
	uint64_t begin = rq->flags & RQ_NO_Q ? rq->d_ns : rq->q_ns;
	uint64_t end = rq->flags & RQ_COMPLETED ? rq->c_ns : j->last_ns;

	return op_chosen(f, rq->op) && sectors_chosen(f, rq->sector, rq->nr_sectors) &&
	       process_chosen(f, rq->disk->dom, rq->pid) &&
	       time_chosen(f, j->start_ns, begin) &&
	       sub_sat(end, begin) >= f->min_latency_ns;
}

bool filter_event(const struct filter *f, uint64_t start_ns, const struct domain *dom,
		  const struct xblk_record *r)
{
	if (!time_chosen(f, start_ns, r->time))
		return false;
	if (event_has(r->event, EVENT_OP) ? !op_chosen(f, r->op) : f->ops)
		return false;
	if (event_has(r->event, EVENT_POSITION)
		    ? !sectors_chosen(f, r->sector, r->nr_sectors)
		    : f->have_sectors)
		return false;
	if (!f->have_pid && !f->comm)
		return true;
	return event_has(r->event, EVENT_PID) && process_chosen(f, dom, r->aux);
}

const char *filter_parse_domid(void *filter, const char *arg)
{
	struct filter *f = filter;

	f->have_domid = true;
	return number_uint(arg, 0, UINT16_MAX, &f->domid);
}

const char *filter_parse_ops(void *filter, const char *arg)
{
	struct filter *f = filter;

	while (*arg) {
		size_t len = strcspn(arg, ",");
		unsigned int op;

		for (op = 0; op < OP_CLASSES; op++) {
			if (op_names[op] && strlen(op_names[op]) == len &&
			    !strncmp(op_names[op], arg, len))
				break;
		}
		if (op == OP_CLASSES)
			return "no such operation";
		f->ops |= 1u << op;
		arg += len + (arg[len] == ',');
	}
	return f->ops ? NULL : "no such operation";
}

const char *filter_parse_sectors(void *filter, const char *arg)
{
	char *to = strdupa(arg), *from = strsep(&to, "-");
	struct filter *f = filter;
	const char *why = number_u64(from, 0, UINT64_MAX, &f->first_sector);

	f->have_sectors = true;
	f->last_sector = to ? UINT64_MAX : f->first_sector;
	if (!why && to && *to)
		why = number_u64(to, f->first_sector, UINT64_MAX, &f->last_sector);
	return why;
}

const char *filter_parse_process(void *filter, const char *arg)
{
	struct filter *f = filter;

	if (!*arg)
		return "not a process";
	if (arg[strspn(arg, "0123456789")]) {
		f->comm = arg;
		return NULL;
	}
	f->have_pid = true;
	return number_uint(arg, 0, UINT32_MAX, &f->pid);
}

const char *filter_parse_time(void *filter, const char *arg)
{
	char *to = strdupa(arg), *from = strsep(&to, ":");
	struct filter *f = filter;
	const char *why = NULL;

	if (!*arg)
		return "not a span of time";
	f->have_time = true;
	f->from_ns = 0;
	f->to_ns = UINT64_MAX;
	/* As blkparse: one number alone is where it ends. */
	if (!to)
		to = from;
	else if (*from)
		why = number_seconds(from, 0, NUMBER_MAX_NS, &f->from_ns);
	if (!why && *to)
		why = number_seconds(to, f->from_ns + 1, NUMBER_MAX_NS, &f->to_ns);
	return why;
}

const char *filter_parse_latency(void *filter, const char *arg)
{
	struct filter *f = filter;

	return number_time(arg, &f->min_latency_ns);
}
