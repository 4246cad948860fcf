// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dom0.h"
#include "msg.h"
#include "number.h"
#include "xblk/control.h"
#include "xblk/record.h"

#ifndef XBLK_DOM0_DEVICE
#define XBLK_DOM0_DEVICE "/dev/" XBLK_CONTROL_DEVICE
#define XBLK_DOM0_DIR	 "/sys/kernel/debug/" XBLK_CONTROL_DIR
#endif
#define STATS_PATH XBLK_DOM0_DIR "/" XBLK_CONTROL_STATS
#define NOW_PATH   XBLK_DOM0_DIR "/" XBLK_CONTROL_NOW
/* What a module had that took its commands from debugfs. */
#define FORMER_CONTROL XBLK_DOM0_DIR "/control"

#define MAX_CPUS   4096
#define STATS_SIZE (256 * 1024)

static int fail_older_module(void)
{
	return msg_error(
		"the module xblk-dom0 that is loaded is older than this xblktrace: "
		"load the one that came with it");
}

static int fail_control(int err)
{
	switch (err) {
	case ENOENT:
		if (!access(FORMER_CONTROL, F_OK))
			return fail_older_module();
		return msg_error("the tracer is not loaded in this domain: load it with "
				 "'modprobe xblk-dom0'");
	case EBUSY:
		return msg_error(
			"another program is tracing with xblk-dom0: if it is another "
			"xblktrace, 'xblktrace --status' shows it: wait until it has "
			"ended");
	default:
		return msg_error(XBLK_DOM0_DEVICE ": %s", strerror(err));
	}
}

static int check_version(const struct dom0 *dom0)
{
	if (dom0->version < XBLK_CONTROL_VERSION)
		return fail_older_module();
	if (dom0->version > XBLK_CONTROL_VERSION)
		return msg_error(
			"this xblktrace is older than the module xblk-dom0 that is "
			"loaded: install the one that came with it");
	return 0;
}

int dom0_open(struct dom0 *dom0)
{
	*dom0 = (struct dom0){.control = -1, .stats = -1, .now = -1};
	dom0->control = open(XBLK_DOM0_DEVICE, O_WRONLY | O_CLOEXEC);
	if (dom0->control < 0)
		return fail_control(errno);
	dom0->stats = open(STATS_PATH, O_RDONLY | O_CLOEXEC);
	if (dom0->stats < 0)
		return msg_error(STATS_PATH ": %s", strerror(errno));
	dom0->now = open(NOW_PATH, O_RDONLY | O_CLOEXEC);
	if (dom0->now < 0)
		return msg_error(NOW_PATH ": %s", strerror(errno));
	return dom0_read_stats(dom0) ? -1 : check_version(dom0);
}

