// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many grant references are free in this guest, to the last one:
 * /sys/module/lab_grants/parameters/free.  Linux does not tell.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <xen/grant_table.h>

static bool can_have(unsigned int count)
{
	grant_ref_t head;

	if (gnttab_alloc_grant_references(count, &head))
		return false;
	gnttab_free_grant_references(head);
	return true;
}

/* The first time this lets the table grow to its full size, of 256 KiB by default. */
static int free_get(char *buf, const struct kernel_param *kp)
{
	unsigned int most = gnttab_max_grant_frames() * (XEN_PAGE_SIZE / 8) + 1;
	unsigned int least = 0;

	while (most - least > 1) {
		unsigned int middle = (least + most) / 2;

		if (can_have(middle))
			least = middle;
		else
			most = middle;
	}
	return sysfs_emit(buf, "%u\n", least);
}

static const struct kernel_param_ops free_ops = {
	.get = free_get,
};
module_param_cb(free, &free_ops, NULL, 0444);
MODULE_PARM_DESC(free, "Grant references that are free");

MODULE_DESCRIPTION("Counts free grant references, for the tests");
MODULE_LICENSE("GPL");
