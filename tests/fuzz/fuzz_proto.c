// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: what a guest says about its channel, in XenStore and in the
 * info page.
 *
 * The input's first byte chooses what the rest is.  What is accepted is put
 * together again from what was made of it: it must be the very bytes that the
 * guest wrote, or, for the info page, fit into the pages that it speaks of.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../libxenrelay/proto.h"

#define SESSION	  7
#define MAX_PAGES 4096

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_proto: %s\n", what);
	abort();
}

/* As xs_read() gives a node: on the heap, with a NUL behind. */
static char *node(const uint8_t *data, size_t len)
{
	char *s = malloc(len + 1);

	if (len)
		memcpy(s, data, len);
	s[len] = '\0';
	return s;
}

static void try_name(const char *name)
{
	bool good = *name && strlen(name) <= XR_NAME_MAX;
	const char *c;

	for (c = name; *c; c++)
		good = good && isascii(*c) && (isalnum(*c) || *c == '_' || *c == '-');
	check(xr_name_ok(name) == good, "a name is judged wrong");
}

static void try_number(const char *s)
{
	static const uint64_t limits[] = {0, 100, UINT32_MAX, UINT64_MAX};
	char again[32];
	unsigned int i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t value;
		const char *end = xr_parse_number(s, limits[i], &value);

		if (!end)
			continue;
		check(value <= limits[i], "a number beyond its limit");
		snprintf(again, sizeof(again), "%lu", value);
		check(strlen(again) == (size_t)(end - s) &&
			      !strncmp(s, again, strlen(again)),
		      "a number is another one");
	}
}

static void try_state(const char *s, size_t len)
{
	char again[256];
	struct xr_state st;
	size_t i;

	if (xr_parse_state(s, len, &st)) {
		check(strcmp(s, "open") != 0 || len != 4, "an open channel is refused");
		return;
	}
	check(strlen(s) == len, "a NUL in a state");
	check((st.kind == XR_OPEN) == !st.session, "a session without a number");
	switch (st.kind) {
	case XR_OPEN:
		strcpy(again, "open");
		break;
	case XR_READY:
		snprintf(again, sizeof(again), "ready %u %u", st.session, st.ref);
		break;
	case XR_STOPPED:
		snprintf(again, sizeof(again), "stopped %u", st.session);
		break;
	case XR_FAILED:
		check(st.err >= 0, "a negative error");
		i = snprintf(again, sizeof(again), "failed %u %d", st.session, st.err);
		if (s[i])
			again[i++] = ' ';
		snprintf(again + i, sizeof(again) - i, "%s", st.text);
		/* Its words may be cut short, and are made printable. */
		for (; again[i]; i++) {
			check(again[i] >= ' ' && again[i] <= '~', "unprintable words");
			if (again[i] == '?')
				again[i] = s[i];
		}
		check(len == i || strlen(st.text) == sizeof(st.text) - 1,
		      "words are lost");
		check(!strncmp(s, again, i), "a state is another one");
		return;
	default:
		check(false, "a state of no kind");
	}
	check(!strcmp(s, again), "a state is another one");
}

static void try_versions(const char *s, size_t len)
{
	uint32_t oldest, newest;
	char range[32], one[32];

	if (xr_parse_versions(s, len, &oldest, &newest))
		return;
	check(strlen(s) == len, "a NUL in a version");
	check(oldest && oldest <= newest, "no version, or a range upside down");
	snprintf(range, sizeof(range), "%u-%u", oldest, newest);
	snprintf(one, sizeof(one), "%u", newest);
	check(!strcmp(s, range) || (oldest == newest && !strcmp(s, one)),
	      "a version is another one");
}

static void try_features(char *s, size_t len)
{
	unsigned int found = xr_parse_features(s, len), there = 0;
	char *word;

	if (strlen(s) > 1000) /* not all of them count */
		return;
	for (word = strtok(s, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, "overwrite"))
			there |= XR_FEATURE_OVERWRITE;
		if (!strcmp(word, "doorbell"))
			there |= XR_FEATURE_DOORBELL;
		if (!strcmp(word, "configure"))
			there |= XR_FEATURE_CONFIGURE;
	}
	check(found == there, "another set of features");
}

static void try_info(const uint8_t *data, size_t len)
{
	unsigned char *page = calloc(1, XENRELAY_PAGE_SIZE);
	struct xenrelay_info info;
	struct xr_layout layout;
	const char *why;
	uint64_t pages, refs;
	int err;

	if (len)
		memcpy(page, data, len < XENRELAY_PAGE_SIZE ? len : XENRELAY_PAGE_SIZE);
	memcpy(&info, page, sizeof(info));
	err = xr_check_info(page, SESSION, MAX_PAGES, &layout, &why);
	check(!err == !why, "a reason without an error, or an error without a reason");
	if (!err) {
		pages = (uint64_t)layout.nr_rings * layout.ring_pages;
		refs = 3ull * layout.nr_further + pages;
		check(info.session == SESSION, "another session");
		check(pages && pages <= MAX_PAGES, "pages out of bounds");
		check(layout.nr_rings <= XENRELAY_MAX_RINGS, "too many rings");
		check(layout.nr_rings < (1 + layout.nr_further) * XENRELAY_LINES_PER_PAGE,
		      "rings without a line");
		check(layout.loss_ref || !layout.nr_further, "rings without a loss line");
		check(layout.item_size >= XENRELAY_MIN_ITEM_SIZE, "an item is too small");
		check(layout.capacity >= (layout.flags & XENRELAY_F_OVERWRITE ? 2 : 1),
		      "a ring is too small");
		check(layout.capacity * layout.item_size <=
			      (uint64_t)layout.ring_pages * XENRELAY_PAGE_SIZE,
		      "items beyond the ring's end");
		check((uint64_t)layout.nr_dir_pages * XENRELAY_REFS_PER_PAGE >= refs,
		      "pages that are in no directory");
		check(layout.nr_dir_pages <= XR_MAX_DIR_PAGES &&
			      info.info_size + layout.nr_dir_pages * 4 <=
				      XENRELAY_PAGE_SIZE,
		      "directory beyond the page");
		check(!memcmp(layout.dir_refs, page + info.info_size,
			      layout.nr_dir_pages * 4),
		      "another directory");
	}
	free(page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s;

	if (!size)
		return 0;
	if (data[0] == 'I') {
		try_info(data + 1, size - 1);
		return 0;
	}
	s = node(data + 1, size - 1);
	switch (data[0]) {
	case 'S':
		try_state(s, size - 1);
		break;
	case 'N':
		try_number(s);
		break;
	case 'V':
		try_versions(s, size - 1);
		break;
	case 'F':
		try_features(s, size - 1);
		break;
	default:
		try_name(s);
	}
	free(s);
	return 0;
}
