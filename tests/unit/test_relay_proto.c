// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may write into XenStore and into its info page, and what the
 * reader makes of it.  A table of honest forms, then a table of forms that
 * differ from one of them in one point each and must all be refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../libxenrelay/proto.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static int parse(const char *s, struct xr_state *out)
{
	/* On the heap, so that ASan sees a read behind the NUL. */
	char *copy = strdup(s);
	int err = xr_parse_state(copy, strlen(copy), out);

	free(copy);
	return err;
}

static void test_states(void **state)
{
	struct xr_state st;

	(void)state;
	assert_int_equal(parse("open", &st), 0);
	assert_int_equal(st.kind, XR_OPEN);

	assert_int_equal(parse("ready 4294967295 17", &st), 0);
	assert_int_equal(st.kind, XR_READY);
	assert_int_equal(st.session, UINT32_MAX);
	assert_int_equal(st.ref, 17);

	assert_int_equal(parse("ready 1 0", &st), 0);
	assert_int_equal(st.ref, 0);

	assert_int_equal(parse("stopped 9", &st), 0);
	assert_int_equal(st.kind, XR_STOPPED);
	assert_int_equal(st.session, 9);

	assert_int_equal(parse("failed 9 12 no memory", &st), 0);
	assert_int_equal(st.kind, XR_FAILED);
	assert_int_equal(st.session, 9);
	assert_int_equal(st.err, 12);
	assert_string_equal(st.text, "no memory");

	assert_int_equal(parse("failed 9 12", &st), 0);
	assert_string_equal(st.text, "");
}

static void test_bad_states(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"Open",
		"open ",
		" open",
		"open 1",
		"openready 1 1",
		"ready",
		"ready ",
		"ready 1",
		"ready 1 ",
		"ready  1 1",
		"ready 1  1",
		"ready 1 1 ",
		"ready 1 1\n",
		"ready 0 1",
		"ready -1 1",
		"ready +1 1",
		"ready 01 1",
		"ready 1 01",
		"ready 0x1 1",
		"ready 1 1x",
		"ready 4294967296 1",
		"ready 1 4294967296",
		"ready 18446744073709551617 1",
		"ready 99999999999999999999999999999999 1",
		"stopped",
		"stopped 0",
		"stopped 1 ",
		"stopped 1 2",
		"failed",
		"failed 1",
		"failed 1 ",
		"failed 0 5 text",
		"failed 1 -5 text",
		"failed 1 4096 text",
		"failed 1 5text",
		"\xff\xfe",
	};
	struct xr_state st;
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(bad); i++)
		if (parse(bad[i], &st) != -EPROTO)
			fail_msg("accepted \"%s\"", bad[i]);

	/* A NUL inside: what C sees would not be what was written. */
	assert_int_equal(xr_parse_state("open\0x", 6, &st), -EPROTO);
}

static void test_text_of_failure(void **state)
{
	char s[4096] = "failed 1 5 ";
	struct xr_state st;
	size_t i;

	(void)state;
	memset(s + strlen(s), 'a', sizeof(s) - strlen(s) - 1);
	assert_int_equal(parse(s, &st), 0);
	assert_int_equal(strlen(st.text), sizeof(st.text) - 1);

	assert_int_equal(parse("failed 1 5 \033[2Jboo\r\n\x80%s", &st), 0);
	assert_string_equal(st.text, "?[2Jboo???%s");
	for (i = 0; st.text[i]; i++)
		assert_in_range(st.text[i], 0x20, 0x7e);
}

static int versions(const char *s, uint32_t *oldest, uint32_t *newest)
{
	char *copy = strdup(s);
	int err = xr_parse_versions(copy, strlen(copy), oldest, newest);

	free(copy);
	return err;
}

