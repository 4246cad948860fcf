// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disks.h"
#include "domains.h"
#include "msg.h"
#include "number.h"
#include "store.h"
#include "xblk/control.h"
#include "xblk/guest.h"
#include "xenrelay-reader.h"

struct selection {
	struct xenrelay_reader *reader;
	const struct options *opts;
	struct backing_table *backing;
	struct domain_table *table;
	bool *used; /* of opts->disks */
	bool quiet; /* about what cannot be traced */
	const struct patience *patience;
};

void domain_read_names(struct xenrelay_reader *reader, struct domain *domain)
{
	char *s = store_read(reader, "/local/domain/%u/name", domain->domid);

	snprintf(domain->name, sizeof(domain->name), "%s", s ? s : "");
	free(s);
	s = store_read(reader, "/local/domain/%u/vm", domain->domid);
	if (s && !strncmp(s, "/vm/", 4))
		snprintf(domain->uuid, sizeof(domain->uuid), "%.36s", s + 4);
	free(s);
}

int domain_offers_channel(struct xenrelay_reader *reader, unsigned int domid)
{
	char **names;
	int i, nr = xenrelay_list(reader, domid, &names);
	bool found = false;

	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++)
		found |= !strcmp(names[i], XBLK_GUEST_CHANNEL);
	xenrelay_list_free(names, nr);
	return found;
}

static void say_no_disk(const struct domain *domain, bool asked_for)
{
	if (asked_for)
		msg_say("domain %u (%s): it has no disk that can be traced",
			domain->domid, domain->name);
	else if (domain->named)
		msg_say("domain %u (%s): it has no disk that -D names: see 'xl block-list "
			"%u'",
			domain->domid, domain->name, domain->domid);
}

/* Return: NULL if there is none. */
static struct domain *find_place(struct domain_table *table)
{
	unsigned int i;

	if (!table->nr_vacant)
		return table->nr < MAX_DOMAINS ? &table->entries[table->nr++] : NULL;
	for (i = 0; table->by_domid[table->entries[i].domid] == i + 1; i++)
		;
	table->nr_vacant--;
	return &table->entries[i];
}

/* Those that are too many. */
static void leave_out_disks(const struct domain *domain)
{
	unsigned int i, traced = 0;

	for (i = 0; i < domain->nr_disks; i++)
		if (!domain->disks[i].left_out && ++traced > MAX_GUEST_DISKS)
			domain->disks[i].left_out = true;
}

/* Return: 1, or 0 if there is no room for it (told). */
static int put(struct domain_table *table, const struct domain *domain)
{
	struct domain *place = find_place(table);

	if (!place) {
		if (!table->left_out)
			msg_say("domain %u (%s): left out: %d guests are traced, as "
				"many as can be at a time",
				domain->domid, domain->name, MAX_DOMAINS);
		table->left_out = true;
		free(domain->disks);
		return 0;
	}
	leave_out_disks(domain);
	disks_say_left_out(domain, 0);
	*place = *domain;
	table->by_domid[domain->domid] = place - table->entries + 1;
	return 1;
}

/* Return: 1 if added, 0 if it cannot be traced (told), -1 on an error. */
static int add_domain(struct selection *sel, unsigned int domid, bool named)
{
	struct domain domain = {.domid = domid, .named = named};
	struct domain *known = domains_find(sel->table, domid);
	int offers, asked_for;

	if (known) {
		known->named |= named;
		return 1;
	}
	domain_read_names(sel->reader, &domain);
	offers = domain_offers_channel(sel->reader, domid);
	if (offers <= 0) {
		if (offers && !sel->quiet)
			msg_say("%s", xenrelay_strerror(sel->reader));
		else if (!sel->quiet)
			msg_say("domain %u (%s): the tracer is not loaded in that guest: "
				"run 'modprobe xblk-guest' there",
				domid, domain.name);
		return 0;
	}
	asked_for = disks_find(sel->reader, &domain, sel->backing, sel->opts,
			       sel->quiet ? NULL : sel->used, sel->patience);
	if (asked_for < 0) {
		free(domain.disks);
		return -1;
	}
	if (!domain.nr_disks) {
		if (!sel->quiet)
			say_no_disk(&domain, asked_for || !sel->opts->nr_disks);
		return 0;
	}
	return put(sel->table, &domain);
}

static int list_domains(struct selection *sel, unsigned int **domids)
{
	int nr = xenrelay_list_domains(sel->reader, domids);

	return nr < 0 ? msg_error("%s", xenrelay_strerror(sel->reader)) : nr;
}

static int add_all(struct selection *sel)
{
	unsigned int *domids;
	int i, nr = list_domains(sel, &domids), ret = nr;

	for (i = 0; ret >= 0 && i < nr; i++)
		ret = add_domain(sel, domids[i], false);
	free(domids);
	return ret < 0 ? -1 : 0;
}

