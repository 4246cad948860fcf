// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "figure.h"
#include "msg.h"
#include "printable.h"
#include "progress.h"
#include "saturate.h"

#define FILES_SIZE 80

/* Of all files of the capture. */
static uint64_t bytes_of_all(const struct writer *w)
{
	return w->bytes_ended + writer_bytes_out(w);
}

/* Before they were read, or between that and the file. */
static uint64_t lost_of(const struct guest *guest)
{
	return add_sat(guest_lost(guest), guest_unwritten(guest));
}

static void dom0_sums(const struct dom0 *dom0, uint64_t *records, uint64_t *lost)
{
	unsigned int i;

	*records = *lost = 0;
	for (i = 0; i < dom0->nr_cpus; i++) {
		*records += dom0->cpus[i].stream.records_before +
			    dom0->cpus[i].stream.records;
		*lost += dom0->cpus[i].lost + dom0->cpus[i].stream.unwritten;
	}
}

static void all_sums(const struct capture *c, uint64_t *records, uint64_t *lost)
{
	unsigned int i;

	dom0_sums(c->dom0, records, lost);
	*records += c->records_gone - c->writer->unwritten;
	*lost = add_sat(*lost + c->writer->unwritten, c->lost_gone);
	for (i = 0; i < c->facts.nr_guests; i++) {
		*records += guest_records(&c->guests[i]);
		*lost = add_sat(*lost, lost_of(&c->guests[i]));
	}
}

void progress_show(struct capture *c, uint64_t elapsed_ns)
{
	char count[FIGURE_SIZE], losses[FIGURE_SIZE], bytes[FIGURE_SIZE];
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
		     figure_count(records, count), figure_count(lost, losses),
		     figure_bytes(bytes_of_all(c->writer), bytes));
}

/* " in 7 files, of which the last 2 are there", where there is more than one. */
static const char *files(const struct writer *w, char *text)
{
	unsigned int nr = w->nr_ended + 1;

	*text = '\0';
	if (nr > w->nr_files && w->nr_files)
		snprintf(text, FILES_SIZE, " in %u files, of which the last %u %s there",
			 nr, w->nr_files, w->nr_files == 1 ? "is" : "are");
	else if (nr > 1)
		snprintf(text, FILES_SIZE, " in %u files", nr);
	return text;
}

/* Which rings, how they were read, and so what they can do. */
static void tell_of_overflow(const struct guest *guest)
{
	const struct xenrelay_properties *p = &guest->properties;
	char rate[FIGURE_SIZE];

	if (!guest_lost(guest) || p->overwrite || !guest_safe_rate(guest))
		return;
	msg_say("domain %u (%s): %u rings of %llu KiB, which hold %s records a second each, "
		"as they were read every %.3f s at the longest: -b and -n make them larger",
		guest->domain->domid, guest->domain->name, p->nr_rings,
		(unsigned long long)p->ring_kib,
		figure_count(guest_safe_rate(guest), rate), guest->longest / 1e9);
}

void progress_guest(const struct capture *c, const struct guest *guest)
{
	const struct domain *domain = guest->domain;
	char count[FIGURE_SIZE], losses[FIGURE_SIZE];

	msg_say("domain %u (%s): %s records, %s lost", domain->domid, domain->name,
		figure_count(guest_records(guest), count),
		figure_count(lost_of(guest), losses));
	tell_of_overflow(guest);
	if (c->facts.opts->doorbell_percent)
		msg_say("domain %u (%s): %s events sent by its doorbell", domain->domid,
			domain->name, figure_count(guest->events, count));
}

void progress_summary(const struct capture *c, uint64_t duration_ns)
{
	char count[FIGURE_SIZE], losses[FIGURE_SIZE], bytes[FIGURE_SIZE], all[FILES_SIZE];
	uint64_t records, lost;
	unsigned int i;

	/* There is none: it has not taken its name, and is not kept. */
	if (c->writer->out.unnamed && !c->writer->nr_ended)
		return;
	for (i = 0; i < c->facts.nr_guests; i++)
		if (c->guests[i].rings)
			progress_guest(c, &c->guests[i]);
	dom0_sums(c->dom0, &records, &lost);
	msg_say("domain %u (this one): %s records, %s lost", c->facts.own_domid,
		figure_count(records, count), figure_count(lost, losses));
	all_sums(c, &records, &lost);
	msg_say("%s: %.1f s, %s records, %s lost, %s%s (%s)", c->writer->out.path,
		duration_ns / 1e9, figure_count(records, count),
		figure_count(lost, losses), figure_bytes(bytes_of_all(c->writer), bytes),
		files(c->writer, all), c->reason);
	if (c->writer->hangs)
		msg_say("%s: how many of these are in it is not known: it hangs",
			c->writer->out.path);
}

