// SPDX-License-Identifier: GPL-2.0-only
/* The list of guests and disks: what serves each, on what, and what would be seen. */
#include "played_list.h"

#include <jansson.h>

#include "said.h"

static struct said said;

/* Guests with all kinds of disks and of tracers, not in order. */
static void world(void)
{
	add_guest(12, "mail", NULL);
	add_disk(0, "vbd", 12, 51712, "xvda", "fd:2");
	add_guest(3, "web", "1");
	add_disk(0, "vbd", 3, 51728, "xvdb", "8:2");
	add_disk(0, "vbd", 3, 51712, "xvda", "8:0");
	node("r", "/local/domain/0/backend/vbd/3/51712/mode");
	add_disk(0, "vbd", 3, 51744, "xvdc", "7:1");
	add_disk(0, "qdisk", 3, 51760, "xvdd", NULL);
	node("aio:/srv/d.qcow2", "/local/domain/0/backend/qdisk/3/51760/params");
	add_disk(7, "vbd", 3, 51776, "xvde", "8:1");
	add_disk(7, "qdisk", 3, 51792, "xvdf", NULL);
	add_guest(7, "store", NULL);
	add_guest(15, "old", "2-3");
	add_disk(0, "vbd", 15, 51712, "xvda", "8:0");
	add_guest(16, "mute", "x");
	add_disk(0, "vbd", 16, 51712, "xvda", "8:0");
	node("/vm/0-1-2", "/local/domain/3/vm");
}

static const char *table_text(void)
{
	assert_int_equal(list_read(&list, reader), 0);
	said_begin(&said, 1);
	assert_int_equal(list_print_table(&list), 0);
	said_end(&said);
	return said.text;
}

