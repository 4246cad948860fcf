/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host as the trace's metadata describes it: domains and their disks,
 * which disk backs which, and the processes that showed up.
 */
#ifndef LIBXBLK_MODEL_H
#define LIBXBLK_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>

#include "base/gaps.h"
#include "base/list.h"
#include "base/map.h"
#include "base/tell.h"
#include "base/util.h"
#include "xblk.h"

#define MAX_DOMAINS   1024  /* at once */
#define MAX_DISKS     4096  /* of one domain */
#define MAX_ALL_DISKS 32768 /* also those that others have replaced */
#define MAX_PROCESSES 65536 /* of dom0 */
/*
 * Of a guest, for each of its vCPUs: so many names its tracer remembers to have told, and
 * it tells one again that it has forgotten.  Where all guests have as many as they share,
 * in 5 MB, each may have no more than one vCPU's.
 */
#define VCPU_PROCESSES	 128
#define SHARED_PROCESSES 16384
#define RING_CPUS	 64  /* as many as a channel has rings */
#define PLACES		 256 /* lists of them at first, by hash */

#define RING_UNKNOWN (-1)

struct domain;
struct model;
struct stream;

struct disk {
	struct domain *dom;
	size_t nr;	    /* of all disks */
	struct disk *older; /* one of the domain that was there before, or NULL */
	unsigned int index; /* in the domain's records */
	char name[NAME_LEN];
	char label[LABEL_LEN]; /* "xvda", of further ones of that name "xvda#2" */
	unsigned int namesake; /* 1: the domain's first one of that name */
	char dev[NAME_LEN];
	bool gone; /* a later metadata has another disk at this index */
	/* a guest's */
	char guest[NAME_LEN], uuid[NAME_LEN]; /* another one may get the domain id */
	unsigned int devid;
	char device[NAME_LEN]; /* its name in a guest that is Linux; "": not known */
	struct disk *backing;  /* NULL: not served by a blkback that is traced */
	uint64_t start_sector;
	/* the backend's */
	unsigned int whole; /* index of the one that it is a partition of, or its own */
	char scheduler[NAME_LEN];
};

/* A bio is sent on to a lower device: where to. */
struct remap {
	bool pending; /* where from is to follow */
	uint32_t id;
	uint64_t ns;
	uint16_t to_disk;
	uint64_t to_sector;
};

struct former_names;

struct process {
	uint32_t pid;
	char comm[COMM_SIZE];
	bool kthread, known;
	bool busy;	 /* looked for since it was last thought of to be forgotten */
	struct list age; /* domain->process_age */
	struct former_names *former; /* NULL: it was always called so */
	uint32_t last_bio;	     /* which it queued last: a split is of that one */
	unsigned int meta;	     /* metadata that @serves was looked up in */
	struct disk *serves;	     /* guest disk whose blkback thread this is */
	int ring;		     /* of that disk's rings; RING_UNKNOWN */
	/*
	 * blkback's thread: when it went about a request that it has queued nothing of
	 * yet, and what had woken it; 0: there is none
	 */
	uint64_t thread_ns, interrupt_ns;
	struct stream *on;  /* the CPU on which it did */
	uint64_t queued_ns; /* when it queued a bio last */
	bool unsure;	    /* or that was of one before, which is done */
	bool filling;	    /* more bios of the guest's request @request are to come */
	uint32_t request;   /* its identity */
	/* What it queues from the one sector to the other may be of a request before it. */
	uint64_t doubt_from, doubt_to;
};

/* What a guest's requests and dom0's bios are matched by: where they begin. */
struct matching {
	struct place **places; /* lists, by hash */
	size_t mask, nr;
};

struct domain {
	struct model *model;
	unsigned int domid;
	bool backend;
	bool ended;	/* its number is another guest's, if there is one */
	bool described; /* by the metadata */
	unsigned int nr_streams;
	struct stream *streams; /* all that it ever had */
	char name[NAME_LEN], uuid[NAME_LEN];
	uint64_t uncertainty_ns;
	bool no_merges;	  /* the metadata says that none were recorded, or not always */
	bool probes_told; /* the metadata says which there are */
	unsigned int probes; /* a bit each of those that probe_names[] has */
	struct disk **disks; /* by index; NULL where there is none */
	unsigned int nr_disks;
	struct disk *newest; /* of all that it ever had */

