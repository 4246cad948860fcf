// SPDX-License-Identifier: GPL-2.0-only
/*
 * no-memory TRACE: reads it by xblk.h again and again, and each time another allocation
 * is the first to fail, until all succeed.  A handle without memory says so and can be
 * closed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xblk.h"

static unsigned long left = -1ul; /* so many more succeed */
static unsigned long requests;

static int fails(void)
{
	return !left || (left != -1ul && !--left);
}

#include "failing-malloc.h"

static void on_request(void *user, const struct xblk_request *r)
{
	(void)user;
	requests += r->bin == BIN_JOINED;
}

static void on_event(void *user, const struct xblk_event_record *e)
{
	(void)user;
	(void)e;
}

/* Return: what reading did; *@problems: whether anything was missed by that. */
static int read_trace(const char *name, bool feed, bool *problems)
{
	const struct xblk_options options = {.on_request = on_request,
					     .on_event = on_event};
	int fd = open(name, O_RDONLY | O_CLOEXEC), ret;
	static char buf[4096];
	struct xblk_trace t;
	struct xblk *x;
	ssize_t n;

	if (fd < 0)
		err(1, "%s", name);
	ret = xblk_open(&x, &options);
	while (feed && !ret && (n = read(fd, buf, sizeof(buf))) > 0)
		ret = xblk_feed(x, buf, n);
	if (!ret)
		ret = feed ? xblk_finish(x) : xblk_read(x, fd);
	if (ret == -ENOMEM && strcmp(xblk_strerror(x), "memory: none left"))
		errx(1, "an error without its text: %s", xblk_strerror(x));
	if (x)
		xblk_get_trace(x, &t);
	*problems = !x || t.problems;
	xblk_close(x);
	close(fd);
	return ret;
}

int main(int argc, char **argv)
{
	unsigned long told = 0;
	bool problems;

	if (argc != 2)
		return 2;
	for (int feed = 0; feed < 2; feed++) {
		unsigned long nr = 0;
		int ret;

		do {
			requests = 0;
			left = ++nr;
			ret = read_trace(argv[1], feed, &problems);
			left = -1ul;
			if (ret && ret != -ENOMEM)
				errx(1, "allocation %lu fails: %s", nr, strerror(-ret));
			told += ret == -ENOMEM;
		} while (ret || problems);
		printf("%s: %lu allocations, %lu requests\n", feed ? "fed" : "read", nr,
		       requests);
		if (!requests)
			errx(1, "nothing was read in the end");
	}
	printf("%lu times there was no memory, and it was said\n", told);
	return !told;
}