static void test_versions(void **state)
{
	static const char *const bad[] = {"",	   "0",	    "01",	  "-1",
					  "1-",	   "2-1",   "1-01",	  "0-1",
					  "1 - 2", "1-2-3", "1 ",	  " 1",
					  "1\n",   "v1",    "4294967296", "\xff",
					  "1,2",   "1-2x",  "1--2",	  "1-4294967296"};
	uint32_t oldest, newest;
	unsigned int i;

	(void)state;
	assert_int_equal(versions("1", &oldest, &newest), 0);
	assert_int_equal(oldest, 1);
	assert_int_equal(newest, 1);
	assert_int_equal(versions("3-4294967295", &oldest, &newest), 0);
	assert_int_equal(oldest, 3);
	assert_int_equal(newest, UINT32_MAX);
	assert_int_equal(versions("7-7", &oldest, &newest), 0);
	for (i = 0; i < LEN(bad); i++)
		if (versions(bad[i], &oldest, &newest) != -EPROTO)
			fail_msg("accepted \"%s\"", bad[i]);
	assert_int_equal(xr_parse_versions("1\0"
					   "2",
					   3, &oldest, &newest),
			 -EPROTO);
}

static unsigned int features(const char *s, size_t len)
{
	/* Without the NUL that xs_read() gives: it must not be needed. */
	char *copy = calloc(1, len ? len : 1);
	unsigned int ret;

	memcpy(copy, s, len);
	ret = xr_parse_features(copy, len);
	free(copy);
	return ret;
}

static void test_features(void **state)
{
	char s[4096];

	(void)state;
#define FEATURES(s) features(s, sizeof(s) - 1)
	assert_int_equal(FEATURES(""), 0);
	assert_int_equal(FEATURES("overwrite"), XR_FEATURE_OVERWRITE);
	assert_int_equal(FEATURES("doorbell"), XR_FEATURE_DOORBELL);
	assert_int_equal(FEATURES("overwrite doorbell"),
			 XR_FEATURE_OVERWRITE | XR_FEATURE_DOORBELL);
	assert_int_equal(FEATURES("  teleport=9  doorbell "), XR_FEATURE_DOORBELL);
	assert_int_equal(FEATURES("overwrites doorbel xdoorbell Overwrite"), 0);
	assert_int_equal(FEATURES("overwrite\tdoorbell"), 0);
	assert_int_equal(FEATURES("\xff\xfe overwrite"), XR_FEATURE_OVERWRITE);
	assert_int_equal(FEATURES("doorbell\0overwrite"), XR_FEATURE_DOORBELL);
	assert_int_equal(FEATURES("doorbell \0 overwrite"), XR_FEATURE_DOORBELL);

	memset(s, 'a', sizeof(s));
	assert_int_equal(features(s, sizeof(s)), 0);
	memset(s, ' ', sizeof(s));
	memcpy(s + 1015, "overwrite", 9);
	assert_int_equal(features(s, sizeof(s)), XR_FEATURE_OVERWRITE);
	memset(s, ' ', sizeof(s));
	memcpy(s + 1024, "overwrite", 9);
	assert_int_equal(features(s, sizeof(s)), 0);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(xr_name_ok("xblk"));
	assert_true(xr_name_ok("A-b_9"));
	assert_true(xr_name_ok("0123456789012345678901234567890"));
	assert_false(xr_name_ok(""));
	assert_false(xr_name_ok("01234567890123456789012345678901"));
	assert_false(xr_name_ok("a/b"));
	assert_false(xr_name_ok(".."));
	assert_false(xr_name_ok("a b"));
	assert_false(xr_name_ok("a\n"));
	assert_false(xr_name_ok("\xc3\xa4"));
}

/* An info page of a channel of 2 rings of 3 pages, session 7. */
struct page {
	union {
		struct xenrelay_info info;
		unsigned char bytes[XENRELAY_PAGE_SIZE];
	};
};

static void make_page(struct page *p)
{
	uint32_t refs[] = {77, 78};

	memset(p, 0, sizeof(*p));
	p->info = (struct xenrelay_info){
		.magic = XENRELAY_MAGIC,
		.version = XENRELAY_VERSION,
		.info_size = sizeof(p->info),
		.item_size = 32,
		.nr_rings = 2,
		.ring_pages = 3,
		.producer_ref = 8,
		.consumer_ref = 9,
		.nr_dir_pages = 1,
		.session = 7,
		.flags = XENRELAY_F_CONTIGUOUS,
		.clock_ns = 400,
		.client_version = 1,
	};
	memcpy(p->bytes + sizeof(p->info), refs, sizeof(refs));
}

