// SPDX-License-Identifier: GPL-2.0-only
/* Which file a capture is at, as told to who asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/progress.h"
#include "busy_day.h"

static void test_status(void **state)
{
	struct options opts = {0};
	struct domain domain = {.name = "g\033[31m\nprocess 1"};
	struct guest one = {.domain = &domain};
	struct dom0_cpu cpu = {.fd = -1};
	struct dom0 dom0 = {.cpus = &cpu, .nr_cpus = 1};
	struct writer writer;
	struct capture c = {
		.facts = {.opts = &opts, .dom0 = &dom0, .guests = &one, .nr_guests = 1},
		.dom0 = &dom0,
		.guests = &one,
		.writer = &writer,
	};
	char *text;

	(void)state;
	assert_int_equal(writer_open(&writer, day_path), 0);
	assert_int_equal(writer_rotate(&writer, 100000000, 3), 0);
	writer.nr_ended = 4;
	writer.bytes_ended = 410000000;
	text = progress_status(&c, 1000000000, day_path);
	assert_non_null(strstr(text, ", file 5, 0.0 kB of 100.0 MB\n"));
	assert_non_null(strstr(text, "lost, 410.0 MB"));
	assert_non_null(strstr(text, "domain 0 (g?[31m?process 1): not connected"));
	free(text);
	assert_int_equal(writer_close(&writer), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROTATION(test_status),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
