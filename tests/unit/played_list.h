/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host whose guests are listed.  Devices are played, too: 8:0 is sda and 8:N its
 * partitions, 253:N volumes, 7:N loop devices, and there are no others.  Included once by
 * each test, which has the messages in @said.
 */
#ifndef PLAYED_LIST_H
#define PLAYED_LIST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../xblktrace/list.h"
#include "fake_xen.h"
#include "xenrelay-reader.h"

static struct xenrelay_reader *reader;
static struct list list;
static const char *loop_file = "/srv/web.img";

int backing_add(struct backing_table *table, const char *sysfs, unsigned int major,
		unsigned int minor, uint64_t *start_sector)
{
	(void)table, (void)sysfs, (void)minor;
	*start_sector = 0;
	return major == 8 || major == 253 || major == 7 ? 0 : -ENODEV;
}

int backing_update(struct backing_table *table, const char *sysfs)
{
	(void)table, (void)sysfs;
	return 0;
}

int backing_describe(const char *sysfs, unsigned int major, unsigned int minor,
		     struct backing_words *words)
{
	(void)sysfs;
	*words = (struct backing_words){0};
	if (major == 8 && minor) {
		snprintf(words->name, sizeof(words->name), "sda%u", minor);
		strcpy(words->disk, "sda");
	} else if (major == 8) {
		strcpy(words->name, "sda");
	} else if (major == 253) {
		snprintf(words->name, sizeof(words->name), "dm-%u", minor);
		strcpy(words->mapped, "vg-web");
	} else if (major == 7) {
		snprintf(words->name, sizeof(words->name), "loop%u", minor);
		snprintf(words->file, sizeof(words->file), "%s", loop_file);
	}
	return *words->name ? 0 : -ENODEV;
}

void backing_free(struct backing_table *table)
{
	*table = (struct backing_table){0};
}

__attribute__((format(printf, 2, 3))) static void node(const char *value, const char *fmt,
						       ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fake_write(path, value);
}

/* @version: of its tracer's protocol; NULL: it has none */
static void add_guest(unsigned int domid, const char *name, const char *version)
{
	node("", "/local/domain/%u", domid);
	node(name, "/local/domain/%u/name", domid);
	if (!version)
		return;
	node("", "/local/domain/%u/data/xenrelay/xblk", domid);
	node(version, "/local/domain/%u/data/xenrelay/xblk/version", domid);
}

/* With the guest's end of it; @device may be NULL. */
static void add_disk(unsigned int backend, const char *kind, unsigned int domid,
		     unsigned int devid, const char *dev, const char *device)
{
	char dir[128];

	node("", "/local/domain/%u/backend/%s", backend, kind);
	snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s/%u/%u", backend, kind,
		 domid, devid);
	node("", "%s", dir);
	node(dev, "%s/dev", dir);
	node("/dev/vg/x", "%s/params", dir);
	node("w", "%s/mode", dir);
	node("4", "%s/state", dir);
	if (device)
		node(device, "%s/physical-device", dir);
	snprintf(dir, sizeof(dir), "/local/domain/%u/device/vbd/%u", domid, devid);
	node("", "%s", dir);
	fake_write(strcat(dir, "/state"), "4");
	*strrchr(dir, '/') = '\0';
	node(backend ? "7" : "0", "%s/backend-id", dir);
}

static int list_setup(void **state)
{
	(void)state;
	fake_begin();
	node("0", "domid");
	node("", "/local/domain/0");
	return xenrelay_reader_open(&reader);
}

static int list_teardown(void **state)
{
	(void)state;
	list_free(&list);
	xenrelay_reader_close(reader);
	fake_end();
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, list_setup, list_teardown)

#endif /* PLAYED_LIST_H */