static int check(const struct page *p, uint64_t max_pages, struct xr_layout *out)
{
	const char *why = "unset";
	int err = xr_check_info(p, 7, max_pages, out, &why);

	if (err)
		assert_non_null(why);
	return err;
}

static void test_info(void **state)
{
	struct xr_layout l;
	struct page p;

	(void)state;
	make_page(&p);
	assert_int_equal(check(&p, 6, &l), 0);
	assert_int_equal(l.capacity, 3 * 4096 / 32);
	assert_int_equal(l.nr_dir_pages, 1);
	assert_int_equal(l.dir_refs[0], 77);
	assert_int_equal(l.producer_ref, 8);
	assert_int_equal(l.consumer_ref, 9);
	assert_int_equal(l.clock_ns, 400);
	assert_int_equal(check(&p, 5, &l), -E2BIG);
}

/* A later version may make the struct longer without being another version. */
static void test_longer_info(void **state)
{
	struct xr_layout l;
	uint32_t ref = 99;
	struct page p;

	(void)state;
	make_page(&p);
	p.info.info_size = sizeof(p.info) + 16;
	memcpy(p.bytes + p.info.info_size, &ref, sizeof(ref));
	assert_int_equal(check(&p, 6, &l), 0);
	assert_int_equal(l.dir_refs[0], 99);
}

/* Of an older, shorter one, the missing members are 0, not the directory's references. */
static void test_shorter_info(void **state)
{
	uint32_t refs[(XENRELAY_PAGE_SIZE - 64) / 4];
	struct xr_layout l;
	struct page p;
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(refs); i++)
		refs[i] = 1000 + i;
	make_page(&p);
	p.info.info_size = 64;
	p.info.loss_ref = 0;
	memcpy(p.bytes + 64, refs, sizeof(refs));
	assert_int_equal(check(&p, 6, &l), 0);
	assert_int_equal(l.loss_ref, 0);
	assert_int_equal(l.doorbell_port, 0);
	assert_int_equal(l.dir_refs[0], 1000);

	p.info.info_size = 68;
	assert_int_equal(check(&p, 6, &l), 0);
	assert_int_equal(l.doorbell_port, 1000);
	assert_int_equal(l.dir_refs[0], 1001);

	/* It has room for more references than today's. */
	p.info.info_size = 64;
	p.info.nr_rings = XENRELAY_FEW_RINGS;
	p.info.ring_pages = 16 * XENRELAY_REFS_PER_PAGE;
	p.info.nr_dir_pages = 1008;
	assert_int_equal(check(&p, UINT64_MAX, &l), 0);
	assert_int_equal(l.dir_refs[1007], 2007);
}

static void test_largest(void **state)
{
	struct xr_layout l;
	struct page p;

	(void)state;
	make_page(&p);
	p.info.nr_rings = 15;
	p.info.ring_pages = XENRELAY_MAX_RING_PAGES;
	p.info.nr_dir_pages = 15 * 64;
	assert_int_equal(check(&p, UINT64_MAX, &l), 0);
	assert_int_equal(l.capacity, 1u << 23);

	/* One ring more needs more directory pages than the info page can name. */
	p.info.nr_rings = 16;
	p.info.nr_dir_pages = 16 * 64;
	assert_int_equal(check(&p, UINT64_MAX, &l), -EPROTO);
}