static bool has_name(struct selection *sel, unsigned int domid, const char *wanted)
{
	char *name = store_read(sel->reader, "/local/domain/%u/name", domid);
	bool same = name && !strcmp(name, wanted);

	free(name);
	return same;
}

/* A number is a domid, anything else a name.  Return: -1 if there is none. */
static int find_domain(struct selection *sel, const char *arg)
{
	unsigned int own = xenrelay_own_domid(sel->reader), number, *domids;
	bool by_number = !number_uint(arg, 0, UINT16_MAX, &number);
	int i, nr, found = -1;

	if (by_number && xenrelay_domain_exists(sel->reader, number))
		return number;
	if (by_number ? number == own : has_name(sel, own, arg))
		return own;
	/* Domain 0 would have seen it, unless it is dying. */
	if (by_number && !own)
		return -1;
	nr = list_domains(sel, &domids);
	for (i = 0; found < 0 && i < nr; i++)
		if (by_number ? domids[i] == number : has_name(sel, domids[i], arg))
			found = domids[i];
	free(domids);
	return found;
}

/* Return: 0 if the user will wait for it, else -1. */
static int say_unknown(struct selection *sel, const char *arg)
{
	unsigned int own = xenrelay_own_domid(sel->reader);

	if (sel->opts->follow) {
		msg_say("domain %s: it is not there yet%s: waiting for it", arg,
			own ? ", or this domain has not been let in" : "");
		return 0;
	}
	if (!own)
		return msg_error("domain %s: there is no such domain: see 'xl list'",
				 arg);
	return msg_error("domain %s: this domain knows of no such domain: let it in with "
			 "'xblk-allow %s %u' in domain 0",
			 arg, arg, own);
}

static int add_named(struct selection *sel, const char *arg)
{
	int domid = find_domain(sel, arg);
	int ret;

	if (domid < 0)
		return say_unknown(sel, arg);
	if (domid == (int)xenrelay_own_domid(sel->reader))
		return msg_error(
			"domain %s: this is the domain that serves the disks; name "
			"one of its guests",
			arg);
	ret = add_domain(sel, domid, true);
	return ret > 0 || (!ret && sel->opts->follow) ? 0 : -1;
}

static int select_all(struct selection *sel)
{
	const struct domain_table *table = sel->table;
	const struct options *opts = sel->opts;
	unsigned int i;

	for (i = 0; i < opts->nr_domains; i++)
		if (strcmp(opts->domains[i], "all") ? add_named(sel, opts->domains[i])
						    : add_all(sel))
			return -1;
	for (i = 0; i < opts->nr_disks && !opts->follow; i++)
		if (!sel->used[i])
			return msg_error(
				"-D %s: no such disk: see 'xl block-list DOMAIN'",
				opts->disks[i]);
	if (table->nr || opts->follow)
		return 0;
	return msg_error("there is no guest to trace");
}

int domains_select(struct xenrelay_reader *reader, const struct options *opts,
		   struct backing_table *backing, struct domain_table *table)
{
	struct selection sel = {
		.reader = reader,
		.opts = opts,
		.backing = backing,
		.table = table,
		.used = calloc(opts->nr_disks + 1, sizeof(bool)),
	};
	int ret;

	table->entries = calloc(MAX_DOMAINS, sizeof(*table->entries));
	ret = sel.used && table->entries ? select_all(&sel) : msg_error("out of memory");
	free(sel.used);
	return ret;
}

static bool is_asked_for(struct selection *sel, unsigned int domid)
{
	bool found = false;
	unsigned int i, number;

	for (i = 0; !found && i < sel->opts->nr_domains; i++) {
		const char *arg = sel->opts->domains[i];

		if (!strcmp(arg, "all"))
			found = true;
		else if (!number_uint(arg, 0, UINT16_MAX, &number))
			found = number == domid;
		else
			found = has_name(sel, domid, arg);
	}
	return found;
}

int domains_add(struct xenrelay_reader *reader, const struct options *opts,
		struct backing_table *backing, struct domain_table *table,
		unsigned int domid, const struct patience *patience)
{
	struct selection sel = {
		.reader = reader,
		.opts = opts,
		.backing = backing,
		.table = table,
		.quiet = true,
		.patience = patience,
	};

	return is_asked_for(&sel, domid) ? add_domain(&sel, domid, false) : 0;
}

void domains_remove(struct domain_table *table, struct domain *domain)
{
	table->by_domid[domain->domid] = 0;
	table->nr_vacant++;
	free(domain->disks);
	*domain = (struct domain){0};
}

void domains_free(struct domain_table *table)
{
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		free(table->entries[i].disks);
	free(table->entries);
	table->entries = NULL;
	table->nr = 0;
}
