// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disks.h"
#include "number.h"
#include "state.h"
#include "tap-admit.h"

const char *tap_refuse(const char *fmt, ...)
{
	static char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

struct tap **tap_free_place(struct capture *c)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++)
		if (!c->drain.taps.each[i])
			return &c->drain.taps.each[i];
	return NULL;
}

static bool is_called(const struct domain *domain, const char *arg)
{
	unsigned int number;

	if (!strcmp(arg, "all"))
		return true;
	if (!number_uint(arg, 0, UINT16_MAX, &number))
		return number == domain->domid;
	return !strcmp(domain->name, arg);
}

bool tap_asks_for(const struct tap *tap, const struct domain *domain)
{
	unsigned int i;

	for (i = 0; i < tap->opts.nr_domains; i++)
		if (is_called(domain, tap->opts.domains[i]))
			return true;
	return false;
}

/* Return: whether there is such a guest. */
static bool is_traced(const struct capture *c, const char *arg)
{
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].channel && is_called(c->guests[i].domain, arg))
			return true;
	return false;
}

/* Of a guest that is asked for. */
static bool disk_is_traced(const struct capture *c, const struct tap *tap,
			   const char *wanted)
{
	const struct options one = {.disks = &wanted, .nr_disks = 1};
	unsigned int i, k;

	for (i = 0; i < c->facts.nr_guests; i++) {
		const struct domain *domain = c->guests[i].domain;

		if (!c->guests[i].channel || !tap_asks_for(tap, domain))
			continue;
		for (k = 0; k < domain->nr_disks; k++)
			if (!domain->disks[k].left_out &&
			    disk_is_asked_for(&one, domain, &domain->disks[k]))
				return true;
	}
	return false;
}

/* Return: NULL, or why not. */
static const char *check_disks(const struct capture *c, const struct tap *tap)
{
	unsigned int i;

	for (i = 0; i < tap->opts.nr_disks; i++)
		if (!disk_is_traced(c, tap, tap->opts.disks[i]))
			return tap_refuse(
				"disk %s: the capture that runs, process %d, traces "
				"none of that name of the guests that are wanted: "
				"'xblktrace --status' says what it traces",
				tap->opts.disks[i], (int)getpid());
	return NULL;
}

/* Return: NULL, or why not. */
static const char *check_domains(const struct capture *c, const struct tap *tap)
{
	unsigned int i;

	for (i = 0; i < tap->opts.nr_domains; i++) {
		const char *arg = tap->opts.domains[i];

		if (is_traced(c, arg))
			continue;
		if (!strcmp(arg, "all"))
			return tap_refuse(
				"the capture that runs, process %d, traces no guest "
				"now: try again when there is one",
				(int)getpid());
		return tap_refuse(
			"domain %s: is not traced by the capture that runs, process "
			"%d: end that one with 'xblktrace -k', and begin one of all "
			"that is wanted ('xblktrace --status' says what it traces)",
			arg, (int)getpid());
	}
	return NULL;
}

const char *tap_refuse_any(struct capture *c)
{
	if (!c->started)
		return tap_refuse(
			"the xblktrace that runs, process %d, is only beginning: try "
			"again in a moment",
			(int)getpid());
	if (c->reason)
		return tap_refuse(
			"the xblktrace that runs, process %d, is ending: try again "
			"when it has",
			(int)getpid());
	if (c->facts.opts->overwrite)
		return tap_refuse(
			"the xblktrace that runs, process %d, is a flight recorder, "
			"which reads nothing before it is told to: SIGUSR1 has it "
			"take a snapshot, 'xblktrace -k' ends it",
			(int)getpid());
	if (!tap_free_place(c))
		return tap_refuse(
			"%d others tap the xblktrace that runs, process %d, which is "
			"all it has room for: try again when one has ended",
			TAP_MAX, (int)getpid());
	return NULL;
}

const char *tap_refuse_one(const struct capture *c, const struct tap *tap)
{
	const char *wrong = check_domains(c, tap);

	return wrong ? wrong : check_disks(c, tap);
}
