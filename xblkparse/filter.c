// SPDX-License-Identifier: GPL-2.0-only
#include "filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "event.h"
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

static bool parse_u64(uint64_t *to, const char *arg, char **end)
{
	if (!isdigit((unsigned char)*arg))
		return false;
	errno = 0;
	*to = strtoull(arg, end, 10);
	return !errno;
}

bool filter_parse_domid(struct filter *f, const char *arg)
{
	uint64_t n;
	char *end;

	if (!parse_u64(&n, arg, &end) || *end || n > UINT16_MAX)
		return false;
	f->have_domid = true;
	f->domid = n;
	return true;
}

bool filter_parse_ops(struct filter *f, const char *arg)
{
	while (*arg) {
		size_t len = strcspn(arg, ",");
		unsigned int op;

		for (op = 0; op < OP_CLASSES; op++) {
			if (op_names[op] && strlen(op_names[op]) == len &&
			    !strncmp(op_names[op], arg, len))
				break;
		}
		if (op == OP_CLASSES)
			return false;
		f->ops |= 1u << op;
		arg += len + (arg[len] == ',');
	}
	return f->ops;
}

bool filter_parse_sectors(struct filter *f, const char *arg)
{
	char *end;

	if (!parse_u64(&f->first_sector, arg, &end))
		return false;
	f->last_sector = f->first_sector;
	f->have_sectors = true;
	if (!*end)
		return true;
	if (*end != '-')
		return false;
	f->last_sector = UINT64_MAX;
	if (!end[1])
		return true;
	return parse_u64(&f->last_sector, end + 1, &end) && !*end &&
	       f->last_sector >= f->first_sector;
}

bool filter_parse_process(struct filter *f, const char *arg)
{
	uint64_t n;
	char *end;

	if (!*arg)
		return false;
	if (!parse_u64(&n, arg, &end) || *end) {
		f->comm = arg;
		return true;
	}
	f->have_pid = true;
	f->pid = n;
	return n <= UINT32_MAX;
}

/* A number with a fraction, times @ns_each. */
static bool parse_ns(uint64_t *to, const char *arg, char **end, double ns_each)
{
	double n;

	if (!isdigit((unsigned char)*arg) && *arg != '.')
		return false;
	n = strtod(arg, end) * ns_each;
	if (*end == arg || !(n >= 0 && n < 0x1p63))
		return false;
	*to = n;
	return true;
}

bool filter_parse_time(struct filter *f, const char *arg)
{
	char *end = (char *)arg;

	f->have_time = true;
	f->from_ns = 0;
	f->to_ns = UINT64_MAX;
	if (!*arg)
		return false;
	/* As blkparse: one number alone is where it ends. */
	if (strchr(arg, ':')) {
		if (*arg != ':' && !parse_ns(&f->from_ns, arg, &end, 1e9))
			return false;
		if (*end != ':')
			return false;
		arg = ++end;
	}
	if (*arg && (!parse_ns(&f->to_ns, arg, &end, 1e9) || *end))
		return false;
	return f->to_ns > f->from_ns;
}

bool filter_parse_latency(struct filter *f, const char *arg)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e3}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	uint64_t unused;
	char *end;

	if (!parse_ns(&unused, arg, &end, 1))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!strcmp(end, units[i].name))
			return parse_ns(&f->min_latency_ns, arg, &end, units[i].ns);
	}
	return false;
}
