// SPDX-License-Identifier: GPL-2.0-only
/* A reader that sleeps on its descriptor is told of XenStore's nodes that are written. */
#include <errno.h>

#include "waking.h"

static void expect_node(const char *node)
{
	char path[XENRELAY_NODE_SIZE];

	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path)), 1);
	assert_string_equal(path, node);
}

static void expect_no_node(void)
{
	char path[XENRELAY_NODE_SIZE];

	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path)), 0);
}

static void test_nodes(void **state)
{
	char path[XENRELAY_NODE_SIZE];

	(void)state;
	expect_no_node();
	assert_int_equal(xenrelay_watch_nodes(reader, "", 2), -EINVAL);
	assert_int_equal(xenrelay_watch_nodes(NULL, "/x", 2), -EINVAL);
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend/vbd", 2), 0);
	assert_int_equal(xenrelay_next_node(NULL, path, sizeof(path)), -EINVAL);
	assert_int_equal(xenrelay_next_node(reader, NULL, sizeof(path)), -EINVAL);
	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path) - 1), -EINVAL);
	/* A new watch fires at once. */
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd");
	expect_no_node();
	quiet();
	fake_write("/backend/vbd/3/51712/state", "4");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3/51712");
	expect_no_node();
	fake_write("/elsewhere", "");
	assert_false(happens(XENRELAY_CHANGED_NODES, 100));

	/* Each once, in order, and no deeper than was asked for. */
	fake_write("/backend/vbd/3/51712/state", "5");
	fake_write("/backend/vbd/4", "");
	fake_write("/backend/vbd/3/51712/params/a/b", "x");
	fake_write("/backend/vbd/3/51728", "");
	fake_write("/backend/vbd/4", "x");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3/51712");
	expect_node("/backend/vbd/4");
	expect_node("/backend/vbd/3/51728");
	expect_no_node();

	/* The same path as the beginning of another's name is not it. */
	fake_write("/backend/vbd/3/5", "");
	fake_write("/backend/vbd/3/51", "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3/5");
	expect_node("/backend/vbd/3/51");
	expect_no_node();
}

/* Names that do not fit are told by what is above them. */
static void test_long_nodes(void **state)
{
	char path[300] = "/backend/vbd/3/";

	(void)state;
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend/vbd", 3), 0);
	quiet();
	expect_node("/backend/vbd");
	memset(path + strlen(path), 'x', 200);
	fake_write(path, "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3");
	path[XENRELAY_NODE_SIZE - 1] = '\0';
	fake_write(path, "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node(path);
	expect_no_node();
}

/* More than are kept, by many watches that are each within their bounds. */
static void test_too_many_nodes(void **state)
{
	char path[XENRELAY_NODE_SIZE];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/w%u", i);
		assert_int_equal(xenrelay_watch_nodes(reader, path, 1), 0);
	}
	quiet();
	while (xenrelay_next_node(reader, path, sizeof(path)) == 1)
		;
	for (i = 0; i < 8; i++) {
		for (k = 0; k < 200; k++) {
			snprintf(path, sizeof(path), "/w%u/%u", i, k);
			fake_fire(path);
		}
	}
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	assert_int_equal(xenrelay_next_node(reader, path, sizeof(path)), -EOVERFLOW);
	expect_no_node();
	fake_fire("/w3/7");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/w3/7");
	expect_no_node();
}

/* What was written while the watch was taken back is told by the watched node. */
static void test_muted_nodes(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(xenrelay_watch_nodes(reader, "/backend", 2), 0);
	quiet();
	expect_node("/backend");
	for (i = 0; i < 400; i++)
		fake_write("/backend/vbd/3", "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend/vbd/3");
	expect_no_node();
	fake_write("/backend/vbd/4", "");
	assert_true(wait_for(XENRELAY_CHANGED_NODES));
	expect_node("/backend");
	expect_no_node();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nodes),
		TEST(test_long_nodes),
		TEST(test_too_many_nodes),
		TEST(test_muted_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