/* A name, or a path: whoever gave it decides what is in it. */
static void put_name(FILE *f, const char *name)
{
	char *copy = strdup(name);

	if (copy)
		make_printable(copy);
	fputs(copy ? copy : "?", f);
	free(copy);
}

/* What a guest is traced by, its losses, and its disks. */
static void status_of_guest(FILE *f, const struct guest *guest)
{
	const struct domain *domain = guest->domain;
	const struct xenrelay_properties *p = &guest->properties;
	char count[FIGURE_SIZE], losses[FIGURE_SIZE], rate[FIGURE_SIZE];
	unsigned int i;

	fprintf(f, "domain %u (", domain->domid);
	put_name(f, domain->name);
	fputs("): ", f);
	if (guest->channel)
		fprintf(f,
			"%u rings of %llu KiB, %.1f %% full at most, for %s records a "
			"second each",
			p->nr_rings, (unsigned long long)p->ring_kib,
			guest->fullest / 10.0,
			figure_count(guest_safe_rate(guest), rate));
	else
		fputs("not connected", f);
	fprintf(f, ", %s records, %s lost, disks",
		figure_count(guest_records(guest), count),
		figure_count(lost_of(guest), losses));
	for (i = 0; i < domain->nr_disks; i++) {
		if (domain->disks[i].gone || domain->disks[i].left_out)
			continue;
		fputc(' ', f);
		put_name(f, domain->disks[i].name);
	}
	fputc('\n', f);
}

static const char *time_ago(uint64_t ns, char *text, size_t size)
{
	time_t then = time(NULL) - ns / 1000000000;
	struct tm tm;

	if (!localtime_r(&then, &tm) || !strftime(text, size, "%F %T %z", &tm))
		*text = '\0';
	return text;
}

static void status_of_tap(FILE *f, const struct capture *c, const struct tap *tap)
{
	char count[FIGURE_SIZE], losses[FIGURE_SIZE], since[64];
	const char *comma = "";
	unsigned int i;

	fprintf(f, "process %d taps since %s domains ", (int)tap->pid,
		time_ago(monotonic_ns() - tap->began, since, sizeof(since)));
	for (i = 0; i < c->facts.nr_guests; i++) {
		if (!tap->wanted[i])
			continue;
		fprintf(f, "%s%u", comma, c->guests[i].domain->domid);
		comma = ", ";
	}
	if (tap->finishing)
		fputs(": ending\n", f);
	else
		fprintf(f, ": %s records, %s lost\n",
			figure_count(tap_records(tap), count),
			figure_count(tap_lost(tap), losses));
}

static void status_of_taps(FILE *f, const struct capture *c)
{
	unsigned int i;

	for (i = 0; i < TAP_MAX; i++)
		if (c->drain.taps.each[i])
			status_of_tap(f, c, c->drain.taps.each[i]);
}

static void status_of_output(FILE *f, const struct writer *w, const char *path)
{
	char now[FIGURE_SIZE], full[FIGURE_SIZE];

	fputs("into ", f);
	put_name(f, path);
	if (w->nr_files)
		fprintf(f, ", file %u, %s of %s", w->nr_ended + 1,
			figure_bytes(writer_bytes_out(w), now),
			figure_bytes(w->max_bytes, full));
}

char *progress_status(struct capture *c, uint64_t elapsed_ns, const char *path)
{
	char count[FIGURE_SIZE], losses[FIGURE_SIZE], bytes[FIGURE_SIZE], since[64];
	uint64_t records, lost;
	unsigned int i;
	size_t size_of_text;
	char *text;
	FILE *f;

	f = open_memstream(&text, &size_of_text);
	if (!f)
		return NULL;
	for (i = 0; i < c->facts.nr_guests; i++)
		guest_read_stats(&c->guests[i]);
	dom0_read_stats(c->dom0);
	fprintf(f, "process %d traces since %s ", (int)getpid(),
		time_ago(elapsed_ns, since, sizeof(since)));
	status_of_output(f, c->writer, path);
	all_sums(c, &records, &lost);
	fprintf(f, "\n%.1f s, %s records, %s lost, %s%s\n", elapsed_ns / 1e9,
		figure_count(records, count), figure_count(lost, losses),
		figure_bytes(bytes_of_all(c->writer), bytes),
		c->reason		   ? ", ending"
		: c->facts.opts->overwrite ? ", a flight recorder"
					   : "");
	for (i = 0; i < c->facts.nr_guests; i++)
		if (!c->guests[i].gone)
			status_of_guest(f, &c->guests[i]);
	dom0_sums(c->dom0, &records, &lost);
	fprintf(f, "domain %u (this one): %s records, %s lost\n", c->facts.own_domid,
		figure_count(records, count), figure_count(lost, losses));
	status_of_taps(f, c);
	if (fclose(f))
		return NULL;
	return text;
}