/* However wide the columns are. */
static void expect_line(const char *line)
{
	char text[sizeof(said.text)], whole[512], *to = text;
	const char *from;

	for (from = said.text; *from; from++)
		if (*from != ' ' || from[1] != ' ')
			*to++ = *from;
	*to = '\0';
	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void test_table(void **state)
{
	(void)state;
	world();
	assert_string_equal(
		table_text(),
		"domain 0 (this one): xblk-dom0 is not loaded\n"
		"domid  guest  xblk-guest    disk  mode  backend  domain  on                    state      would be seen\n"
		"3      web    protocol 1    xvda  r     vbd      0       sda                   connected  guest and backend\n"
		"3      web    protocol 1    xvdb  w     vbd      0       sda2 of sda           connected  guest and backend\n"
		"3      web    protocol 1    xvdc  w     vbd      0       loop1 (/srv/web.img)  connected  guest and backend\n"
		"3      web    protocol 1    xvdd  w     qdisk    0       aio:/srv/d.qcow2      connected  nothing: served by a process\n"
		"3      web    protocol 1    xvde  w     vbd      7       /dev/vg/x             connected  nothing: served by domain 7\n"
		"3      web    protocol 1    xvdf  w     qdisk    7       /dev/vg/x             connected  nothing: served by domain 7\n"
		"7      store  no            -     -     -        -       -                     -          nothing: it has no disk\n"
		"12     mail   no            xvda  w     vbd      0       dm-2 (vg-web)         connected  nothing: no xblk-guest in the guest\n"
		"15     old    protocol 2-3  xvda  w     vbd      0       sda                   connected  nothing: its xblk-guest speaks no protocol known here\n"
		"16     mute   protocol ?    xvda  w     vbd      0       sda                   connected  nothing: its xblk-guest tells no protocol\n");
}

static void test_no_guests(void **state)
{
	(void)state;
	assert_string_equal(table_text(), "domain 0 (this one): xblk-dom0 is not loaded\n"
					  "no guests\n");
}

/* Whichever node is not there, or not yet. */
static void test_missing_nodes(void **state)
{
	(void)state;
	node("", "/local/domain/4");
	node("", "/local/domain/0/backend/vbd");
	node("", "/local/domain/0/backend/vbd/4/51712");
	add_guest(5, "half", "1");
	add_disk(0, "vbd", 5, 51712, "xvda", "8:zz");
	add_disk(0, "vbd", 5, 51728, "xvdb", "9:1");
	add_disk(0, "vbd", 5, 51744, "xvdc", "8:1");
	node("2", "/local/domain/0/backend/vbd/5/51744/state");
	add_disk(0, "vbd", 5, 51760, "xvdd", "8:1");
	node("3", "/local/domain/5/device/vbd/51760/state");
	fake_remove_tree("/local/domain/5/device/vbd/51728");
	table_text();
	expect_line("4 - no 51712 - vbd 0 - - nothing: it has no device in this domain "
		    "yet");
	expect_line("5 half protocol 1 xvda w vbd 0 /dev/vg/x connected nothing: it has "
		    "no device in this domain yet");
	expect_line("5 half protocol 1 xvdb w vbd 0 /dev/vg/x connected nothing: this "
		    "kernel does not know its device");
	expect_line("5 half protocol 1 xvdc w vbd 0 sda1 of sda waiting, guest connected "
		    "nothing: the guest is not connected to it");
	expect_line("5 half protocol 1 xvdd w vbd 0 sda1 of sda connected, guest "
		    "initialised guest and backend");
}

static void expect_pack(const json_t *json, const char *path, json_t *want)
{
	char *is = json_dumps(json, JSON_ENCODE_ANY | JSON_SORT_KEYS);
	char *wanted = json_dumps(want, JSON_ENCODE_ANY | JSON_SORT_KEYS);

	if (!is || strcmp(is, wanted))
		fail_msg("%s: %s, want %s", path, is ? is : "nothing", wanted);
	free(is);
	free(wanted);
	json_decref(want);
}

static void test_json(void **state)
{
	const json_t *guests, *disks;
	json_t *json;

	(void)state;
	world();
	assert_int_equal(list_read(&list, reader), 0);
	said_begin(&said, 1);
	assert_int_equal(list_print_json(&list), 0);
	said_end(&said);
	json = json_loads(said.text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	expect_pack(json_object_get(json, "version"), "version", json_integer(1));
	expect_pack(json_object_get(json, "backend"), "backend",
		    json_pack("{s:i, s:b}", "domid", 0, "xblk_dom0_loaded", 0));
	guests = json_object_get(json, "guests");
	assert_int_equal(json_array_size(guests), 5);
	expect_pack(json_object_get(json_array_get(guests, 0), "uuid"), "uuid",
		    json_string("0-1-2"));
	expect_pack(json_object_get(json_array_get(guests, 0), "xblk_guest"),
		    "xblk_guest",
		    json_pack("{s:b, s:i, s:i, s:b}", "loaded", 1, "oldest_protocol", 1,
			      "newest_protocol", 1, "readable", 1));
	expect_pack(json_object_get(json_array_get(guests, 3), "xblk_guest"),
		    "xblk_guest of another version",
		    json_pack("{s:b, s:i, s:i, s:b}", "loaded", 1, "oldest_protocol", 2,
			      "newest_protocol", 3, "readable", 0));
	disks = json_object_get(json_array_get(guests, 0), "disks");
	assert_int_equal(json_array_size(disks), 6);
	expect_pack(json_array_get(disks, 1), "xvdb",
		    json_pack("{s:i, s:s, s:s, s:{s:i, s:s}, s:s, s:{s:s, s:s, s:s, s:n, "
			      "s:n}, s:s, s:s, s:{s:b, s:b, s:n}}",
			      "devid", 51728, "name", "xvdb", "mode", "w", "backend",
			      "domid", 0, "type", "vbd", "params", "/dev/vg/x", "device",
			      "dev", "8:2", "name", "sda2", "partition_of", "sda",
			      "mapped_name", "file", "state", "connected", "guest_state",
			      "connected", "seen", "guest", 1, "backend", 1, "why"));
	expect_pack(json_array_get(disks, 4), "xvde",
		    json_pack("{s:i, s:s, s:s, s:{s:i, s:s}, s:s, s:n, s:s, s:s, s:{s:b, "
			      "s:b, s:s}}",
			      "devid", 51776, "name", "xvde", "mode", "w", "backend",
			      "domid", 7, "type", "vbd", "params", "/dev/vg/x", "device",
			      "state", "connected", "guest_state", "connected", "seen",
			      "guest", 0, "backend", 0, "why", "served by domain 7"));
	json_decref(json);
}

static bool let_in;

/* As domain 7 may read it. */
static bool closed(const char *path)
{
	static const char *const opened[] = {"/local/domain/3/name",
					     "/local/domain/3/data/xenrelay"};
	unsigned int i;

	for (i = 0; let_in && i < 2; i++)
		if (!strncmp(path, opened[i], strlen(opened[i])))
			return false;
	return strcmp(path, "domid") && strncmp(path, "/local/domain/7/", 16);
}

/* A driver domain tells of what it serves itself. */
static void test_driver_domain(void **state)
{
	(void)state;
	world();
	node("", "/local/domain/3/data/xenrelay");
	node("", "/local/domain/7/backend");
	node("", "/local/domain/7/backend/vbd/3");
	node("", "/local/domain/7/backend/qdisk/3");
	/* What is left of one that is no more. */
	node("", "/local/domain/7/backend/vbd/14");
	xenrelay_reader_close(reader);
	node("7", "domid");
	fake.closed = closed;
	let_in = false;
	assert_int_equal(xenrelay_reader_open(&reader), 0);
	table_text();
	assert_ptr_equal(strstr(said.text, "domain 7 (this one): "), said.text);
	expect_line("3 - closed xvde w vbd 7 sda1 of sda connected nothing: its channels "
		    "are closed to this domain: run 'xblk-allow' in domain 0");
	assert_null(strstr(said.text, "\n14 "));
	expect_line("3 - closed xvdf w qdisk 7 /dev/vg/x connected nothing: served by a "
		    "process");
	list_free(&list);
	let_in = true;
	table_text();
	expect_line("3 web protocol 1 xvde w vbd 7 sda1 of sda connected guest and "
		    "backend");
	assert_null(strstr(said.text, "mail"));
}

static unsigned int calls;
static unsigned int goes_at;

static void goes(void)
{
	if (++calls != goes_at)
		return;
	fake_remove_tree("/local/domain/3");
	fake_remove_tree("/local/domain/0/backend/vbd/3");
}

/* A guest that goes in the middle is there, with some of its disks, or is not. */
static void test_guest_goes(void **state)
{
	unsigned int last = 0, seen = 0;

	(void)state;
	for (goes_at = 1; goes_at < 60; goes_at++) {
		const char *text;

		add_guest(3, "web", "1");
		add_disk(0, "vbd", 3, 51712, "xvda", "8:0");
		add_disk(0, "vbd", 3, 51728, "xvdb", "8:2");
		add_guest(5, "stays", "1");
		calls = 0;
		fake.called = goes;
		text = table_text();
		assert_non_null(strstr(text, "5      stays  protocol 1  -"));
		seen += !!strstr(text, "\n3 ");
		last = calls;
		list_free(&list);
		fake.called = NULL;
	}
	assert_in_range(last, 20, 59);
	assert_in_range(seen, 1, 58);
}

static void falls_silent(void)
{
	if (++calls == goes_at)
		fake_silence(true);
}

static bool gives_up(void *arg, unsigned int ms)
{
	(void)arg, (void)ms;
	return false;
}

/* Wherever XenStore stops to answer, nothing is shown as if it were all. */
static void test_xenstore_goes(void **state)
{
	(void)state;
	for (goes_at = 1; goes_at < 40; goes_at += 6) {
		struct said err;
		int ret;

		world();
		assert_int_equal(xenrelay_set_patience(reader, gives_up, NULL), 0);
		calls = 0;
		fake.called = falls_silent;
		said_begin(&err, 2);
		ret = list_read(&list, reader);
		said_end(&err);
		assert_int_equal(ret, -1);
		assert_ptr_equal(strchr(err.text, '\n') + 1, err.text + strlen(err.text));
		assert_non_null(strstr(err.text, "XenStore"));
		fake.called = NULL;
		fake_silence(false);
		list_free(&list);
		xenrelay_reader_close(reader);
		assert_int_equal(xenrelay_reader_open(&reader), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),	  TEST(test_no_guests),
		TEST(test_missing_nodes), TEST(test_json),
		TEST(test_driver_domain), TEST(test_guest_goes),
		TEST(test_xenstore_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
