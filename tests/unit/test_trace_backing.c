// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding what a guest's disk lies on, in a sysfs made for the test: a disk
 * with a partition, a logical volume over two disks (one of them by its
 * partition), a device that is stacked on itself, which must end, and an NVMe disk with
 * two paths, beside what only looks like one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/backing.h"

static char sysfs[] = "/tmp/test_trace_backing.XXXXXX";

static void run(const char *fmt, ...)
{
	char command[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command))
		fail_msg("%s", command);
}

/* A block device's directory and the link to it by number. */
static void device(const char *dir, const char *dev)
{
	run("mkdir -p %s/devices/%s %s/dev/block && echo %s >%s/devices/%s/dev && "
	    "ln -s ../../devices/%s %s/dev/block/%s",
	    sysfs, dir, sysfs, dev, sysfs, dir, dir, sysfs, dev);
}

static void diskseq(const char *dir, unsigned int seq)
{
	run("echo %u >%s/devices/%s/diskseq", seq, sysfs, dir);
}

static void scheduler(const char *dir, const char *text)
{
	run("mkdir -p %s/devices/%s/queue && echo '%s' >%s/devices/%s/queue/scheduler",
	    sysfs, dir, text, sysfs, dir);
}

static void partition(const char *dir, unsigned int number, unsigned int start)
{
	run("echo %u >%s/devices/%s/partition; echo %u >%s/devices/%s/start", number,
	    sysfs, dir, start, sysfs, dir);
}

static void slave(const char *upper, const char *lower)
{
	run("mkdir -p %s/devices/%s/slaves && ln -s ../../%s %s/devices/%s/slaves/",
	    sysfs, upper, lower, sysfs, upper);
}

static void hidden(const char *dir, unsigned int seq)
{
	run("mkdir -p %s/devices/%s && echo 1 >%s/devices/%s/hidden", sysfs, dir, sysfs,
	    dir);
	diskseq(dir, seq);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(sysfs))
		return -1;
	device("sda", "8:0");
	diskseq("sda", 3);
	scheduler("sda", "none [mq-deadline] kyber bfq");
	device("sda/sda2", "8:2");
	partition("sda/sda2", 2, 4096);
	device("nvme0n1", "259:0");
	diskseq("nvme0n1", 4);
	scheduler("nvme0n1", "[none] mq-deadline");
	device("dm-0", "253:0");
	diskseq("dm-0", 5);
	slave("dm-0", "nvme0n1");
	slave("dm-0", "sda/sda2");
	device("dm-1", "253:1");
	diskseq("dm-1", 6);
	scheduler("dm-1", "none");
	slave("dm-1", "dm-1");
	device("nvme-subsys3/nvme3n1", "259:7");
	diskseq("nvme-subsys3/nvme3n1", 10);
	hidden("pci/nvme3/nvme3c3n1", 11);
	hidden("pci/nvme4/nvme3c4n1", 12);
	hidden("pci/nvme4/nvme3c4n2", 13);  /* of another disk */
	hidden("pci/nvme4/nvme3c4n1x", 14); /* of none */
	run("mkdir %s/devices/pci/nvme4/nvme3c5n1 && ln -s ../pci/nvme3 ../pci/nvme4 "
	    "%s/devices/nvme-subsys3/",
	    sysfs, sysfs);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run("rm -rf %s", sysfs);
	return 0;
}

static void expect(const struct backing_table *t, unsigned int i, const char *name,
		   unsigned int major, unsigned int minor, const char *sched, int part_of)
{
	assert_true(i < t->nr);
	assert_string_equal(t->entries[i].name, name);
	assert_int_equal(t->entries[i].major, major);
	assert_int_equal(t->entries[i].minor, minor);
	assert_string_equal(t->entries[i].scheduler, sched);
	assert_int_equal(t->entries[i].part_of, part_of);
}

static void test_disk_and_partition(void **state)
{
	struct backing_table t = {0};
	uint64_t start = 1;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 8, 0, &start), 0);
	assert_int_equal(start, 0);
	expect(&t, 0, "sda", 8, 0, "mq-deadline", -1);

	/* Its partition is the same device, further in. */
	assert_int_equal(backing_add(&t, sysfs, 8, 2, &start), 0);
	assert_int_equal(start, 4096);
	assert_int_equal(t.nr, 1);

	assert_int_equal(backing_add(&t, sysfs, 259, 0, &start), 1);
	expect(&t, 1, "nvme0n1", 259, 0, "none", -1);
	backing_free(&t);
}

static void test_volume(void **state)
{
	struct backing_table t = {0};
	uint64_t start;
	unsigned int i;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 253, 0, &start), 0);
	assert_int_equal(t.nr, 3);
	expect(&t, 0, "dm-0", 253, 0, "", -1);
	for (i = 1; i < 3; i++)
		assert_int_equal(t.entries[i].part_of, 0);
	assert_string_not_equal(t.entries[1].name, t.entries[2].name);

	/* A disk below it that a guest has for itself too is nobody's part. */
	i = backing_add(&t, sysfs, 8, 0, &start);
	assert_int_equal(t.nr, 3);
	expect(&t, i, "sda", 8, 0, "mq-deadline", -1);
	backing_free(&t);
}

