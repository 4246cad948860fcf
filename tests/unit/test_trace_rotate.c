// SPDX-License-Identifier: GPL-2.0-only
/*
 * Of a capture that goes on in file after file each is a good trace to xblkparse, which
 * also knows the names of processes in it, and together they have every record once, by a
 * reading of their bytes that knows nothing of the writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "busy_day.h"
#include "trace_content.h"

static uint8_t found[MAX_REQUESTS];
static uint64_t lost_found[2];

/* Where a file ends and begins a request is seen in part, which has a name: nothing is
 * missing but what was lost.  And the process is known.  Return: requests joined. */
static unsigned int check_requests(unsigned int nr, bool lossy)
{
	unsigned int joined = 0, all = 0;
	char line[2048];
	FILE *f;

	snprintf(line, sizeof(line), "%s --requests --csv %s 2>/dev/null",
		 getenv("XBLKPARSE"), name_of(nr));
	f = popen(line, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!all++)
			continue; /* the head */
		joined += !!strstr(line, ",joined,");
		if (!strstr(line, ",joined,") && !strstr(line, ",before_trace,") &&
		    !strstr(line, ",in_flight,") && (!lossy || !strstr(line, ",lost,")))
			fail_msg("file %u: %s", nr, line);
		if (strstr(line, ",joined,") && !strstr(line, ",worker,"))
			fail_msg("file %u: no name: %s", nr, line);
	}
	assert_int_equal(pclose(f), 0);
	assert_true(joined > 100);
	return joined;
}

static void take_record(unsigned int domid, const struct xblk_record *r)
{
	unsigned int nr = r->sector / 8, side = domid == 3 ? GUEST : DOM0;
	unsigned int step = r->event == XBLK_EV_QUEUE	? Q
			    : r->event == XBLK_EV_ISSUE ? D
							: C;

	if (r->event == XBLK_EV_LOST)
		lost_found[side] += r->lost.count;
	if (r->event == XBLK_EV_PROCESS || r->event == XBLK_EV_LOST)
		return;
	assert_in_range(nr, 0, day.nr_requests - 1);
	assert_false(found[nr] & 1 << (3 * side + step));
	found[nr] |= 1 << (3 * side + step);
}

static void read_bytes(unsigned int nr)
{
	struct xblk_chunk chunk = {0};
	const char *payload;
	size_t len, at = 0, i;
	char *bytes = slurp(name_of(nr), &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		struct xblk_record rec;

		for (i = 0; chunk.type == XBLK_CHUNK_DATA && i < chunk.payload; i += 32) {
			memcpy(&rec, payload + i, sizeof(rec));
			take_record(chunk.domid, &rec);
		}
	}
	assert_int_equal(chunk.type, XBLK_CHUNK_END);
	assert_in_range(len, 1000, 3 * MAX_SIZE); /* one has more in one look */
	free(bytes);
}

static void a_day(unsigned int level)
{
	unsigned int nr, joined = 0;
	char summary[64];

	memset(found, 0, sizeof(found));
	memset(lost_found, 0, sizeof(lost_found));
	assert_int_equal(capture_day(NR_FILES, level), 0);
	nr = count_files();
	/* All of it, and two files beside the others. */
	assert_in_range(nr, level ? 2 : 5, NR_FILES - 1);
	snprintf(summary, sizeof(summary), " in %u files (interrupted)", nr);
	played_check_said(&played, summary);
	while (nr--) {
		verify_file(nr);
		joined += check_requests(nr, true);
		if (!level)
			read_bytes(nr);
	}
	assert_in_range(joined, LOOKS * A_LOOK * 9 / 10, day.nr_requests);
	if (level)
		return;
	assert_memory_equal(found, day.wanted, day.nr_requests);
	assert_int_equal(lost_found[DOM0], 5);
	assert_true(lost_found[GUEST] > 100);
	assert_true(lost_found[GUEST] == guest_lost(&guest));
	/* What its ring can do, and what to do about it. */
	played_check_said(&played, "domain 3 (guest): 1 rings of 400 KiB, which hold ");
	played_check_said(&played, " records a second each, as they were read every ");
	played_check_said(&played, " s at the longest: -b and -n make them larger");
}

static void test_a_day(void **state)
{
	(void)state;
	a_day(0);
}

static void test_compressed(void **state)
{
	(void)state;
	day.nr_looks = 2 * LOOKS;
	a_day(WRITER_LEVEL);
}

/* Only so many are there. */
static void test_two_files(void **state)
{
	(void)state;
	assert_int_equal(capture_day(2, 0), 0);
	played_check_said(&played, " files, of which the last 2 are there (interrupted)");
	assert_int_equal(count_files(), 2);
	verify_file(0);
	verify_file(1);
}

/* A quarter of a file has room for 8192. */
static void test_many_names(void **state)
{
	unsigned int nr = 2;

	(void)state;
	day.nr_names = NAMES_MAX;
	day.nr_looks = LOOKS / 2;
	assert_int_equal(capture_day(nr, 0), 0);
	played_check_said(&played,
			  "a file of --max-size has no room for the names of all "
			  "processes: of some, later files have only the number");
	while (nr--)
		verify_file(nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROTATION(test_a_day),
		ROTATION(test_compressed),
		ROTATION(test_two_files),
		ROTATION(test_many_names),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