/* One ring more takes another page of each kind, and these a place in the directory. */
static void test_many_rings(void **state)
{
	static const struct {
		uint32_t nr_rings, further, ring_pages, dir_pages;
	} sound[] = {
		{63, 0, 1, 1},	  {64, 1, 1, 1},	{127, 1, 1, 1},
		{128, 2, 1, 1},	  {128, 2, 8, 2},	{200, 3, 5, 1},
		{512, 8, 2, 2},	  {512, 8, 1, 1},	{1023, 15, 1, 2},
		{1024, 16, 1, 2}, {1024, 16, 992, 993}, {512, 8, 512, 257},
	};
	struct xr_layout l;
	struct page p;
	unsigned int i;
	int err;

	(void)state;
	for (i = 0; i < LEN(sound); i++) {
		make_page(&p);
		p.info.loss_ref = 10;
		p.info.nr_rings = sound[i].nr_rings;
		p.info.ring_pages = sound[i].ring_pages;
		p.info.nr_dir_pages = sound[i].dir_pages;
		/* 992 references of directory pages are all that the page has room for. */
		err = sound[i].dir_pages > XENRELAY_MAX_DIR_PAGES ? -EPROTO : 0;
		assert_int_equal(check(&p, UINT64_MAX, &l), err);
		if (!err)
			assert_int_equal(l.nr_further, sound[i].further);
		p.info.nr_dir_pages = sound[i].dir_pages - 1;
		assert_int_equal(check(&p, UINT64_MAX, &l), -EPROTO);
		p.info.nr_dir_pages = sound[i].dir_pages + 1;
		assert_int_equal(check(&p, UINT64_MAX, &l), -EPROTO);
	}

	/* Data pages alone are what the reader's bound is about. */
	make_page(&p);
	p.info.loss_ref = 10;
	p.info.nr_rings = 512;
	p.info.nr_dir_pages = 2;
	assert_int_equal(check(&p, 1536, &l), 0);
	assert_int_equal(check(&p, 1535, &l), -E2BIG);

	/* A guest of before loss pages had no more rings than one page has lines for. */
	p.info.loss_ref = 0;
	assert_int_equal(check(&p, UINT64_MAX, &l), -EPROTO);
	p.info.nr_rings = 63;
	p.info.nr_dir_pages = 1;
	assert_int_equal(check(&p, UINT64_MAX, &l), 0);
}

/* Each sets one field of a sound page to something that cannot be. */
static void test_bad_info(void **state)
{
#define FIELD(name, value)                                               \
	{                                                                \
#name, offsetof(struct xenrelay_info, name),             \
			sizeof(((struct xenrelay_info *)0)->name), value \
	}
	static const struct {
		const char *name;
		size_t offset, size;
		uint64_t value;
	} bad[] = {
		FIELD(magic, 0),
		FIELD(magic, XENRELAY_MAGIC + 1),
		FIELD(version, 0),
		FIELD(version, 2),
		FIELD(info_size, 0),
		FIELD(info_size, 60),
		FIELD(info_size, sizeof(struct xenrelay_info) + 1),
		FIELD(info_size, XENRELAY_PAGE_SIZE),
		FIELD(info_size, XENRELAY_PAGE_SIZE + 4),
		FIELD(info_size, UINT32_MAX - 3),
		FIELD(item_size, 0),
		FIELD(item_size, 7),
		FIELD(item_size, XENRELAY_MAX_ITEM_SIZE + 1),
		FIELD(item_size, UINT32_MAX),
		FIELD(item_size, 3 * XENRELAY_PAGE_SIZE + 1),
		FIELD(nr_rings, 0),
		FIELD(nr_rings, XENRELAY_MAX_RINGS + 1),
		FIELD(nr_rings, UINT32_MAX),
		FIELD(ring_pages, 0),
		FIELD(ring_pages, XENRELAY_MAX_RING_PAGES + 1),
		FIELD(ring_pages, UINT32_MAX),
		FIELD(ring_pages, 1u << 31), /* 2 rings of it: 2^32 pages */
		FIELD(nr_dir_pages, 0),
		FIELD(nr_dir_pages, 2),
		FIELD(nr_dir_pages, UINT32_MAX),
		FIELD(session, 0),
		FIELD(session, 8),
		FIELD(session, 7 + (1ull << 32)),
	};
	struct xr_layout l;
	struct page p;
	unsigned int i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		make_page(&p);
		memcpy(p.bytes + bad[i].offset, &bad[i].value, bad[i].size);
		if (check(&p, UINT64_MAX, &l) != -EPROTO)
			fail_msg("accepted %s = %llu", bad[i].name,
				 (unsigned long long)bad[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_bad_states),
		cmocka_unit_test(test_text_of_failure),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_longer_info),
		cmocka_unit_test(test_shorter_info),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_many_rings),
		cmocka_unit_test(test_bad_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
