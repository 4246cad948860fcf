/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host as the trace's metadata describes it: domains and their disks,
 * which disk backs which, and the processes that showed up.
 */
#ifndef XBLKPARSE_MODEL_H
#define XBLKPARSE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>

#include "flush.h"
#include "gaps.h"
#include "list.h"
#include "map.h"
#include "stats.h"

#define NAME_LEN      64
#define LABEL_LEN     (NAME_LEN + 16)
#define MAX_DOMAINS   1024
#define MAX_DISKS     4096  /* of one domain */
#define MAX_ALL_DISKS 32768 /* also those that others have replaced */
#define MAX_PROCESSES 65536
#define MATCH_BUCKETS 1024
#define RING_CPUS     64 /* as many as a channel has rings */
#define MATCH_CLAIMS  4096

struct domain;

struct disk {
	struct domain *dom;
	unsigned int index; /* in the domain's records */
	char name[NAME_LEN];
	char label[LABEL_LEN]; /* "xvda", of further ones of that name "xvda#2" */
	unsigned int namesake; /* 1: the domain's first one of that name */
	char dev[NAME_LEN];
	bool gone; /* a later metadata has another disk at this index */
	/* a guest's */
	char guest[NAME_LEN]; /* its name: another one may get the domain id */
	unsigned int devid;
	struct disk *backing; /* NULL: not served by a blkback that is traced */
	uint64_t start_sector;
	uint64_t first_d_ns; /* of its first request that was seen to be issued; or 0 */
	/* when requests were last under way that had been issued before; or 0 */
	uint64_t unseen_ns;
	struct disk_stats stats;
	struct flushes *flushes; /* both sides'; NULL until it has one */
	/* blkback's thread (pid) that serves the ring of a vCPU, as last seen; 0: not
	 * known */
	uint32_t ring_thread[RING_CPUS];
	/* both sides' */
	struct flush_times *flush_times; /* NULL until there is one */
	/* the backend's */
	char scheduler[NAME_LEN];
	uint64_t own_bios; /* not blkback's */
	uint64_t own_sectors;
};

/* A bio is sent on to a lower device: what its Q there will not say. */
struct remap {
	bool pending;
	uint32_t id;
	uint16_t to_disk, from_disk;
	uint64_t from_sector;
};

struct process {
	uint32_t pid;
	char comm[XBLK_COMM_LEN + 1];
	bool kthread, known;
	uint32_t last_bio;   /* which it queued last: a split is of that one */
	unsigned int meta;   /* metadata that @serves was looked up in */
	struct disk *serves; /* guest disk whose blkback thread this is */
	struct remap remap;  /* of the bio that it queues next */
	/* blkback's thread: when it went about its request, and what had woken it */
	uint64_t thread_ns, interrupt_ns;
	bool queued; /* a bio of that request */
};

/* What is probed for the substages alone, where a kernel has it by that name. */
enum probe {
	PROBE_BACK_INTERRUPT,
	PROBE_MAP,
	PROBE_RESPONSE,
	PROBE_FRONT_INTERRUPT,
	PROBE_MAX
};

extern const char *const probe_names[PROBE_MAX];

/* Which of them are of a backend's kernel, and which of a guest's. */
static inline bool probe_is_of(enum probe probe, bool backend)
{
	return (probe != PROBE_FRONT_INTERRUPT) == backend;
}

struct domain {
	unsigned int domid;
	bool backend;
	bool described; /* by the metadata */
	char name[NAME_LEN], uuid[NAME_LEN];
	uint64_t uncertainty_ns;
	bool probes_told;    /* the metadata says which there are */
	unsigned int probes; /* a bit each of those that probe_names[] has */
	struct disk **disks; /* by index; NULL where there is none */
	unsigned int nr_disks;

	/* what the join knows of it */
	struct map bios, rqs, processes, rings;
	uint64_t interrupt_ns;	     /* a guest's last one, of any disk */
	struct list bio_age, rq_age; /* oldest first */
	uint64_t nr_bios, nr_rqs;
	uint64_t evicted_bios, evicted_rqs, stale_bios, stale_rqs;
	struct gaps gaps;
	uint32_t clock_generation;
	uint64_t first_ns; /* of its first record */
	/* guests: requests that wait for dom0's bios, and the other way round */
	struct list *match, *unmatched;
	/* guests: how many requests in flight begin at a place, by its hash */
	uint16_t claims[MATCH_CLAIMS];
};

struct model {
	struct domain **domains;
	unsigned int nr_domains;
	struct domain *backend;	 /* NULL until a metadata names it */
	struct disk **all_disks; /* in the order of their appearance */
	size_t nr_disks;
	unsigned int nr_metas;
	bool other_host; /* the last one was not of the same host */
	char host[NAME_LEN], tool[NAME_LEN];
};

void model_init(struct model *m);
void model_deinit(struct model *m);

/* Apply a META chunk's text; -1 after a message if it cannot be used. */
int model_meta(struct model *m, const char *text, size_t len);

/* The domain, made up if the metadata knows none; NULL if there are too many. */
struct domain *model_domain(struct model *m, unsigned int domid);

static inline struct disk *domain_disk(const struct domain *dom, unsigned int index)
{
	return index < dom->nr_disks ? dom->disks[index] : NULL;
}

/* What is known of which queue its flushes go to. */
struct flushes *disk_flushes(struct disk *disk);

/* Upper bound of how far two domains' clocks may disagree. */
uint64_t model_uncertainty(const struct model *m, const struct domain *guest);

/* A process of the domain; NULL if there are too many. */
struct process *model_process(struct domain *dom, uint32_t pid);

/* The guest disk that this dom0 process serves as blkback's thread, or NULL. */
struct disk *model_serves(struct model *m, struct process *p);

#endif
