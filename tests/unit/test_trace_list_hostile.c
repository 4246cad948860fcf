// SPDX-License-Identifier: GPL-2.0-only
/* The list where what is in XenStore was written by those who mean harm. */
#include "played_list.h"

#include <jansson.h>

#include "said.h"

static struct said said;

/* Both outputs.  Return: the table. */
static const char *print(json_t **json)
{
	static struct said as_json;

	assert_int_equal(list_read(&list, reader), 0);
	said_begin(&as_json, 1);
	assert_int_equal(list_print_json(&list), 0);
	said_end(&as_json);
	*json = json_loads(as_json.text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(*json);
	said_begin(&said, 1);
	assert_int_equal(list_print_table(&list), 0);
	return said_end(&said);
}

/* Nothing that a terminal obeys, and no line more than there are rows. */
static void expect_harmless(const char *text, unsigned int lines)
{
	const char *p;

	for (p = text; *p; p++) {
		if (*p == '\n')
			lines--;
		else if (*p < 0x20 || *p >= 0x7f)
			fail_msg("a byte %02x is in:\n%s", *p & 0xff, text);
	}
	assert_int_equal(lines, 0);
}

static void test_bytes(void **state)
{
	static const char bad[] = "a\033]0;x\007\n\r\t\x9b\xc3\x28\x7f%s%n";
	static const char *const nodes[] = {"dev", "params", "mode", "state",
					    "physical-device"};
	json_t *json;
	size_t i;

	(void)state;
	add_guest(3, bad, bad);
	add_disk(0, "vbd", 3, 51712, "xvda", "7:1");
	add_disk(0, "vbd", 3, 51728, "xvdb", "7:1");
	add_disk(0, "qdisk", 3, 51744, bad, NULL);
	for (i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		node(bad, "/local/domain/0/backend/vbd/3/51728/%s", nodes[i]);
	node(bad, "/local/domain/3/vm");
	node(bad, "/local/domain/3/device/vbd/51712/state");
	node("7", "/local/domain/3/device/vbd/51760/backend-id");
	node(bad, "/local/domain/7/backend/vbd/3/51760/dev");
	node("", "/local/domain/3/device/vbd/51760");
	loop_file = bad;
	expect_harmless(print(&json), 2 + 4);
	assert_non_null(strstr(said.text, "a?]0;x"));
	json_decref(json);
	loop_file = "/srv/web.img";
}

static void test_long(void **state)
{
	static char longest[4096];
	json_t *json;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	add_guest(3, longest, longest);
	node(longest, "/local/domain/3/vm");
	add_disk(0, "vbd", 3, 51712, longest, longest);
	node(longest, "/local/domain/0/backend/vbd/3/51712/params");
	node(longest, "/local/domain/0/backend/vbd/3/51712/state");
	node(longest, "/local/domain/3/device/vbd/51712/state");
	expect_harmless(print(&json), 2 + 1);
	assert_in_range(strlen(said.text), 400, 1600);
	json_decref(json);
}

/* Numbers that are none, or too large, and what the guest says of disks that are known. */
static void test_numbers(void **state)
{
	static const char *const ids[] = {"-1", "99999999999", "51712/../..", "0x10", ""};
	json_t *json;
	size_t i;

	(void)state;
	add_guest(3, "web", "4294967295");
	add_disk(0, "vbd", 3, 51712, "xvda", "ffffffff:ffffffff");
	node("99", "/local/domain/0/backend/vbd/3/51712/state");
	node("9", "/local/domain/3/device/vbd/51712/backend-id");
	for (i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		node("9", "/local/domain/3/device/vbd/%s", ids[i]);
		node("9", "/local/domain/3/device/vbd/%s/backend-id", ids[i]);
	}
	node("", "/local/domain/3/device/vbd/5");
	node("4294967296", "/local/domain/3/device/vbd/5/backend-id");
	node("", "/local/domain/3/device/vbd/6");
	node("4294967295", "/local/domain/3/device/vbd/6/backend-id");
	expect_harmless(print(&json), 2 + 2);
	assert_non_null(strstr(said.text, "protocol 4294967295"));
	assert_non_null(strstr(said.text, "nothing: served by domain 4294967295"));
	/* A disk that is served here is, whatever the guest says. */
	assert_null(strstr(said.text, "domain 9"));
	json_decref(json);
}

/* A guest may have any number of nodes; of them a bounded number is looked at. */
static void test_very_many(void **state)
{
	unsigned int i, few, before = fake.calls;

	(void)state;
	add_guest(3, "web", "1");
	for (i = 0; i < 64; i++) {
		node("", "/local/domain/3/device/vbd/%u", i);
		node("9", "/local/domain/3/device/vbd/%u/backend-id", i);
	}
	assert_int_equal(list_read(&list, reader), 0);
	assert_int_equal(list.guests[0].nr_disks, 64);
	list_free(&list);
	few = fake.calls - before;
	for (; i < 1500; i++) {
		node("", "/local/domain/3/device/vbd/%u", i);
		node("9", "/local/domain/3/device/vbd/%u/backend-id", i);
		node("", "/local/domain/3/data/xenrelay/c%u", i);
	}
	before = fake.calls;
	assert_int_equal(list_read(&list, reader), 0);
	assert_int_equal(fake.calls - before, few);
	assert_int_equal(list.guests[0].nr_disks, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bytes),
		TEST(test_long),
		TEST(test_numbers),
		TEST(test_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