	/* what the join knows of it */
	struct map bios, rqs, flush_waits, processes, rings;
	uint64_t interrupt_ns;	     /* a guest's last one, of any disk */
	struct list bio_age, rq_age; /* oldest first */
	struct list process_age;     /* those first that may be forgotten */
	struct process *named;	     /* whose name was asked for last, or NULL */
	uint64_t nr_bios, nr_rqs, nr_cloned;
	uint64_t evicted_bios, evicted_rqs, stale_bios, stale_rqs;
	struct gaps gaps;
	uint32_t clock_generation;
	bool tells_flushes; /* it has FLUSH_QUEUE records */
	bool orders; /* a guest's: it tells the order of its requests on the rings */
	uint64_t first_ns; /* of its first record */
	/* when its records began, or began again, in the middle of the trace; or 0 */
	uint64_t begins_ns;
	/* before which dom0's part had been judged when its records began to come; or 0 */
	uint64_t behind_ns;
	struct matching *matching; /* a guest's; see model_matching() */
};

struct model {
	struct domain **domains;
	unsigned int nr_domains;
	struct map by_domid;	 /* those that have not ended */
	unsigned int nr_ended;	 /* of these */
	struct domain *backend;	 /* NULL until a metadata names it */
	struct disk **all_disks; /* in the order of their appearance */
	size_t nr_disks, disk_size;
	size_t guest_processes; /* of all guests */
	unsigned int nr_metas;
	uint64_t names;	  /* see struct xblk_request */
	uint64_t meta_ns; /* of the one that is applied; set by who does */
	bool other_host;  /* the last one was not of the same host */
	char host[NAME_LEN], tool[NAME_LEN];
	const struct tell *tell; /* of what makes no sense; set by the caller */
	/* set by the caller, or NULL: a name of a guest's process is forgotten; NULL: not
	 * known */
	void (*on_forgotten)(void *ctx, const struct domain *guest, uint32_t pid,
			     const char *name);
	void *ctx;
	char ops[64];	/* operations that were recorded, "read, write"; "": all */
	bool no_writes; /* these are none of them */
};

/* Of each disk @disk_size bytes are kept, zeroed, of which a struct disk is the first. */
void model_init(struct model *m, size_t disk_size);
void model_deinit(struct model *m);

/* Apply what a META chunk says; -1 after a message if it cannot be used. */
int model_meta(struct model *m, const json_t *root);

/* The domain, made up if the metadata knows none; NULL if there are too many. */
struct domain *model_domain(struct model *m, unsigned int domid);

/* One that has not ended, or NULL. */
struct domain *model_find(const struct model *m, unsigned int domid);

/*
 * The guest is no more: the number is free for another one, whose disks are others.
 * Nothing of it is in flight, and its processes are forgotten.
 */
void model_end_guest(struct model *m, struct domain *dom);

struct matching *matching_new(void);
void matching_free(struct matching *matching);
/* So many, empty. */

/* Made when it is needed. */
static inline struct matching *model_matching(struct domain *dom)
{
	if (unlikely(!dom->matching))
		dom->matching = matching_new();
	return dom->matching;
}

static inline struct disk *domain_disk(const struct domain *dom, unsigned int index)
{
	return index < dom->nr_disks ? dom->disks[index] : NULL;
}

/* Upper bound of how far two domains' clocks may disagree. */
uint64_t model_uncertainty(const struct model *m, const struct domain *guest);

/*
 * A process of the domain; never NULL.  Where there are too many, one is forgotten that
 * did nothing for long, of dom0 rather none of the kernel's: its object becomes the new
 * one's.
 */
struct process *model_process(struct domain *dom, uint32_t pid);

/* A PROCESS record: so it is called from its time on. */
void model_name_process(struct domain *dom, const struct xblk_record *r);

/* The name of a domain's process, "?" where it is not known. */
const char *process_name(const struct domain *dom, uint32_t pid);
/* The same as of @ns: it may have had another one, or be another process. */
const char *process_name_at(struct domain *dom, uint32_t pid, uint64_t ns);

/*
 * Those that have not been forgotten, those first that will be: each name of each, NULL
 * if there is none, and whether it has that now.
 */
void model_each_process(const struct domain *dom,
			void (*fn)(void *ctx, uint32_t pid, const char *name, bool now),
			void *ctx);

/* See model_serves(): it is looked up anew with each metadata. */
void model_look_up_served(const struct model *m, struct process *p);

/* The guest disk that this dom0 process serves as blkback's thread, or NULL. */
static inline struct disk *model_serves(const struct model *m, struct process *p)
{
	if (unlikely(p->meta != m->nr_metas))
		model_look_up_served(m, p);
	return p->serves;
}

#endif
