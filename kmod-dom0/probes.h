/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes of a session, in groups. */
#ifndef XBLK_PROBES_H
#define XBLK_PROBES_H

#include <linux/types.h>

struct seq_file;

/**
 * struct probe_group - probes that come and go together
 * @find:	at module load: 0, or a negative errno if the kernel has not what it needs
 * @attach:	0, or a negative errno and nothing is attached; that a kernel lacks a
 *		probe is no error
 * @detach:	none runs any more on return
 * @forget:	no record comes of what is no longer traced, but for what is on its
 *		way; or NULL
 * @show:	the names of those that are attached, or that are not, each after a space
 * @show_counters: lines of the stats file; or NULL
 * @module:	the functions are those of a module that may come and go, or NULL
 * @module_came: attach what was missing, or is now elsewhere
 *
 * All are called from process context, one at a time.
 */
struct probe_group {
	int (*find)(void);
	int (*attach)(void);
	void (*detach)(void);
	void (*forget)(void);
	void (*show)(struct seq_file *s, bool attached);
	void (*show_counters)(struct seq_file *s);
	const char *module;
	void (*module_came)(void);
};

int probes_attach(void);
void probes_forget(void);
void probes_detach(void);
void probes_show(struct seq_file *s);
int probes_init(void);
void probes_exit(void);

#endif /* XBLK_PROBES_H */
