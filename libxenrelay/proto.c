// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Parsing and checking of what a guest says about its channel. */
#include <errno.h>
#include <string.h>

#include "proto.h"
#include "../ring/consumer.h"

#define MAX_ERRNO    4095
#define MAX_FEATURES 1024 /* bytes of the "features" node that are looked at */

bool xr_name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t len = strspn(name, letters);

	return len > 0 && len <= XR_NAME_MAX && !name[len];
}

const char *xr_parse_number(const char *s, uint64_t max, uint64_t *value)
{
	const char *p = s;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned int digit = *p - '0';

		if (v > (UINT64_MAX - digit) / 10)
			return NULL;
		v = v * 10 + digit;
	}
	if (p == s || v > max || (*s == '0' && p != s + 1))
		return NULL;
	*value = v;
	return p;
}

/* The word @word at the start of *@s, with what separates it; moves *@s on. */
static bool take_word(const char **s, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*s, word, len))
		return false;
	*s += len;
	return true;
}

static void copy_printable(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '?';
	to[i] = '\0';
}

static const char *take_session(const char *s, uint32_t *session)
{
	uint64_t v;

	s = xr_parse_number(s, UINT32_MAX, &v);
	if (!s || !v)
		return NULL;
	*session = v;
	return s;
}

int xr_parse_versions(const char *s, size_t len, uint32_t *oldest, uint32_t *newest)
{
	uint64_t from, to;

	if (strlen(s) != len)
		return -EPROTO;
	s = xr_parse_number(s, UINT32_MAX, &from);
	if (!s)
		return -EPROTO;
	to = from;
	if (*s == '-')
		s = xr_parse_number(s + 1, UINT32_MAX, &to);
	if (!s || *s || !from || to < from)
		return -EPROTO;
	*oldest = from;
	*newest = to;
	return 0;
}

bool xr_speaks_version(uint32_t oldest, uint32_t newest)
{
	return newest >= XR_OLDEST_VERSION && oldest <= XR_NEWEST_VERSION;
}

unsigned int xr_parse_features(const char *s, size_t len)
{
	static const struct {
		const char *word;
		unsigned int feature;
	} known[] = {
		{"overwrite", XR_FEATURE_OVERWRITE},
		{"doorbell", XR_FEATURE_DOORBELL},
		{"configure", XR_FEATURE_CONFIGURE},
	};
	size_t end = len < MAX_FEATURES ? len : MAX_FEATURES, at, size, i;
	unsigned int features = 0;

	for (at = 0; at < end && s[at]; at += size) {
		size = 1;
		if (s[at] == ' ')
			continue;
		while (at + size < len && s[at + size] && s[at + size] != ' ')
			size++;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strlen(known[i].word) == size &&
			    !memcmp(known[i].word, s + at, size))
				features |= known[i].feature;
	}
	return features;
}

int xr_parse_state(const char *s, size_t len, struct xr_state *out)
{
	uint64_t v;

	memset(out, 0, sizeof(*out));
	if (strlen(s) != len)
		return -EPROTO;

	if (!strcmp(s, "open")) {
		out->kind = XR_OPEN;
		return 0;
	}
	if (take_word(&s, "ready ")) {
		out->kind = XR_READY;
		s = take_session(s, &out->session);
		if (!s || *s++ != ' ')
			return -EPROTO;
		s = xr_parse_number(s, UINT32_MAX, &v);
		if (!s || *s)
			return -EPROTO;
		out->ref = v;
		return 0;
	}
	if (take_word(&s, "stopped ")) {
		out->kind = XR_STOPPED;
		s = take_session(s, &out->session);
		return s && !*s ? 0 : -EPROTO;
	}
	if (take_word(&s, "failed ")) {
		out->kind = XR_FAILED;
		s = take_session(s, &out->session);
		if (!s || *s++ != ' ')
			return -EPROTO;
		s = xr_parse_number(s, MAX_ERRNO, &v);
		if (!s || (*s && *s != ' '))
			return -EPROTO;
		out->err = v;
		copy_printable(out->text, sizeof(out->text), *s ? s + 1 : s);
		return 0;
	}
	return -EPROTO;
}

