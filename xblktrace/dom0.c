// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dom0.h"
#include "msg.h"
#include "parse.h"

#ifndef XBLK_DOM0_DIR
#define XBLK_DOM0_DIR "/sys/kernel/debug/xblk-dom0"
#endif
#define MAX_CPUS      4096
#define STATS_SIZE    (256 * 1024)
#define COMMAND_SIZE  4096 /* the module's own limit */
#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"

static int fail_lockdown(void)
{
	char mode[64] = "";
	FILE *f = fopen(LOCKDOWN_FILE, "re");

	if (f) {
		if (!fgets(mode, sizeof(mode), f))
			mode[0] = '\0';
		fclose(f);
	}
	mode[strcspn(mode, "\n")] = '\0';
	return msg_error("the kernel refuses access to debugfs (lockdown%s%s): boot it "
			 "without Secure Boot or with 'lockdown=none'",
			 *mode ? ": " : "", mode);
}

int dom0_open(struct dom0 *dom0)
{
	*dom0 = (struct dom0){.control = -1, .stats = -1, .now = -1};
	dom0->control = open(XBLK_DOM0_DIR "/control", O_WRONLY | O_CLOEXEC);
	if (dom0->control < 0) {
		switch (errno) {
		case ENOENT:
			return msg_error(
				"the tracer is not loaded in this domain: load it "
				"with 'modprobe xblk-dom0'");
		case EPERM:
			return fail_lockdown();
		case EBUSY:
			return msg_error(
				"another program is tracing with xblk-dom0: wait "
				"until it has ended");
		default:
			return msg_error(XBLK_DOM0_DIR "/control: %s", strerror(errno));
		}
	}
	dom0->stats = open(XBLK_DOM0_DIR "/stats", O_RDONLY | O_CLOEXEC);
	if (dom0->stats < 0)
		return msg_error(XBLK_DOM0_DIR "/stats: %s", strerror(errno));
	dom0->now = open(XBLK_DOM0_DIR "/now", O_RDONLY | O_CLOEXEC);
	if (dom0->now < 0)
		return msg_error(XBLK_DOM0_DIR "/now: %s", strerror(errno));
	return 0;
}

static int open_cpus(struct dom0 *dom0, unsigned int own_domid)
{
	unsigned int cpu;

	/* Possible CPUs may be numbered with gaps. */
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		struct dom0_cpu *cpus;
		char path[64];
		int fd;

		snprintf(path, sizeof(path), XBLK_DOM0_DIR "/trace%u", cpu);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 && errno == EPERM)
			return fail_lockdown();
		if (fd < 0)
			return msg_error("%s: %s", path, strerror(errno));
		cpus = reallocarray(dom0->cpus, dom0->nr_cpus + 1, sizeof(*cpus));
		if (!cpus) {
			close(fd);
			return msg_error("out of memory");
		}
		dom0->cpus = cpus;
		cpus[dom0->nr_cpus++] = (struct dom0_cpu){
			.fd = fd,
			.stream = {.domid = own_domid, .cpu = cpu},
		};
	}
	return dom0->nr_cpus ? 0 : msg_error("xblk-dom0 made no trace files");
}

static int command(struct dom0 *dom0, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = write(dom0->control, text, len);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* " domids=3,4 disks=259:0,253:1" */
static void print_traced(FILE *f, const struct backing_table *backing, unsigned int first,
			 const struct domain *domains, unsigned int nr_domains)
{
	unsigned int i;

	for (i = 0; i < nr_domains; i++)
		fprintf(f, "%s%u", i ? "," : " domids=", domains[i].domid);
	for (i = first; i < backing->nr; i++)
		fprintf(f, "%s%u:%u",
			i > first ? "," : " disks=", backing->entries[i].major,
			backing->entries[i].minor);
}

int dom0_add(struct dom0 *dom0, const struct backing_table *backing, unsigned int first,
	     const struct domain *domains, unsigned int nr_domains)
{
	char text[COMMAND_SIZE];
	FILE *f;
	int err;

	if (first == backing->nr && !nr_domains)
		return 0;
	f = fmemopen(text, sizeof(text), "w");
	if (!f)
		return msg_error("out of memory");
	fprintf(f, "add");
	print_traced(f, backing, first, domains, nr_domains);
	if (fclose(f))
		return msg_error("too many domains and disks at once");
	msg_verbose("xblk-dom0: %s", text);
	err = command(dom0, text);
	return err ? msg_error("xblk-dom0 cannot trace more: %s", strerror(-err)) : 0;
}

int dom0_start(struct dom0 *dom0, unsigned int own_domid, const struct options *opts,
	       const struct backing_table *backing, const struct domain *domains,
	       unsigned int nr_domains)
{
	char text[COMMAND_SIZE];
	FILE *f;
	int err;

	f = fmemopen(text, sizeof(text), "w");
	if (!f)
		return msg_error("out of memory");
	fprintf(f, "start subbuf_kb=%u nr_subbufs=%u%s", opts->subbuf_kib,
		opts->nr_subbufs, opts->overwrite ? " mode=overwrite" : "");
	print_traced(f, backing, 0, domains, nr_domains);
	if (fclose(f))
		return msg_error("too many domains and disks for one capture");
	msg_verbose("xblk-dom0: %s", text);

	err = command(dom0, text);
	if (err == -ENOMEM)
		return msg_error(
			"xblk-dom0 has no memory for %u KiB of buffers for each CPU: "
			"use smaller ones (-b, -n)",
			opts->subbuf_kib * opts->nr_subbufs);
	if (err)
		return msg_error("xblk-dom0 cannot start: %s", strerror(-err));
	dom0->buffer_bytes = (uint64_t)opts->subbuf_kib * opts->nr_subbufs * 1024;
	if (open_cpus(dom0, own_domid) || dom0_read_stats(dom0))
		return -1;
	if (*dom0->missing)
		msg_verbose("xblk-dom0: this kernel lacks the probes %s", dom0->missing);
	return 0;
}

int dom0_look(struct dom0 *dom0, uint64_t *ns, uint64_t *level)
{
	char text[64], *next = text;
	ssize_t n = pread(dom0->now, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return msg_error(XBLK_DOM0_DIR "/now: %s", n ? strerror(errno) : "empty");
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (!parse_u64(strsep(&next, " "), 0, UINT64_MAX, ns) || !next ||
	    !parse_u64(next, 0, UINT64_MAX, level))
		return msg_error(XBLK_DOM0_DIR "/now: not two numbers: is xblk-dom0 of "
					       "another version?");
	return 0;
}

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	uint64_t level;

	return dom0_look(dom0, ns, &level);
}

unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	return level * XBLK_RECORD_SIZE * 1000 / dom0->buffer_bytes;
}

