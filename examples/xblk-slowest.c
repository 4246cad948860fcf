// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * xblk-slowest [FILE]: the slowest request of a trace of xblktrace's, and where its time
 * went.  Without FILE the trace comes from standard input, as from "xblktrace -o -".
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "xblk.h"

struct slowest {
	struct xblk_request request;
	char guest[80], disk[80], process[32]; /* strings do not outlive the callback */
	uint64_t measured, others;
};

static void on_request(void *user, const struct xblk_request *r)
{
	struct slowest *s = user;

	if (r->bin != BIN_JOINED) {
		s->others++;
		return;
	}
	if (s->measured++ && r->stages[STAGE_Q2C] <= s->request.stages[STAGE_Q2C])
		return;
	s->request = *r;
	snprintf(s->guest, sizeof(s->guest), "%s", r->guest);
	snprintf(s->disk, sizeof(s->disk), "%s", r->label);
	snprintf(s->process, sizeof(s->process), "%s", r->process);
}

static void on_message(void *user, const char *text)
{
	(void)user;
	warnx("%s", text);
}

static void print(const struct slowest *s, uint64_t start_ns)
{
	const struct xblk_request *r = &s->request;

	printf("%s (%u) %s: %" PRIu32 " sectors at %" PRIu64 ", by %s %" PRIu32
	       ", queued %.9f s after the trace began\n",
	       s->guest, r->domid, s->disk, r->nr_sectors, r->sector, s->process, r->pid,
	       (double)(r->q_ns - start_ns) / 1e9);
	for (int i = 0; i < STAGE_MAX; i++)
		printf("  %-6s %12.3f us\n", stage_names[i], r->stages[i] / 1e3);
}

int main(int argc, char **argv)
{
	struct slowest s = {0};
	const struct xblk_options options = {
		.user = &s,
		.on_request = on_request,
		.on_message = on_message,
	};
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	struct xblk *x;

	if (fd < 0)
		err(1, "%s", argv[1]);
	if (xblk_open(&x, &options))
		errx(1, "%s", xblk_strerror(NULL));
	if (xblk_read(x, fd))
		errx(1, "%s", xblk_strerror(x));
	if (s.measured)
		print(&s, xblk_start_ns(x));
	printf("the slowest of %" PRIu64 " requests; of %" PRIu64
	       " more the stages are not known\n",
	       s.measured, s.others);
	xblk_close(x);
	return 0;
}