int xr_check_info(const void *page, uint32_t session, uint64_t max_pages,
		  struct xr_layout *out, const char **why)
{
	struct xenrelay_info info = {0};
	uint64_t pages, refs, capacity;

	memcpy(&info, page, XR_MIN_INFO_SIZE);
	*why = "not an info page (wrong magic number)";
	if (info.magic != XENRELAY_MAGIC)
		return -EPROTO;
	*why = "a version of the channel that this library does not know";
	if (info.version < XR_OLDEST_VERSION || info.version > XR_NEWEST_VERSION)
		return -EPROTO;
	*why = "the size of the info structure is wrong";
	if (info.info_size < XR_MIN_INFO_SIZE || info.info_size % 4 ||
	    info.info_size > XENRELAY_PAGE_SIZE)
		return -EPROTO;
	/* Its directory follows an older, shorter struct directly. */
	memcpy(&info, page,
	       info.info_size < sizeof(info) ? info.info_size : sizeof(info));
	*why = "the info page belongs to another session";
	if (info.session != session)
		return -EPROTO;
	*why = "the size of an item is out of bounds";
	if (info.item_size < XENRELAY_MIN_ITEM_SIZE ||
	    info.item_size > XENRELAY_MAX_ITEM_SIZE)
		return -EPROTO;
	*why = "the number of rings is out of bounds";
	if (!info.nr_rings || info.nr_rings > XENRELAY_MAX_RINGS)
		return -EPROTO;
	*why = "more rings than a guest without a loss page can have";
	if (info.nr_rings > XENRELAY_FEW_RINGS && !info.loss_ref)
		return -EPROTO;
	*why = "the size of a ring is out of bounds";
	if (!info.ring_pages || info.ring_pages > XENRELAY_MAX_RING_PAGES)
		return -EPROTO;
	*why = "a ring holds too few items";
	/* In overwrite mode one is always being given up. */
	capacity = xr_capacity((uint64_t)info.ring_pages * XENRELAY_PAGE_SIZE,
			       info.item_size);
	if (capacity < (info.flags & XENRELAY_F_OVERWRITE ? 2 : 1))
		return -EPROTO;

	/* At most 2^10 * 2^16, from here on nothing overflows. */
	pages = (uint64_t)info.nr_rings * info.ring_pages;
	refs = XENRELAY_FURTHER_REFS(info.nr_rings) + pages;
	*why = "the number of directory pages does not match the rings";
	if (info.nr_dir_pages !=
	    (refs + XENRELAY_REFS_PER_PAGE - 1) / XENRELAY_REFS_PER_PAGE)
		return -EPROTO;
	*why = "the directory does not fit into the info page";
	if (info.nr_dir_pages > (XENRELAY_PAGE_SIZE - info.info_size) / 4)
		return -EPROTO;
	*out = (struct xr_layout){
		.item_size = info.item_size,
		.nr_rings = info.nr_rings,
		.ring_pages = info.ring_pages,
		.producer_ref = info.producer_ref,
		.consumer_ref = info.consumer_ref,
		.loss_ref = info.loss_ref,
		.doorbell_port = info.doorbell_port,
		.nr_further = XENRELAY_FURTHER_PAGES(info.nr_rings),
		.nr_dir_pages = info.nr_dir_pages,
		.flags = info.flags,
		.clock_ns = info.clock_ns,
		.client_version = info.client_version,
		.capacity = capacity,
	};
	memcpy(out->dir_refs, (const char *)page + info.info_size,
	       info.nr_dir_pages * sizeof(uint32_t));
	*why = "its rings are larger, all together, than this reader accepts";
	if (pages > max_pages)
		return -E2BIG;
	*why = NULL;
	return 0;
}
