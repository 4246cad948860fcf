// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "progress.h"

#define TEXT_SIZE 32

/* 1234567 -> "1,234,567" */
static const char *grouped(uint64_t n, char *text)
{
	char digits[TEXT_SIZE];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *to = text;
	int i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

static const char *size(uint64_t bytes, char *text)
{
	if (bytes < 1000000)
		snprintf(text, TEXT_SIZE, "%.1f kB", bytes / 1e3);
	else if (bytes < 1000000000)
		snprintf(text, TEXT_SIZE, "%.1f MB", bytes / 1e6);
	else
		snprintf(text, TEXT_SIZE, "%.2f GB", bytes / 1e9);
	return text;
}

static void dom0_sums(const struct dom0 *dom0, uint64_t *records, uint64_t *lost)
{
	unsigned int i;

	*records = *lost = 0;
	for (i = 0; i < dom0->nr_cpus; i++) {
		*records += dom0->cpus[i].stream.records;
		*lost += dom0->cpus[i].lost;
	}
}

static void all_sums(const struct capture *c, uint64_t *records, uint64_t *lost)
{
	unsigned int i;

	dom0_sums(c->dom0, records, lost);
	for (i = 0; i < c->facts.nr_guests; i++) {
		*records += guest_records(&c->guests[i]);
		*lost += guest_lost(&c->guests[i]);
	}
}

void progress_show(struct capture *c, uint64_t elapsed_ns)
{
	char count[TEXT_SIZE], losses[TEXT_SIZE], bytes[TEXT_SIZE];
	uint64_t records, lost;
	unsigned int i;

	if (!msg_progress_wanted())
		return;
	for (i = 0; i < c->facts.nr_guests; i++)
		guest_read_stats(&c->guests[i]);
	if (dom0_read_stats(c->dom0))
		return;
	all_sums(c, &records, &lost);
	msg_progress("%.1f s  %s records  %s lost  %s", elapsed_ns / 1e9,
		     grouped(records, count), grouped(lost, losses),
		     size(c->writer->bytes + c->writer->used, bytes));
}

void progress_summary(const struct capture *c, uint64_t duration_ns)
{
	char count[TEXT_SIZE], losses[TEXT_SIZE], bytes[TEXT_SIZE];
	uint64_t records, lost;
	unsigned int i;

	for (i = 0; i < c->facts.nr_guests; i++) {
		const struct guest *guest = &c->guests[i];

		if (!guest->rings)
			continue;
		msg_say("domain %u (%s): %s records, %s lost", guest->domain->domid,
			guest->domain->name, grouped(guest_records(guest), count),
			grouped(guest_lost(guest), losses));
		if (c->facts.opts->doorbell_percent)
			msg_say("domain %u (%s): %s events sent by its doorbell",
				guest->domain->domid, guest->domain->name,
				grouped(guest->events, count));
	}
	dom0_sums(c->dom0, &records, &lost);
	msg_say("domain %u (this one): %s records, %s lost", c->facts.own_domid,
		grouped(records, count), grouped(lost, losses));
	all_sums(c, &records, &lost);
	msg_say("%s: %.1f s, %s records, %s lost, %s (%s)", c->writer->out.path,
		duration_ns / 1e9, grouped(records, count), grouped(lost, losses),
		size(c->writer->bytes, bytes), c->reason);
}
