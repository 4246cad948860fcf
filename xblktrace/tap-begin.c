// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "describe.h"
#include "msg.h"
#include "state.h"
#include "tap-admit.h"
#include "tap-begin.h"
#include "tap-describe.h"
#include "tap-request.h"

/* Held.  Return: 0 or -ENOMEM. */
static int add_streams(struct capture *c, struct tap *tap)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < c->dom0->nr_cpus; i++)
		err = tap_add_stream(tap, &c->dom0->cpus[i].stream);
	for (i = 0; !err && i < c->facts.nr_guests; i++)
		if (tap->wanted[i])
			err = tap_add_guest(tap, &c->guests[i], i);
	return err;
}

/* Held.  The names come from the threads' own records otherwise. */
static void tell_names(struct capture *c, struct tap *tap)
{
	unsigned int i;

	tap_tell_names(tap, &c->dom0->cpus[0].stream, &c->dom0->names);
	for (i = 0; i < c->facts.nr_guests; i++) {
		const struct guest *guest = &c->guests[i];

		if (tap->wanted[i] && guest->channel && guest->rings)
			tap_tell_names(tap, &guest->rings[0].stream, &guest->names);
	}
}

static int say_ok(const struct capture *c, const struct tap *tap)
{
	struct stat st;
	char text[64];
	int n;

	if (fstat(c->writer->out.fd, &st))
		return -errno;
	n = snprintf(text, sizeof(text), TAP_OK, (unsigned long long)st.st_dev,
		     (unsigned long long)st.st_ino);
	return send(tap->fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/*
 * Held.  Whatever is written from now on will be read, so the tap begins here.  To its
 * reader it begins a little later: by a clock that is a little behind, the half of a
 * request that was in this domain may have been before.
 *
 * @wall: at Xen's time @xen.  Return: 0 or negative errno.
 */
static int begin_held(struct capture *c, struct tap *tap, uint64_t wall, uint64_t xen)
{
	uint64_t begin;
	int err;

	if (dom0_now(c->dom0, &tap->from))
		return -EIO;
	begin = tap->from + XBLK_CLOCK_BOUND;
	err = add_streams(c, tap);
	if (!err)
		err = say_ok(c, tap);
	if (!err)
		err = writer_header(&tap->writer, wall + (begin - xen), begin);
	if (err)
		return err;
	tap_put_meta(c, tap);
	tell_names(c, tap);
	*tap_free_place(c) = tap;
	return 0;
}

/* Return: 0 or negative errno. */
static int begin(struct capture *c, struct tap *tap)
{
	const struct capture_facts facts =
		tap_facts(c, tap, tap_free_place(c) - c->drain.taps.each);
	uint64_t wall, xen;
	int err;

	if (describe_now(c, &wall, &xen))
		return -EIO;
	tap->began = monotonic_ns();
	tap->own_domid = c->facts.own_domid;
	if (tap->opts.duration_ns)
		tap->end_at = tap->began + tap->opts.duration_ns;
	meta_forget(&facts);
	tap_make_meta(c, tap, &facts);
	drain_hold(&c->drain);
	err = begin_held(c, tap, wall, xen);
	drain_release(&c->drain);
	return err;
}

/* Return: NULL, or why there is none. */
static const char *make_tap(char *request, int fd, struct tap **tap)
{
	struct options opts;
	const char *wrong = tap_request_read(request, &opts);

	if (wrong) {
		tap_request_free(&opts);
		return tap_refuse(
			"the request makes no sense: %s: install the same version "
			"of xblktrace, or end the one that runs, process %d",
			wrong, (int)getpid());
	}
	*tap = tap_new(fd, request, &opts);
	if (*tap)
		return NULL;
	tap_request_free(&opts);
	return tap_refuse("the xblktrace that runs, process %d, has no memory for it",
			  (int)getpid());
}

const char *taps_ask(void *arg, char *request, int fd, pid_t pid)
{
	struct capture *c = arg;
	const char *wrong = tap_refuse_any(c);
	struct tap *tap = NULL;
	int err;

	if (!wrong)
		wrong = make_tap(request, fd, &tap);
	if (!tap)
		return wrong;
	tap->pid = pid;
	tap->opts.ops = c->facts.opts->ops;
	wrong = tap_refuse_one(c, tap);
	if (!wrong) {
		err = begin(c, tap);
		if (err)
			wrong = tap_refuse("it cannot begin: %s", strerror(-err));
	}
	if (!wrong) {
		msg_verbose("process %d taps the capture", (int)pid);
		return NULL;
	}
	/* These are the caller's again. */
	tap->fd = -1;
	tap->request = NULL;
	tap_free(tap);
	return wrong;
}
