// SPDX-License-Identifier: GPL-2.0-only
#include "filter-args.h"

#include <string.h>

#include "base/op.h"
#include "number.h"

/* A number, at most @max, or a name. */
static const char *add(struct filter_list *list, const char *arg, uint32_t max)
{
	struct filter_item *item = &list->of[list->nr];

	if (!*arg)
		return "neither a name nor a number";
	if (list->nr == FILTER_LIST_MAX)
		return "more than 64 of them";
	list->nr++;
	item->name = arg;
	if (!max || arg[strspn(arg, "0123456789")])
		return NULL;
	item->name = NULL;
	return number_uint(arg, 0, max, &item->number);
}

const char *filter_parse_guest(void *filter, const char *arg)
{
	return add(&((struct filter *)filter)->guests, arg, UINT16_MAX);
}

const char *filter_parse_disk(void *filter, const char *arg)
{
	return add(&((struct filter *)filter)->disks, arg, 0);
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
	return add(&((struct filter *)filter)->processes, arg, UINT32_MAX);
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
