// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has a disk offer discards and secure erases, which none that QEMU or Linux
 * emulates does: insmod lab-erase.ko disk=/dev/nullb0, before blkback opens it.
 * What the disk's driver makes of them is its own affair: null_blk without
 * memory looks at the time of a request alone.
 */
#include <linux/blkdev.h>
#include <linux/module.h>

static char *disk;
module_param(disk, charp, 0444);
MODULE_PARM_DESC(disk, "Path of a block device");

static int __init lab_erase_init(void)
{
	struct block_device *bdev = blkdev_get_by_path(disk, FMODE_READ, NULL);
	struct request_queue *q;

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	q = bdev_get_queue(bdev);
	q->limits.discard_granularity = bdev_logical_block_size(bdev);
	blk_queue_max_discard_sectors(q, UINT_MAX >> SECTOR_SHIFT);
	blk_queue_max_secure_erase_sectors(q, UINT_MAX >> SECTOR_SHIFT);
	blkdev_put(bdev, FMODE_READ);
	return 0;
}

static void __exit lab_erase_exit(void)
{
}

module_init(lab_erase_init);
module_exit(lab_erase_exit);
MODULE_DESCRIPTION("Makes a disk offer secure erase, for the tests");
MODULE_LICENSE("GPL");
