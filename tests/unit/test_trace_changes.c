// SPDX-License-Identifier: GPL-2.0-only
/* The set of domains that have changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/changes.h"

static struct changes changes;

static void expect(int wanted)
{
	unsigned int domid;

	assert_int_equal(changes_take(&changes, &domid), wanted >= 0);
	if (wanted >= 0)
		assert_int_equal(domid, wanted);
}

static void test_set(void **state)
{
	(void)state;
	memset(&changes, 0, sizeof(changes));
	assert_false(changes_any(&changes));
	expect(-1);
	changes_add(&changes, 65535);
	changes_add(&changes, 3);
	changes_add(&changes, 0);
	changes_add(&changes, 64);
	changes_add(&changes, 3);
	assert_true(changes_any(&changes));
	expect(0);
	expect(3);
	expect(64);
	expect(65535);
	expect(-1);
	assert_false(changes_any(&changes));
}

/* One that changes again and again keeps no other from its turn. */
static void test_turns(void **state)
{
	(void)state;
	memset(&changes, 0, sizeof(changes));
	changes_add(&changes, 5);
	changes_add(&changes, 70);
	expect(5);
	changes_add(&changes, 5);
	expect(70);
	changes_add(&changes, 70);
	expect(5);
	expect(70);
	expect(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