/* Another disk has got the number of one that is traced. */
static void test_reused_number(void **state)
{
	struct backing_table t = {0};
	uint64_t start;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 8, 2, &start), 0);
	assert_int_equal(t.entries[0].diskseq, 3);
	diskseq("sda", 9);
	assert_int_equal(backing_add(&t, sysfs, 8, 2, &start), 1);
	expect(&t, 1, "sda", 8, 0, "mq-deadline", -1);
	assert_int_equal(t.entries[1].diskseq, 9);
	assert_int_equal(backing_add(&t, sysfs, 8, 0, &start), 1);
	assert_int_equal(t.nr, 2);
	diskseq("sda", 3);
	backing_free(&t);
}

static void expect_words(unsigned int major, unsigned int minor, const char *name,
			 const char *disk, const char *mapped, const char *file)
{
	struct backing_words words;

	assert_int_equal(backing_describe(sysfs, major, minor, &words), 0);
	assert_string_equal(words.name, name);
	assert_string_equal(words.disk, disk);
	assert_string_equal(words.mapped, mapped);
	assert_string_equal(words.file, file);
}

static void test_words(void **state)
{
	struct backing_words words;

	(void)state;
	run("mkdir %s/devices/dm-1/dm && echo vg-web >%s/devices/dm-1/dm/name", sysfs,
	    sysfs);
	device("loop0", "7:0");
	device("loop0/loop0p1", "7:1");
	partition("loop0/loop0p1", 1, 8);
	run("mkdir %s/devices/loop0/loop && echo '/srv/a disk' "
	    ">%s/devices/loop0/loop/backing_file",
	    sysfs, sysfs);
	expect_words(8, 0, "sda", "", "", "");
	expect_words(8, 2, "sda2", "sda", "", "");
	expect_words(253, 1, "dm-1", "", "vg-web", "");
	expect_words(7, 0, "loop0", "", "", "/srv/a disk");
	expect_words(7, 1, "loop0p1", "loop0", "", "/srv/a disk");
	/* One that is let go of, and a name that is longer than what is kept of it. */
	run(": >%s/devices/loop0/loop/backing_file", sysfs);
	expect_words(7, 0, "loop0", "", "", "");
	run("printf %%0400d 0 >%s/devices/loop0/loop/backing_file", sysfs);
	assert_int_equal(backing_describe(sysfs, 7, 0, &words), 0);
	assert_int_equal(strlen(words.file), sizeof(words.file) - 1);
	assert_int_equal(backing_describe(sysfs, 8, 9, &words), -ENODEV);
	assert_string_equal(words.name, "");
}

static void test_circle(void **state)
{
	struct backing_table t = {0};
	uint64_t start;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 253, 1, &start), 0);
	assert_int_equal(t.nr, 1);
	expect(&t, 0, "dm-1", 253, 1, "none", -1);
	backing_free(&t);
}

static void expect_path(const struct backing_table *t, uint64_t seq, const char *name)
{
	unsigned int i;

	for (i = 0; i < t->nr && t->entries[i].diskseq != seq; i++)
		;
	expect(t, i, name, 0, 0, "", 0);
}

static void test_nvme_paths(void **state)
{
	struct backing_table t = {0};
	uint64_t start;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 259, 7, &start), 0);
	assert_int_equal(t.nr, 3);
	expect(&t, 0, "nvme3n1", 259, 7, "", -1);
	expect_path(&t, 11, "nvme3c3n1");
	expect_path(&t, 12, "nvme3c4n1");

	/* One goes, and comes back as another. */
	run("rm %s/devices/pci/nvme4/nvme3c4n1/*", sysfs);
	assert_int_equal(backing_update(&t, sysfs), 0);
	assert_int_equal(t.nr, 3);
	hidden("pci/nvme4/nvme3c4n1", 15);
	assert_int_equal(backing_update(&t, sysfs), 0);
	assert_int_equal(t.nr, 4);
	expect(&t, 3, "nvme3c4n1", 0, 0, "", 0);
	assert_int_equal(t.entries[3].diskseq, 15);
	backing_free(&t);
}

/* A volume that was moved: the disk that it lies on now is traced, too. */
static void test_moved_volume(void **state)
{
	struct backing_table t = {0};
	uint64_t start;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 253, 0, &start), 0);
	assert_int_equal(t.nr, 3);
	assert_int_equal(backing_update(&t, sysfs), 0);
	assert_int_equal(t.nr, 3);
	device("sdb", "8:16");
	diskseq("sdb", 20);
	run("rm %s/devices/dm-0/slaves/nvme0n1", sysfs);
	slave("dm-0", "sdb");
	assert_int_equal(backing_update(&t, sysfs), 0);
	assert_int_equal(t.nr, 4);
	expect(&t, 3, "sdb", 8, 16, "", 0);

	/* Another device that has the volume's number is none of a guest's. */
	diskseq("dm-0", 21);
	slave("dm-0", "nvme0n1");
	run("echo 22 >%s/devices/nvme0n1/diskseq", sysfs);
	assert_int_equal(backing_update(&t, sysfs), 0);
	assert_int_equal(t.nr, 4);
	diskseq("dm-0", 5);
	diskseq("nvme0n1", 4);
	run("rm %s/devices/dm-0/slaves/sdb", sysfs);
	backing_free(&t);
}

static void test_unknown(void **state)
{
	struct backing_table t = {0};
	uint64_t start;

	(void)state;
	assert_int_equal(backing_add(&t, sysfs, 1, 1, &start), -ENODEV);
	assert_int_equal(t.nr, 0);
	backing_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_and_partition),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_reused_number),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_nvme_paths),
		cmocka_unit_test(test_moved_volume),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