static int open_cpus(struct dom0 *dom0, unsigned int own_domid)
{
	unsigned int cpu;

	/* Possible CPUs may be numbered with gaps. */
	for (cpu = 0; cpu < MAX_CPUS; cpu++) {
		struct dom0_cpu *cpus;
		char path[64];
		int fd;

		snprintf(path, sizeof(path), XBLK_DOM0_DIR "/" XBLK_CONTROL_TRACE "%u",
			 cpu);
		fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
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

/**
 * struct line - an "add" command that is being made
 * @text:	it, as far as it is: "add domids=3,4"
 * @key:	of the list that it ends with
 */
struct line {
	char text[XBLK_CONTROL_MAX_LINE + 1];
	size_t used;
	const char *key;
};

static int line_send(struct dom0 *dom0, struct line *line)
{
	int err;

	if (!line->used)
		return 0;
	msg_verbose("xblk-dom0: %s", line->text);
	err = command(dom0, line->text);
	line->used = 0;
	return err ? msg_error("xblk-dom0 cannot trace more: %s", strerror(-err)) : 0;
}

/* Put an item behind @key; there are as many lines as it takes. */
static int line_put(struct dom0 *dom0, struct line *line, const char *key,
		    const char *item)
{
	/* With what stands in front of a list's first item, it is longest. */
	size_t need = strlen(key) + strlen(item) + sizeof(XBLK_CONTROL_ADD "  =");

	if (line->used + need > XBLK_CONTROL_MAX_LINE && line_send(dom0, line))
		return -1;
	if (!line->used) {
		line->used = strlen(strcpy(line->text, XBLK_CONTROL_ADD));
		line->key = NULL;
	}
	if (line->key == key)
		line->used += sprintf(line->text + line->used, ",%s", item);
	else
		line->used += sprintf(line->text + line->used, " %s=%s", key, item);
	line->key = key;
	return 0;
}

int dom0_add(struct dom0 *dom0, const struct backing_table *backing, unsigned int first,
	     const struct domain *domains, unsigned int nr_domains)
{
	static const char domids[] = XBLK_CONTROL_KEY_DOMIDS;
	static const char disks[] = XBLK_CONTROL_KEY_DISKS;
	struct line line = {.used = 0};
	char item[64];
	unsigned int i;

	for (i = 0; i < nr_domains; i++) {
		snprintf(item, sizeof(item), "%u", domains[i].domid);
		if (line_put(dom0, &line, domids, item))
			return -1;
	}
	for (i = first; i < backing->nr; i++) {
		const struct backing *b = &backing->entries[i];

		snprintf(item, sizeof(item), "%u:%u@%" PRIu64, b->major, b->minor,
			 b->diskseq);
		if (line_put(dom0, &line, disks, item))
			return -1;
	}
	if (line_send(dom0, &line))
		return -1;
	/* Probes may have been attached since: to a module that has come. */
	return dom0_read_stats(dom0);
}

/* Return: 0, or a negative errno: -EINVAL from a module that does not understand it. */
static int send_start(struct dom0 *dom0, const struct options *opts, bool no_merges)
{
	char text[256], ops[32] = "";

	/* Not a word of it if there is no choice: an older module knows nothing of it. */
	if (opts->ops)
		snprintf(ops, sizeof(ops), " " XBLK_CONTROL_KEY_OPS "=%u", opts->ops);
	snprintf(
		text, sizeof(text),
		XBLK_CONTROL_START
		" " XBLK_CONTROL_KEY_VERSION "=%u " XBLK_CONTROL_KEY_SUBBUF_KB
		"=%u " XBLK_CONTROL_KEY_NR_SUBBUFS "=%u " XBLK_CONTROL_KEY_MODE "=%s%s%s",
		XBLK_CONTROL_VERSION, opts->subbuf_kib, opts->nr_subbufs,
		opts->overwrite ? XBLK_CONTROL_MODE_OVERWRITE : XBLK_CONTROL_MODE_DISCARD,
		ops, no_merges ? " " XBLK_CONTROL_KEY_MERGES "=0" : "");
	msg_verbose("xblk-dom0: %s", text);
	return command(dom0, text);
}

int dom0_start(struct dom0 *dom0, unsigned int own_domid, const struct options *opts,
	       const struct backing_table *backing, const struct domain *domains,
	       unsigned int nr_domains)
{
	int err;

	if (dom0_add(dom0, backing, 0, domains, nr_domains))
		return -1;
	err = send_start(dom0, opts, opts->no_merges);
	dom0->no_merges = opts->no_merges && !err;
	if (err == -EINVAL && opts->no_merges) {
		/* More than was asked for does no harm. */
		err = send_start(dom0, opts, false);
		if (!err)
			msg_say("xblk-dom0 is an older one, which records merges");
	}
	if (err == -ENOMEM)
		return msg_error(
			"xblk-dom0 has no memory for %u KiB of buffers for each CPU: "
			"use smaller ones (-b, -n)",
			opts->subbuf_kib * opts->nr_subbufs);
	if (err == -EINVAL && opts->ops)
		return fail_older_module();
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
		return msg_error(NOW_PATH ": %s", n ? strerror(errno) : "empty");
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (number_u64(strsep(&next, " "), 0, UINT64_MAX, ns) || !next ||
	    number_u64(next, 0, UINT64_MAX, level))
		return msg_error(NOW_PATH ": not two numbers: is xblk-dom0 of another "
					  "version?");
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

		if (!room && !writer_error(w))
			break;
		if (!room)
			return writer_error(w) ? -1 : records;
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
		if (writer_commit(w, &cpu->stream, n, time))
			names_note(&dom0->names, room, n);
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
			return msg_error(XBLK_DOM0_DIR "/" XBLK_CONTROL_TRACE "%u: %s",
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

/* "NAME", or "NAME WORD...": the words are *@rest, and may be none. */
static bool is_line(const char *line, const char *name, const char **rest)
{
	size_t len = strlen(name);

	if (strncmp(line, name, len) || (line[len] && line[len] != ' '))
		return false;
	*rest = line + len + (line[len] == ' ');
	return true;
}

static void take_cpu(struct dom0 *dom0, const char *line)
{
	unsigned long long produced, lost, marks;
	unsigned int cpu, i;

	if (sscanf(line, "%u produced %llu lost %llu marks %llu", &cpu, &produced, &lost,
		   &marks) != 4)
		return;
	for (i = 0; i < dom0->nr_cpus; i++) {
		if (dom0->cpus[i].stream.cpu != cpu)
			continue;
		dom0->cpus[i].produced = produced;
		dom0->cpus[i].lost = lost;
		dom0->cpus[i].stream.marks += marks - dom0->cpus[i].marks;
		dom0->cpus[i].marks = marks;
	}
}

/* Lines that are not known are a newer module's, which says so by its version. */
static void take_stats_line(struct dom0 *dom0, const char *line)
{
	const char *rest;

	if (is_line(line, XBLK_CONTROL_STAT_CPU, &rest))
		take_cpu(dom0, rest);
	else if (is_line(line, XBLK_CONTROL_STAT_PROBES, &rest))
		snprintf(dom0->probes, sizeof(dom0->probes), "%s", rest);
	else if (is_line(line, XBLK_CONTROL_STAT_MISSING, &rest))
		snprintf(dom0->missing, sizeof(dom0->missing), "%s", rest);
	else if (is_line(line, XBLK_CONTROL_STAT_UNCERTAINTY, &rest))
		number_uint(rest, 0, UINT32_MAX, &dom0->clock_uncertainty_ns);
	else if (is_line(line, XBLK_CONTROL_STAT_CLOCK, &rest))
		snprintf(dom0->clock, sizeof(dom0->clock), "%s", rest);
	else if (is_line(line, XBLK_CONTROL_STAT_VERSION, &rest))
		number_uint(rest, 0, UINT32_MAX, &dom0->version);
	else if (is_line(line, XBLK_CONTROL_STAT_RINGS_DROPPED, &rest))
		number_uint(rest, 0, UINT32_MAX, &dom0->rings_dropped);
}

static void say_rings_dropped(struct dom0 *dom0)
{
	if (!dom0->rings_dropped || dom0->rings_dropped_said)
		return;
	dom0->rings_dropped_said = true;
	msg_say("this domain serves more rings than xblk-dom0 has room for: the requests of "
		"some lack the parts of U-T and 0-T");
}

/* The module has measured it all the time, and says the most that it can have been. */
static void say_clock_off(struct dom0 *dom0)
{
	if (dom0->clock_uncertainty_ns <= XBLK_CLOCK_BOUND || dom0->clock_off_said)
		return;
	dom0->clock_off_said = true;
	msg_say("this domain's clock may be off Xen's by %u us: what lies between guest and "
		"backend, U-T and 0-T, is not known more exactly",
		dom0->clock_uncertainty_ns / 1000);
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
		return msg_error(STATS_PATH ": %s", strerror(errno));
	}
	text[used] = '\0';
	for (next = text; (line = strsep(&next, "\n"));)
		take_stats_line(dom0, line);
	free(text);
	say_rings_dropped(dom0);
	say_clock_off(dom0);
	return 0;
}

static void *stop(void *arg)
{
	struct dom0 *dom0 = arg;

	dom0->stop_err = command(dom0, XBLK_CONTROL_STOP);
	return NULL;
}

/* Without a thread it is done when it is waited for. */
void dom0_stop_begin(struct dom0 *dom0)
{
	dom0->stopping = !pthread_create(&dom0->stopper, NULL, stop, dom0);
}

int dom0_stop(struct dom0 *dom0)
{
	if (dom0->stopping)
		pthread_join(dom0->stopper, NULL);
	else
		stop(dom0);
	dom0->stopping = false;
	return dom0->stop_err
		       ? msg_error("xblk-dom0 cannot stop: %s", strerror(-dom0->stop_err))
		       : 0;
}

void dom0_close(struct dom0 *dom0)
{
	unsigned int i;

	for (i = 0; i < dom0->nr_cpus; i++)
		close(dom0->cpus[i].fd);
	free(dom0->cpus);
	names_free(&dom0->names);
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
