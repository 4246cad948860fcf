// SPDX-License-Identifier: GPL-2.0-only
/* xblktrace: trace the block I/O of Xen guests from the domain that serves it. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"
#include "capture.h"
#include "host.h"
#include "msg.h"
#include "options.h"
#include "signals.h"

/* Everything that a run holds; main() sets what nothing is where it is not zero. */
struct run {
	struct options opts;
	int lock;
	struct xenrelay_reader *reader;
	struct dom0 dom0;
	struct backing_table backing;
	struct domain *domains;
	unsigned int nr_domains;
	struct guest *guests;
	struct writer writer;
};

static int open_output(struct run *run)
{
	int err = writer_open(&run->writer, run->opts.output);

	if (err == -ENOTTY)
		return msg_error("-o -: a trace is not for a terminal: redirect standard "
				 "output");
	if (!err && run->opts.compress_level)
		err = writer_compress(&run->writer, run->opts.compress_level);
	return err ? msg_error("%s: %s", run->writer.out.path, strerror(-err)) : 0;
}

static int prepare(struct run *run)
{
	unsigned int i;
	int err;

	if (host_check())
		return -1;
	/* libxenstore's thread inherits the mask: signals are this thread's. */
	signals_block();
	err = host_open_reader(&run->reader);
	signals_unblock();
	if (err)
		return -1;
	if (host_lock(&run->lock) || dom0_open(&run->dom0) ||
	    domains_select(run->reader, &run->opts, &run->backing, &run->domains,
			   &run->nr_domains))
		return -1;
	run->guests = calloc(MAX_DOMAINS, sizeof(*run->guests));
	if (!run->guests)
		return msg_error("out of memory");
	for (i = 0; i < MAX_DOMAINS; i++)
		run->guests[i].domain = &run->domains[i];
	return open_output(run);
}

static int capture(struct run *run)
{
	struct capture c = {
		.facts =
			{
				.opts = &run->opts,
				.own_domid = xenrelay_own_domid(run->reader),
				.backing = &run->backing,
				.dom0 = &run->dom0,
				.domains = run->domains,
				.guests = run->guests,
				.nr_guests = run->nr_domains,
			},
		.reader = run->reader,
		.dom0 = &run->dom0,
		.backing = &run->backing,
		.domains = run->domains,
		.guests = run->guests,
		.writer = &run->writer,
		.max_kib = run->opts.max_memory / 1024,
	};
	int ret;

	if (!c.max_kib)
		c.max_kib = budget_of_host(c.facts.own_domid);
	ret = capture_run(&c);

	run->nr_domains = c.facts.nr_guests;
	return ret;
}

static int clean_up(struct run *run)
{
	unsigned int i;
	int err, failed_before = run->writer.error;

	err = writer_close(&run->writer);
	if (err && !failed_before)
		msg_error("%s: %s", run->writer.out.path, strerror(-err));
	for (i = 0; i < run->nr_domains; i++)
		free(run->guests ? run->guests[i].rings : NULL);
	free(run->guests);
	domains_free(run->domains, run->nr_domains);
	backing_free(&run->backing);
	dom0_close(&run->dom0);
	xenrelay_reader_close(run->reader);
	host_unlock(run->lock);
	options_free(&run->opts);
	return err;
}

int main(int argc, char **argv)
{
	struct run run = {
		.lock = -1,
		.dom0 = {.control = -1, .stats = -1, .now = -1},
		.writer = {.out = {.fd = -1}},
	};
	int status;

	/* Which characters messages can have; numbers are the same everywhere. */
	setlocale(LC_CTYPE, "");
	status = options_parse(&run.opts, argc, argv);
	if (status < 0) {
		msg_set_verbose(run.opts.verbose);
		status = prepare(&run) || capture(&run) ? 1 : 0;
	}
	if (clean_up(&run))
		status = 1;
	return status;
}
