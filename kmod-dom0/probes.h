/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes of a session, in groups. */
#ifndef XBLK_PROBES_H
#define XBLK_PROBES_H

#include <linux/types.h>

struct seq_file;
struct xblk_tracepoint;

/**
 * struct probe_group - probes that come and go together
 * @init:	at module load: 0, or a negative errno if the kernel has not what it needs
 * @exit:	at module unload
 * @tracepoints: attached after @attach and detached before @detach; a kernel without one
 *		of them is none that the module can be loaded into
 * @nr_tracepoints: how many
 * @attach:	what else there is: 0, or a negative errno and nothing is attached; that a
 *		kernel lacks a probe is no error
 * @detach:	none runs any more on return
 * @forget:	no record comes of what is no longer traced, but for what is on its way
 * @show:	the names of those that are attached, or that are not, each after a space;
 *		a tracepoint that an earlier group has is not named again
 * @show_counters: lines of the stats file
 *
 * Each but @show may be NULL. All are called from process context, one at a time.
 */
struct probe_group {
	int (*init)(void);
	void (*exit)(void);
	struct xblk_tracepoint *tracepoints;
	int nr_tracepoints;
	int (*attach)(void);
	void (*detach)(void);
	void (*forget)(void);
	void (*show)(struct seq_file *s, bool attached);
	void (*show_counters)(struct seq_file *s);
};

int probes_attach(void);
void probes_forget(void);
void probes_detach(void);
void probes_show(struct seq_file *s);
int probes_init(void);
void probes_exit(void);

#endif /* XBLK_PROBES_H */
