// SPDX-License-Identifier: GPL-2.0-only
/* More streams than 1,024 guests of 8 vCPUs have: XBLKPARSE judges the trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "many_guests.h"
#include "trace_content.h"

/* Fewer guests of more vCPUs, each of which costs many requests to XenStore. */
#define GUESTS 132
#define VCPUS  63

static struct capture *const c = &played.capture;

static char path[] = "/tmp/test_trace_many_streams.XXXXXX";

static void streams_turn(void)
{
	static unsigned int turns;

	skip_ms(100);
	turns = c->nr_connected == GUESTS ? turns + 1 : 0;
	many.ends = turns == 10;
}

/* How many streams a chunk tells of. */
static size_t accounts(const json_t *of)
{
	return json_array_size(json_object_get(of, "streams"));
}

/* Each once, before the end or in it. */
static void check_accounts(void)
{
	size_t len, at = 0, before_end = 0, nr_chunks = 0, in_end = 0;
	struct xblk_chunk chunk;
	const char *payload;
	char *bytes = slurp(path, &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		json_t *json = chunk.type == XBLK_CHUNK_META ||
					       chunk.type == XBLK_CHUNK_END
				       ? json_loadb(payload, chunk.payload, 0, NULL)
				       : NULL;

		if (chunk.type == XBLK_CHUNK_END)
			in_end = accounts(json);
		nr_chunks += !!json_object_get(json, "counters");
		before_end += accounts(json_object_get(json, "counters"));
		json_decref(json);
	}
	free(bytes);
	print_message("%zu streams' counters in %zu chunks before the end, %zu in it\n",
		      before_end, nr_chunks, in_end);
	assert_int_equal(before_end + in_end, GUESTS * VCPUS + 1);
}

static void test_streams(void **state)
{
	char command[512];
	unsigned int i;

	(void)state;
	close(mkstemp(path));
	many.output = path;
	many.nr_cpus = 1;
	many.nr_rings = VCPUS;
	many.ring_pages = 1;
	for (i = 1; i <= GUESTS; i++)
		comes(i);
	assert_int_equal(run(streams_turn), 0);
	check_accounts();
	snprintf(command, sizeof(command), "%s --verify %s", getenv("XBLKPARSE"), path);
	assert_int_equal(system(command), 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
