// SPDX-License-Identifier: GPL-2.0-only
#include "chosen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "sinks/output.h"

/* What there is, "a, b, c"; more than fits is not told. */
struct names {
	char text[1024];
	size_t len;
	bool more;
};

__attribute__((format(printf, 2, 3))) static void add(struct names *l, const char *fmt,
						      ...)
{
	char item[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(item, sizeof(item), fmt, ap);
	va_end(ap);
	if (l->more || n < 0 || l->len + n + 2 >= sizeof(l->text)) {
		l->more = true;
		return;
	}
	l->len += snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s%s",
			   l->len ? ", " : "", item);
}

static const char *item_name(const struct filter_item *item, char *number, size_t size)
{
	snprintf(number, size, "%u", item->number);
	return item->name ? item->name : number;
}

static void tell(const struct xblk *x, const char *what, const struct filter_item *item,
		 const struct names *l)
{
	struct xblk_trace t;
	char number[16];

	xblk_get_trace(x, &t);
	msg_say("no %s %s in %s; there %s%s%s", what,
		item_name(item, number, sizeof(number)),
		t.to_ns ? "what was read of the trace" : "the trace",
		l->len ? "are: " : "is none", l->text, l->more ? ", and more" : "");
}

static bool guests_found(const struct xblk *x, const struct filter *f)
{
	struct xblk_domain dom;
	struct xblk_disk d;
	bool good = true;
	size_t at;

	for (unsigned int k = 0; k < f->guests.nr; k++) {
		const struct filter_item *item = &f->guests.of[k];
		struct names l = {0};
		bool found = false;

		for (at = 0; xblk_next_domain(x, &at, &dom);) {
			if (dom.backend)
				continue;
			found |= filter_is_guest(item, dom.domid, dom.name);
			add(&l, "%s (%u)", dom.name, dom.domid);
		}
		/* It may have had another name. */
		for (at = 0; xblk_next_disk(x, &at, &d);)
			found |= !d.backend && filter_is_guest(item, d.domid, d.guest);
		if (!found)
			tell(x, "guest", item, &l);
		good &= found;
	}
	return good;
}

static bool disks_found(const struct xblk *x, const struct filter *f)
{
	const struct filter any_disk = {.guests = f->guests};
	struct xblk_disk d;
	bool good = true;
	size_t at;

	for (unsigned int k = 0; k < f->disks.nr; k++) {
		const struct filter_item *item = &f->disks.of[k];
		struct names l = {0};
		bool found = false;

		for (at = 0; xblk_next_disk(x, &at, &d);) {
			if (!filter_disk(&any_disk, &d))
				continue;
			found |= filter_is_disk(item, &d);
			if (*d.device && strcmp(d.device, d.name))
				add(&l, "%u:%s (%s in the guest)", d.domid, d.label,
				    d.device);
			else
				add(&l, "%u:%s", d.domid, d.label);
		}
		if (!found)
			tell(x, "disk", item, &l);
		good &= found;
	}
	return good;
}

struct search {
	const struct filter_item *item;
	struct names list;
	bool found;
};

static void look_at(void *user, uint32_t pid, const char *name, bool now)
{
	struct search *s = user;

	s->found |= filter_is_process(s->item, pid, name ? name : "");
	if (name && now)
		add(&s->list, "%s (%u)", name, pid);
	else if (now)
		add(&s->list, "%u", pid);
}

void chosen_look(struct chosen *c, const struct filter *f, unsigned int domid,
		 const char *guest, uint32_t pid, const char *name)
{
	for (unsigned int k = 0; k < f->processes.nr && filter_domain(f, domid, guest);
	     k++)
		c->processes[k] |=
			filter_is_process(&f->processes.of[k], pid, name ? name : "");
}

static bool processes_found(const struct xblk *x, const struct filter *f,
			    const struct chosen *c)
{
	bool good = true;

	for (unsigned int k = 0; k < f->processes.nr; k++) {
		struct search s = {
			.item = &f->processes.of[k],
			.found = c->processes[k],
		};

		xblk_each_process(x, f, look_at, &s);
		if (!s.found)
			tell(x, "process", s.item, &s.list);
		good &= s.found;
	}
	return good;
}

static void tell_empty(const struct xblk *x, const struct filter *f)
{
	struct disk_stats all;

	total_stats(x, f, &all);
	if (!all.requests && all.not_chosen)
		msg_say("none of %" PRIu64 " requests was chosen", all.not_chosen);
	stats_deinit(&all);
}

bool chosen_tell(const struct xblk *x, const struct filter *f, const struct chosen *c)
{
	bool good = guests_found(x, f);

	/* What of no guest is shown is not missed as well. */
	if (good)
		good = disks_found(x, f);
	if (good)
		good = processes_found(x, f, c);
	if (good && filter_chooses(f))
		tell_empty(x, f);
	return good;
}
