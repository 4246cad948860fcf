// SPDX-License-Identifier: GPL-2.0-only
/* A tap while guests come and go, also one in the place of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/tap-begin.h"
#include "many_guests.h"
#include "trace_content.h"

static struct capture *const c = &played.capture;

static int tap_fd = -1;
static bool tap_wants_other;
static unsigned int tap_streams;

static const struct tap *the_tap(void)
{
	return c->drain.taps.each[0];
}

static unsigned int place_of(unsigned int nr)
{
	const struct domain *domain = domains_find(&table, nr);

	return domain ? domain - table.entries : ~0u;
}

static void read_tap(void)
{
	static char bytes[65536];

	while (tap_fd >= 0 && recv(tap_fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/*
 * guest1 is tapped; another one of its name comes, and goes before it has answered; and
 * then one of another name gets its place.
 */
static void place_turn(void)
{
	static unsigned int step;
	int fds[2];

	skip_ms(100);
	read_tap();
	switch (c->started ? step : ~0u) {
	case 0:
		comes(1);
		step++;
		break;
	case 1:
		if (c->nr_connected != 1)
			break;
		step++;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
		    taps_ask(c, strdup("tap 1\ndomain guest1\n\n"), fds[0], 1))
			abort();
		tap_fd = fds[1];
		many.mute_from = 2;
		comes(2);
		node("guest1", "/local/domain/2/name");
		break;
	case 2:
		if (place_of(2) == ~0u || !guests[place_of(2)].attempt.channel)
			break;
		goes(2);
		step++;
		break;
	case 3:
		if (place_of(2) != ~0u)
			break;
		many.mute_from = ~0u;
		comes(9);
		step++;
		break;
	case 4:
		if (c->nr_connected != 2)
			break;
		tap_wants_other = the_tap()->wanted[place_of(9)];
		tap_streams = the_tap()->writer.nr_streams;
		many.ends = true;
		step = 0;
	}
}

static void test_place(void **state)
{
	(void)state;
	many.anew = true;
	many.nr_cpus = 1;
	many.output = "/dev/null";
	assert_int_equal(run(place_turn), 0);
	many.anew = false;
	many.nr_cpus = 0;
	close(tap_fd);
	tap_fd = -1;
	assert_false(tap_wants_other);
	/* This domain's, and guest1's. */
	assert_int_equal(tap_streams, 2);
}

#define TAPPED_ROW 300
#define STAYS	   2000

static FILE *tapped;
static unsigned int most_tapped;

static void keep_tap(void)
{
	static char bytes[65536];
	ssize_t n;

	while (tap_fd >= 0 && (n = recv(tap_fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (fwrite(bytes, 1, n, tapped) != (size_t)n)
			abort();
}

/* One stays, as a tap ends with its last guest. */
static void tapped_turn(void)
{
	static unsigned int step, nr, domid;
	const struct writer_stream *stream;
	unsigned int streams = 0;
	int fds[2];

	skip_ms(100);
	keep_tap();
	switch (c->started ? step : ~0u) {
	case 0:
		comes(STAYS);
		nr = 0;
		step++;
		break;
	case 1:
		if (c->nr_connected != 1)
			break;
		step++;
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) ||
		    taps_ask(c, strdup("tap 1\ndomain all\n\n"), fds[0], 1))
			abort();
		tap_fd = fds[1];
		break;
	case 2:
		if (nr == TAPPED_ROW) {
			many.ends = true;
			step = 0;
			break;
		}
		domid = 1 + nr % 100;
		comes(domid);
		step++;
		break;
	case 3:
		if (c->nr_connected != nr + 2)
			break;
		goes(domid);
		step++;
		break;
	case 4:
		if (domains_find(&table, domid) || the_tap()->nr_ending)
			break;
		for (stream = the_tap()->writer.streams; stream; stream = stream->next)
			streams++;
		if (streams > most_tapped)
			most_tapped = streams;
		nr++;
		step = 2;
	}
}

/* META says of each that it is no more, and END of those that are there. */
static void check_tapped(void)
{
	unsigned int nr_ended = 0;
	struct xblk_chunk chunk;
	const char *payload, *trace;
	char path[32], *bytes;
	bool ended = false;
	size_t len, at = 0;

	fflush(tapped);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(tapped));
	bytes = slurp(path, &len);
	/* What the capture says first ends in a line. */
	trace = strchr(bytes, '\n') + 1;
	len -= trace - bytes;
	while ((payload = trace_next(trace, len, &at, &chunk))) {
		char *text = strndup(payload, chunk.payload);

		nr_ended += chunk.type == XBLK_CHUNK_META && strstr(text, "\"ended\"");
		if (chunk.type == XBLK_CHUNK_END) {
			ended = true;
			assert_non_null(strstr(text, "\"domid\":2000"));
			assert_null(strstr(text, "\"domid\":1,"));
		}
		free(text);
	}
	assert_true(ended);
	assert_int_equal(nr_ended, TAPPED_ROW);
	free(bytes);
}

static void test_tapped_row(void **state)
{
	(void)state;
	many.nr_cpus = 1;
	many.output = "/dev/null";
	tapped = tmpfile();
	assert_int_equal(run(tapped_turn), 0);
	many.nr_cpus = 0;
	keep_tap();
	close(tap_fd);
	tap_fd = -1;
	assert_in_range(most_tapped, 2, 3);
	check_tapped();
	fclose(tapped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_place),
		TEST(test_tapped_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
