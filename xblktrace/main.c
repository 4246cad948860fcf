// SPDX-License-Identifier: GPL-2.0-only
/* xblktrace: trace the block I/O of Xen guests from the domain that serves it. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "budget.h"
#include "capture.h"
#include "host.h"
#include "leavings.h"
#include "list.h"
#include "msg.h"
#include "options.h"
#include "service.h"
#include "tap-ask.h"

#define PATIENCE_MS 1000

/* Everything that a run holds; main() sets what nothing is where it is not zero. */
struct run {
	struct options opts;
	int lock;
	struct xenrelay_reader *reader;
	struct dom0 dom0;
	struct backing_table backing;
	struct domain_table domains;
	struct guest *guests;
	struct writer writer;
	struct service service;
};

static int open_output(struct run *run)
{
	int err = writer_open(&run->writer, run->opts.output);

	if (err == -ENOTTY)
		return msg_error("-o -: a trace is not for a terminal: redirect standard "
				 "output");
	if (!err && run->opts.max_size &&
	    writer_rotate(&run->writer, run->opts.max_size, run->opts.nr_files))
		return msg_error("%s: --max-size is not for a pipe, a device, standard "
				 "output or what is reached through a link: name a file",
				 run->writer.out.path);
	if (!err && run->opts.compress_level)
		err = writer_compress(&run->writer, run->opts.compress_level, 0);
	return err ? msg_error("%s: %s", run->writer.out.path, strerror(-err)) : 0;
}

static int prepare(struct run *run)
{
	unsigned int i;

	if (host_open_reader(&run->reader))
		return -1;
	/* Only one can open that, so that what answers is the capture that there is. */
	if (dom0_open(&run->dom0))
		return -1;
	service_open(&run->service, SERVICE_PATH);
	if (domains_select(run->reader, &run->opts, &run->backing, &run->domains))
		return -1;
	run->guests = calloc(MAX_DOMAINS, sizeof(*run->guests));
	if (!run->guests)
		return msg_error("out of memory");
	for (i = 0; i < MAX_DOMAINS; i++)
		run->guests[i].domain = &run->domains.entries[i];
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
				.domains = run->domains.entries,
				.guests = run->guests,
				.nr_guests = run->domains.nr,
			},
		.reader = run->reader,
		.dom0 = &run->dom0,
		.backing = &run->backing,
		.domains = &run->domains,
		.guests = run->guests,
		.writer = &run->writer,
		.service = &run->service,
		.store_ms = HOST_STORE_MS,
	};
	uint64_t wanted = run->opts.max_memory / 1024;

	c.max_kib = budget_of_host(wanted, c.facts.own_domid);
	if (c.max_kib < wanted)
		msg_say("--max-memory: no more than %" PRIu64 " KiB, half of what this "
			"domain can map: the disks of guests need the rest",
			c.max_kib);
	return capture_run(&c);
}

static int clean_up(struct run *run)
{
	unsigned int i;
	int err, failed_before = writer_error(&run->writer);
	sigset_t before;

	/* What is left is removed one by one now. */
	leavings_hold(&before);
	err = writer_close(&run->writer);
	if (err && !failed_before)
		msg_error("%s: %s", run->writer.out.path,
			  err == -EINTR ? "takes nothing: given up" : strerror(-err));
	for (i = 0; run->guests && i < run->domains.nr; i++)
		guest_free(&run->guests[i]);
	free(run->guests);
	domains_free(&run->domains);
	backing_free(&run->backing);
	dom0_close(&run->dom0);
	xenrelay_reader_close(run->reader);
	service_close(&run->service);
	host_unlock(run->lock);
	options_free(&run->opts);
	return err;
}

/* Needs neither module, and does not meet a capture that runs. */
static int show_list(struct run *run)
{
	struct list list = {0};
	int ret;

	if (host_check_xen() || host_open_reader(&run->reader))
		return -1;
	ret = list_read(&list, run->reader);
	if (!ret)
		ret = run->opts.list_json ? list_print_json(&list)
					  : list_print_table(&list);
	list_free(&list);
	return ret;
}

static int do_run(struct run *run)
{
	if (run->opts.list)
		return show_list(run);
	if (run->opts.status)
		return service_show_status(SERVICE_PATH);
	if (run->opts.end)
		return service_end_capture(SERVICE_PATH);
	/* A terminal that is stopped, by Ctrl-S, does not stop a capture. */
	msg_set_patience(PATIENCE_MS);
	if (host_check())
		return -1;
	if (host_lock(LOCK_PATH, &run->lock))
		return tap_ask(SERVICE_PATH, &run->opts);
	return prepare(run) || capture(run) ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct run run = {
		.lock = -1,
		.dom0 = {.control = -1, .stats = -1, .now = -1},
		.writer = {.out = {.fd = -1}},
		.service = {.fd = -1},
	};
	int status;

	/* Which characters messages can have; numbers are the same everywhere. */
	setlocale(LC_CTYPE, "");
	status = options_parse(&run.opts, argc, argv);
	if (status < 0) {
		msg_set_verbose(run.opts.verbose);
		status = do_run(&run) ? 1 : 0;
	}
	if (clean_up(&run))
		status = 1;
	return status;
}
