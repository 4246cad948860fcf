// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backing.h"
#include "number.h"

#define MAX_STACK 8 /* levels of stacked devices followed */

/* One line of a sysfs file, without its newline. */
static bool read_line(const char *dir, const char *file, char *line, size_t size)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, size, f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static bool read_dev(const char *dir, unsigned int *major, unsigned int *minor)
{
	char line[32];

	return read_line(dir, "dev", line, sizeof(line)) &&
	       sscanf(line, "%u:%u", major, minor) == 2;
}

/* "none [mq-deadline] kyber" -> "mq-deadline" */
static void read_scheduler(const char *dir, char *to, size_t size)
{
	char line[256];
	char *begin, *end;

	to[0] = '\0';
	if (!read_line(dir, "queue/scheduler", line, sizeof(line)))
		return;
	begin = strchr(line, '[');
	end = begin ? strchr(begin, ']') : NULL;
	if (end)
		snprintf(to, size, "%.*s", (int)(end - begin - 1), begin + 1);
	else
		snprintf(to, size, "%.31s", line);
}

/* Linux has it since 5.15. */
static bool read_diskseq(const char *dir, uint64_t *diskseq)
{
	char line[32];

	return read_line(dir, "diskseq", line, sizeof(line)) &&
	       !number_u64(line, 1, UINT64_MAX, diskseq);
}

static int find(const struct backing_table *table, unsigned int major, unsigned int minor,
		uint64_t diskseq)
{
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		if (table->entries[i].major == major &&
		    table->entries[i].minor == minor &&
		    table->entries[i].diskseq == diskseq)
			return i;
	return -1;
}

