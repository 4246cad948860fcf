/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 3 with the channel "xblk", played over fake_xen.h: what a guest keeps
 * in XenStore and in its pages, and how it answers the reader.  Included once
 * by each test that needs such a guest.
 */
#ifndef PLAYED_GUEST_H
#define PLAYED_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../libxenrelay/xenrelay-reader.h"
#include "fake_xen.h"
#include "xenrelay/wire.h"

#define DIR "/local/domain/3/data/xenrelay/xblk"
#ifndef NR_RINGS
#define NR_RINGS 2
#endif
#ifndef RING_PAGES
#define RING_PAGES 3
#endif
#ifndef ITEM_SIZE
#define ITEM_SIZE 40 /* does not divide a page: items cross pages, padding at the end */
#endif
#define CAPACITY (RING_PAGES * 4096 / ITEM_SIZE)

/* Page numbers, which are the grants: not in order, as in a real guest. */
#define INFO_REF     10
#define PRODUCER_REF 4
#define CONSUMER_REF 300
#define LOSS_REF     77
#define DIR_REF	     200
#ifndef DATA_REF
#define DATA_REF(n) (490 - 7 * (n))
#endif
/* The position pages behind the first, KIND as they are in the directory. */
#define FURTHER_REF(kind, n) (20 + 20 * (kind) + (n))

static struct xenrelay_reader *reader;
static unsigned int session, releases, disconnects;

static inline void *position_line(unsigned int first_ref, unsigned int kind,
				  unsigned int line)
{
	unsigned int page = line / XENRELAY_LINES_PER_PAGE;

	return (char *)fake_page(page ? FURTHER_REF(kind, page - 1) : first_ref) +
	       line % XENRELAY_LINES_PER_PAGE * XENRELAY_LINE_SIZE;
}

static inline union xenrelay_producer_line *producer(unsigned int line)
{
	return position_line(PRODUCER_REF, 0, line);
}

static inline union xenrelay_consumer_line *consumer(unsigned int line)
{
	return position_line(CONSUMER_REF, 2, line);
}

static inline struct xenrelay_span *span_of(unsigned int ring, unsigned int k)
{
	struct xenrelay_loss_line *losses = position_line(LOSS_REF, 1, 1 + ring);

	return &losses->spans[k % 2];
}

static inline struct xenrelay_info *info(void)
{
	return fake_page(INFO_REF);
}

static inline void make_pages(void)
{
	uint32_t nr_refs = XENRELAY_FURTHER_REFS(NR_RINGS) + NR_RINGS * RING_PAGES;
	uint32_t *refs = fake_page(DIR_REF), *dir_refs = (uint32_t *)(info() + 1);
	unsigned int i, kind, further = XENRELAY_FURTHER_PAGES(NR_RINGS);

	memset(fake.memory, 0, FAKE_PAGES * 4096);
	*info() = (struct xenrelay_info){
		.magic = XENRELAY_MAGIC,
		.version = XENRELAY_VERSION,
		.info_size = sizeof(struct xenrelay_info),
		.item_size = ITEM_SIZE,
		.nr_rings = NR_RINGS,
		.ring_pages = RING_PAGES,
		.producer_ref = PRODUCER_REF,
		.consumer_ref = CONSUMER_REF,
		.nr_dir_pages =
			(nr_refs + XENRELAY_REFS_PER_PAGE - 1) / XENRELAY_REFS_PER_PAGE,
		.session = session,
		.clock_ns = 250,
		.client_version = 1,
		.loss_ref = LOSS_REF,
	};
	for (i = 0; i < info()->nr_dir_pages; i++)
		dir_refs[i] = DIR_REF + i;
	for (kind = 0; kind < 3; kind++)
		for (i = 0; i < further; i++)
			*refs++ = FURTHER_REF(kind, i);
	for (i = 0; i < NR_RINGS * RING_PAGES; i++)
		*refs++ = DATA_REF(i);
	producer(0)->channel.state = XENRELAY_RUNNING;
}

static inline void set_state(const char *fmt, ...)
{
	char text[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fake_write(DIR "/state", text);
}

static inline void ready(void)
{
	make_pages();
	set_state("ready %u %u", session, INFO_REF);
}

static unsigned int domid_given, kib_given, connects;
static char words_given[128]; /* those behind the three numbers of "connect" */

/* What an honest guest does with the reader's wishes. */
static inline void honest(const char *path, const char *value)
{
	unsigned int n;

	if (strcmp(path, DIR "/reader"))
		return;
	if (sscanf(value, "connect %u %u %u %127[^\n]", &session, &domid_given,
		   &kib_given, words_given) >= 3) {
		connects++;
		ready();
	} else if (sscanf(value, "disconnect %u", &n) == 1 && n == session) {
		disconnects++;
		producer(0)->channel.state = XENRELAY_STOPPED;
		set_state("stopped %u", session);
	} else if (sscanf(value, "release %u", &n) == 1 && n == session) {
		releases++;
		set_state("open");
	}
}

/* One that remembers the session and else only listens. */
static inline void silent(const char *path, const char *value)
{
	unsigned int n;

	if (strcmp(path, DIR "/reader"))
		return;
	if (sscanf(value, "connect %u", &n) == 1)
		session = n;
	else if (sscanf(value, "release %u", &n) == 1 && n == session)
		releases++;
}

/* And takes the mode that it is asked for. */
static inline void grants_the_mode(const char *node, const char *value)
{
	honest(node, value);
	if (!strcmp(node, DIR "/reader") && strstr(value, "mode=overwrite"))
		info()->flags |= XENRELAY_F_OVERWRITE;
}

static inline int setup(void **state)
{
	(void)state;
	fake_begin();
	session = releases = disconnects = connects = 0;
	words_given[0] = '\0';
	fake_write("domid", "0");
	fake_write("/local/domain/3", "");
	fake_write("/local/domain/3/data/xenrelay/xblk", "");
	fake_write(DIR "/version", "1");
	fake_write(DIR "/state", "open");
	fake_write(DIR "/reader", "");
	fake.written = honest;
	return xenrelay_reader_open(&reader);
}

static inline int teardown(void **state)
{
	(void)state;
	xenrelay_reader_close(reader);
	assert_int_equal(fake.mapped, 0);
	fake_end();
	return 0;
}

static const struct xenrelay_options quick = {
	.size = sizeof(quick), .timeout_ms = 60, .busy_ms = 60};

static inline int connect_quick(struct xenrelay_channel **ch)
{
	return xenrelay_connect(reader, 3, "xblk", &quick, ch);
}

static inline void expect_failure(int err, const char *word)
{
	struct xenrelay_channel *ch;

	assert_int_equal(connect_quick(&ch), err);
	assert_null(ch);
	assert_int_equal(fake.mapped, 0);
	if (!strstr(xenrelay_strerror(reader), word))
		fail_msg("\"%s\" does not say \"%s\"", xenrelay_strerror(reader), word);
}

/* Each map call fails once: everything before it is undone, the guest told. */
static inline void expect_failing_maps(unsigned int calls)
{
	struct xenrelay_channel *ch;
	unsigned int n;

	for (n = 1;; n++) {
		fake.maps = 0;
		fake.fail_map = n;
		if (!connect_quick(&ch))
			break;
		assert_non_null(strstr(xenrelay_strerror(reader), "mapping"));
		assert_int_equal(fake.mapped, 0);
		assert_int_equal(releases, n);
		assert_int_equal(consumer(0)->channel.attached, 0);
	}
	assert_int_equal(n, calls + 1);
	xenrelay_release(ch);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* PLAYED_GUEST_H */