/* Return: records taken from one CPU, -1 if @w has failed, -2 if reading has. */
static int64_t drain_cpu(struct dom0 *dom0, struct dom0_cpu *cpu, struct writer *w,
			 uint64_t time)
{
	uint64_t left = dom0->buffer_bytes / XBLK_RECORD_SIZE;
	int64_t records = 0;

	while (left) {
		size_t max;
		void *room = writer_reserve(w, &max);
		ssize_t n;

		if (!room)
			return -1;
		if (max > left)
			max = left;
		n = read(cpu->fd, room, max * XBLK_RECORD_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -2;
		if (n <= 0)
			break;
		n /= XBLK_RECORD_SIZE;
		writer_commit(w, &cpu->stream, n, time);
		records += n;
		left -= n;
	}
	return records;
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	int64_t records = 0;
	unsigned int i;

	for (i = 0; i < dom0->nr_cpus; i++) {
		int64_t n = drain_cpu(dom0, &dom0->cpus[i], w, time);
		unsigned int full;

		if (n == -2)
			return msg_error(XBLK_DOM0_DIR "/trace%u: %s",
					 dom0->cpus[i].stream.cpu, strerror(errno));
		if (n < 0)
			return -1;
		full = dom0_fullness(dom0, n);
		if (full > *permille)
			*permille = full;
		records += n;
	}
	return records;
}

static void take_stats_line(struct dom0 *dom0, const char *line)
{
	unsigned long long produced, lost, marks;
	unsigned int cpu, i;

	if (!strncmp(line, "probes ", 7)) {
		snprintf(dom0->probes, sizeof(dom0->probes), "%s", line + 7);
	} else if (!strncmp(line, "missing ", 8)) {
		snprintf(dom0->missing, sizeof(dom0->missing), "%s", line + 8);
	} else if (sscanf(line, "cpu %u produced %llu lost %llu marks %llu", &cpu,
			  &produced, &lost, &marks) == 4) {
		for (i = 0; i < dom0->nr_cpus; i++) {
			if (dom0->cpus[i].stream.cpu != cpu)
				continue;
			dom0->cpus[i].produced = produced;
			dom0->cpus[i].lost = lost;
			dom0->cpus[i].stream.marks = marks;
		}
	} else {
		sscanf(line, "clock_uncertainty_ns %u", &dom0->clock_uncertainty_ns);
	}
}

int dom0_read_stats(struct dom0 *dom0)
{
	char *text = malloc(STATS_SIZE), *next, *line;
	size_t used = 0;
	ssize_t n = 0;

	if (!text)
		return msg_error("out of memory");
	/* The kernel hands out such a file a page at a time. */
	while (used < STATS_SIZE - 1 &&
	       (n = pread(dom0->stats, text + used, STATS_SIZE - 1 - used, used)) > 0)
		used += n;
	if (n < 0) {
		free(text);
		return msg_error(XBLK_DOM0_DIR "/stats: %s", strerror(errno));
	}
	text[used] = '\0';
	for (next = text; (line = strsep(&next, "\n"));)
		take_stats_line(dom0, line);
	free(text);
	return 0;
}

int dom0_stop(struct dom0 *dom0)
{
	int err = command(dom0, "stop");

	return err ? msg_error("xblk-dom0 cannot stop: %s", strerror(-err)) : 0;
}

void dom0_close(struct dom0 *dom0)
{
	unsigned int i;

	for (i = 0; i < dom0->nr_cpus; i++)
		close(dom0->cpus[i].fd);
	free(dom0->cpus);
	dom0->cpus = NULL;
	dom0->nr_cpus = 0;
	if (dom0->now >= 0)
		close(dom0->now);
	if (dom0->stats >= 0)
		close(dom0->stats);
	/* Last: this ends the module's session. */
	if (dom0->control >= 0)
		close(dom0->control);
	dom0->now = dom0->stats = dom0->control = -1;
}
