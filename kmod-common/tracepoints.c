// SPDX-License-Identifier: GPL-2.0-only
/*
 * Most of the block layer's tracepoints are not exported to modules, but all
 * of them can be found by name.
 */
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/string.h>
#include "tracepoints.h"

struct search {
	struct xblk_tracepoint *table;
	int n;
};

static void match(struct tracepoint *tp, void *priv)
{
	struct search *search = priv;
	int i;

	for (i = 0; i < search->n; i++)
		if (!strcmp(search->table[i].name, tp->name))
			search->table[i].tp = tp;
}

/**
 * xblk_tracepoints_find() - look the table's tracepoints up
 * @table:	names to look up; their tp is filled in
 * @n:		entries
 *
 * Context: process.  Return: 0, or -ENOENT with the missing one in the log.
 */
int xblk_tracepoints_find(struct xblk_tracepoint *table, int n)
{
	struct search search = {.table = table, .n = n};
	int i;

	for_each_kernel_tracepoint(match, &search);
	for (i = 0; i < n; i++) {
		if (!table[i].tp) {
			pr_err("this kernel has no tracepoint %s\n", table[i].name);
			return -ENOENT;
		}
	}
	return 0;
}

/**
 * xblk_tracepoints_attach() - attach the table's probes that are not left out, or none
 * @table:	entries that were found
 * @n:		how many
 *
 * Context: process, may sleep.
 */
int xblk_tracepoints_attach(struct xblk_tracepoint *table, int n)
{
	int i, err;

	for (i = 0; i < n; i++) {
		if (table[i].left_out)
			continue;
		err = tracepoint_probe_register(table[i].tp, table[i].probe, NULL);
		if (err) {
			pr_err("cannot attach to tracepoint %s: %d\n", table[i].name,
			       err);
			xblk_tracepoints_detach(table, i);
			return err;
		}
	}
	return 0;
}

/**
 * xblk_tracepoints_detach() - detach them; no probe runs any more on return
 * @table:	entries that are attached
 * @n:		how many
 *
 * Context: process, may sleep.
 */
void xblk_tracepoints_detach(struct xblk_tracepoint *table, int n)
{
	while (n--)
		if (!table[n].left_out)
			tracepoint_probe_unregister(table[n].tp, table[n].probe, NULL);
	tracepoint_synchronize_unregister();
}