static int append(struct backing_table *table, const char *dir, unsigned int major,
		  unsigned int minor, uint64_t diskseq, int part_of)
{
	struct backing *entries, *b;

	entries = reallocarray(table->entries, table->nr + 1, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	table->entries = entries;
	b = &entries[table->nr];
	*b = (struct backing){
		.major = major,
		.minor = minor,
		.diskseq = diskseq,
		.part_of = part_of,
	};
	snprintf(b->name, sizeof(b->name), "%.63s", strrchr(dir, '/') + 1);
	read_scheduler(dir, b->scheduler, sizeof(b->scheduler));
	return table->nr++;
}

static int add(struct backing_table *table, const char *sysfs, unsigned int major,
	       unsigned int minor, uint64_t *start_sector, int part_of, int depth);

/* Whether a name is made like this, with whole numbers: "nvme%uc%un%u". */
static bool is_named(const char *name, const char *format, unsigned int *numbers)
{
	char again[64];

	if (sscanf(name, format, &numbers[0], &numbers[1], &numbers[2]) < 1)
		return false;
	snprintf(again, sizeof(again), format, numbers[0], numbers[1], numbers[2]);
	return !strcmp(name, again);
}

static int add_path(struct backing_table *table, const char *dir, int index)
{
	char line[32];
	uint64_t diskseq;
	int i;

	/* It may have gone meanwhile. */
	if (!read_line(dir, "hidden", line, sizeof(line)) || strcmp(line, "1") ||
	    !read_diskseq(dir, &diskseq))
		return 0;
	i = find(table, 0, 0, diskseq);
	return i >= 0 ? i : append(table, dir, 0, 0, diskseq, index);
}

/* Of one controller, paths to the disk that @head has the numbers of. */
static int add_controller_paths(struct backing_table *table, const char *dir,
				const unsigned int *head, int index)
{
	const struct dirent *entry;
	DIR *paths = opendir(dir);
	int ret = 0;

	if (!paths)
		return 0;
	while (ret >= 0 && (entry = readdir(paths))) {
		char path[PATH_MAX + 300];
		unsigned int n[3] = {0};

		if (!is_named(entry->d_name, "nvme%uc%un%u", n) || n[0] != head[0] ||
		    n[2] != head[1])
			continue;
		snprintf(path, sizeof(path), "%.4095s/%s", dir, entry->d_name);
		ret = add_path(table, path, index);
	}
	closedir(paths);
	return ret < 0 ? ret : 0;
}

/*
 * A disk of NVMe multipath, nvme0n1, lies in its subsystem's directory beside links to
 * the controllers, and each of these has its path, nvme0c3n1: a disk that is hidden, so
 * that it has no device number and is no slave of anything (nvme_mpath_set_disk_name()
 * and nvme_init_subsystem() in drivers/nvme/host, 6.1 to 7.2).
 */
static int add_nvme_paths(struct backing_table *table, const char *dir, int index)
{
	char subsystem[PATH_MAX], path[PATH_MAX + 300];
	unsigned int head[3] = {0}, n[3] = {0};
	const struct dirent *entry;
	DIR *controllers;
	int ret = 0;

	if (!is_named(strrchr(dir, '/') + 1, "nvme%un%u", head))
		return 0;
	snprintf(subsystem, sizeof(subsystem), "%s", dir);
	*strrchr(subsystem, '/') = '\0';
	if (!is_named(strrchr(subsystem, '/') + 1, "nvme-subsys%u", n))
		return 0;
	controllers = opendir(subsystem);
	if (!controllers)
		return 0;
	/* Paths come and go. */
	table->entries[index].stacked = true;
	while (ret >= 0 && (entry = readdir(controllers))) {
		if (!is_named(entry->d_name, "nvme%u", n))
			continue;
		snprintf(path, sizeof(path), "%.4095s/%s", subsystem, entry->d_name);
		ret = add_controller_paths(table, path, head, index);
	}
	closedir(controllers);
	return ret < 0 ? ret : 0;
}

static int add_slaves(struct backing_table *table, const char *sysfs, const char *dir,
		      int index, int depth)
{
	char path[PATH_MAX + 16];
	const struct dirent *entry;
	int ret = 0;
	DIR *slaves;

	snprintf(path, sizeof(path), "%s/slaves", dir);
	slaves = opendir(path);
	if (!slaves)
		return 0;
	while (ret >= 0 && (entry = readdir(slaves))) {
		unsigned int major, minor;
		uint64_t start;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.2048s/slaves/%s", dir, entry->d_name);
		if (!read_dev(path, &major, &minor))
			continue;
		table->entries[index].stacked = true;
		ret = add(table, sysfs, major, minor, &start, index, depth + 1);
		if (ret == -ENODEV)
			ret = 0;
	}
	closedir(slaves);
	return ret < 0 ? ret : 0;
}

static int add_lower(struct backing_table *table, const char *sysfs, const char *dir,
		     int index, int depth)
{
	int err = add_slaves(table, sysfs, dir, index, depth);

	return err ? err : add_nvme_paths(table, dir, index);
}

/* The directory of a device, which may be a partition.  Return: 0, or negative errno. */
static int find_own_dir(const char *sysfs, unsigned int major, unsigned int minor,
			char *dir)
{
	char link[PATH_MAX];

	snprintf(link, sizeof(link), "%s/dev/block/%u:%u", sysfs, major, minor);
	if (!realpath(link, dir))
		return errno == ENOENT ? -ENODEV : -errno;
	return 0;
}

static bool is_partition(const char *dir)
{
	char line[32];

	return read_line(dir, "partition", line, sizeof(line));
}

/*
 * The directory of a whole device, which *@major and *@minor are the number of then.
 * Return: 0, or negative errno.
 */
static int find_dir(const char *sysfs, unsigned int *major, unsigned int *minor,
		    uint64_t *start_sector, char *dir)
{
	int err = find_own_dir(sysfs, *major, *minor, dir);
	char line[32];

	*start_sector = 0;
	if (err || !is_partition(dir))
		return err;
	/* A partition's directory lies in that of its whole device. */
	if (!read_line(dir, "start", line, sizeof(line)) ||
	    number_u64(line, 0, UINT64_MAX, start_sector))
		return -EIO;
	*strrchr(dir, '/') = '\0';
	return read_dev(dir, major, minor) ? 0 : -EIO;
}

static int add(struct backing_table *table, const char *sysfs, unsigned int major,
	       unsigned int minor, uint64_t *start_sector, int part_of, int depth)
{
	char dir[PATH_MAX];
	uint64_t diskseq;
	int index, err;

	err = find_dir(sysfs, &major, &minor, start_sector, dir);
	if (err)
		return err;
	if (!read_diskseq(dir, &diskseq))
		return -EIO;
	index = find(table, major, minor, diskseq);
	if (index >= 0)
		return index;
	index = append(table, dir, major, minor, diskseq, part_of);
	if (index < 0 || depth >= MAX_STACK)
		return index;
	err = add_lower(table, sysfs, dir, index, depth);
	return err ? err : index;
}

int backing_add(struct backing_table *table, const char *sysfs, unsigned int major,
		unsigned int minor, uint64_t *start_sector)
{
	int index = add(table, sysfs, major, minor, start_sector, -1, 0);

	/* A guest's disk lies on it directly, even if it was found below another. */
	if (index >= 0 && table->entries[index].part_of >= 0) {
		table->entries[index].part_of = -1;
		table->entries[index].told = 0;
	}
	return index;
}

int backing_update(struct backing_table *table, const char *sysfs)
{
	unsigned int i, nr = table->nr;
	int err = 0;

	for (i = 0; !err && i < nr; i++) {
		unsigned int major = table->entries[i].major;
		unsigned int minor = table->entries[i].minor;
		uint64_t start, diskseq;
		char dir[PATH_MAX];

		/* It may have gone, and another device have its number. */
		if (!table->entries[i].stacked ||
		    find_dir(sysfs, &major, &minor, &start, dir) ||
		    !read_diskseq(dir, &diskseq) || diskseq != table->entries[i].diskseq)
			continue;
		err = add_lower(table, sysfs, dir, i, 0);
	}
	return err;
}

int backing_describe(const char *sysfs, unsigned int major, unsigned int minor,
		     struct backing_words *words)
{
	char dir[PATH_MAX];
	int err = find_own_dir(sysfs, major, minor, dir);

	*words = (struct backing_words){0};
	if (err)
		return err;
	snprintf(words->name, sizeof(words->name), "%.63s", strrchr(dir, '/') + 1);
	if (is_partition(dir)) {
		*strrchr(dir, '/') = '\0';
		snprintf(words->disk, sizeof(words->disk), "%.63s",
			 strrchr(dir, '/') + 1);
	}
	read_line(dir, "dm/name", words->mapped, sizeof(words->mapped));
	read_line(dir, "loop/backing_file", words->file, sizeof(words->file));
	return 0;
}

void backing_free(struct backing_table *table)
{
	free(table->entries);
	*table = (struct backing_table){0};
}
