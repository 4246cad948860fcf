// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request is recorded with all of its events on both sides or not at all, else it could
 * not be joined.  So it is chosen by what holds from its first event to its last and in
 * the guest as in the backend: its operation.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "actions.h"
#include "xblk/record.h"

#define EVENTS	   "all events of a request are kept"
#define FLAGS	   "a guest's request does not keep it on its way to the backend"
#define INSTEAD	   "choose by read, write, flush or discard"
#define NR_ACTIONS (sizeof(actions) / sizeof(actions[0]))
#define ALL_BITS   0xffff

/**
 * struct action - one of blktrace's filter masks
 * @name:	as blktrace(8) has it
 * @bit:	as <linux/blktrace_api.h> has it, BLK_TC_*
 * @ops:	what it chooses here, 0 if nothing can be chosen by it
 * @why:	it cannot
 */
static const struct action {
	const char *name;
	unsigned int bit;
	unsigned int ops;
	const char *why;
} actions[] = {
	{"read", 0x0001, XBLK_OP_BIT(READ), NULL},
	{"write", 0x0002, XBLK_OP_BIT(WRITE) | XBLK_OP_BIT(WRITE_ZEROES), NULL},
	{"flush", 0x0004, XBLK_OP_BIT(FLUSH), NULL},
	{"discard", 0x2000, XBLK_OP_BIT(DISCARD) | XBLK_OP_BIT(SECURE_DISCARD), NULL},
	/* What flushes were called once. */
	{"barrier", 0, XBLK_OP_BIT(FLUSH), NULL},
	{"sync", 0x0008, 0, FLAGS},
	{"queue", 0x0010, 0, EVENTS},
	{"requeue", 0x0020, 0, EVENTS},
	{"issue", 0x0040, 0, EVENTS},
	{"complete", 0x0080, 0, EVENTS},
	{"fs", 0x0100, 0, "all requests that are traced are of that kind"},
	{"pc", 0x0200, 0, "requests of that kind are not traced"},
	{"notify", 0x0400, 0, "names of processes are always kept"},
	{"ahead", 0x0800, 0, FLAGS},
	{"meta", 0x1000, 0, FLAGS},
	{"drv_data", 0x4000, 0, "there is none"},
	{"fua", 0x8000, 0, FLAGS},
};

static const char *take(const struct action *action, unsigned int *ops)
{
	static char why[128];

	*ops |= action->ops;
	if (action->ops)
		return NULL;
	snprintf(why, sizeof(why), "%s: %s: " INSTEAD, action->name, action->why);
	return why;
}

/* blktrace takes capital letters, too. */
static const struct action *find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NR_ACTIONS; i++)
		if (strlen(actions[i].name) == len &&
		    !strncasecmp(actions[i].name, name, len))
			return &actions[i];
	return NULL;
}

const char *actions_add(const char *names, unsigned int *ops)
{
	unsigned int chosen = *ops;
	const char *why;
	size_t len;

	for (;; names += len + 1) {
		const struct action *action;

		len = strcspn(names, ",");
		action = find(names, len);
		why = action ? take(action, &chosen) : "no such operation: " INSTEAD;
		if (why)
			return why;
		if (!names[len])
			break;
	}
	*ops = chosen;
	return NULL;
}

const char *actions_set(const char *mask, unsigned int *ops)
{
	unsigned int chosen = 0;
	const char *why = NULL;
	unsigned long bits;
	char *end;
	size_t i;

	/* strtoul() would take signs and spaces. */
	bits = isxdigit((unsigned char)*mask) ? strtoul(mask, &end, 16) : 0;
	if (!bits || bits > ALL_BITS || *end)
		return "not a hexadecimal sum of 1 (read), 2 (write), 4 (flush) and 2000 "
		       "(discard)";
	for (i = 0; !why && i < NR_ACTIONS; i++)
		if (bits & actions[i].bit)
			why = take(&actions[i], &chosen);
	if (!why)
		*ops = chosen;
	return why;
}

const char *actions_text(unsigned int ops)
{
	static char text[64];
	size_t i;

	*text = '\0';
	for (i = 0; i < NR_ACTIONS; i++)
		if (actions[i].bit && actions[i].ops & ops)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
				 *text ? " " : "", actions[i].name);
	return text;
}
