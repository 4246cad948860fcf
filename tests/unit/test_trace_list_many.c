// SPDX-License-Identifier: GPL-2.0-only
/* What it costs to list many guests: calls of XenStore in proportion to them. */
#include "played_list.h"

/* Return: the calls that it took. */
static unsigned int cost(unsigned int nr_guests)
{
	unsigned int i, before;

	for (i = 1; i <= nr_guests; i++) {
		char name[16];

		snprintf(name, sizeof(name), "guest%u", i);
		add_guest(i, name, "1");
		add_disk(0, "vbd", i, 51712, "xvda", "8:1");
		add_disk(0, "vbd", i, 51728, "xvdb", "fd:1");
	}
	before = fake.calls;
	assert_int_equal(list_read(&list, reader), 0);
	assert_int_equal(list.nr, nr_guests);
	for (i = 0; i < nr_guests; i++) {
		assert_int_equal(list.guests[i].domain.domid, i + 1);
		assert_int_equal(list.guests[i].nr_disks, 2);
		assert_true(list.guests[i].disks[1].seen.guest);
	}
	list_free(&list);
	return fake.calls - before;
}

static void test_proportion(void **state)
{
	unsigned int one, two, many;

	(void)state;
	one = cost(1);
	two = cost(2);
	many = cost(400);
	print_message("a guest with two disks: %u calls, 400: %u\n", two - one, many);
	assert_in_range(two - one, 10, 30);
	assert_int_equal(many, one + 399 * (two - one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_proportion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
