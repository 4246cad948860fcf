// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks and guests that a later META adds.  xvda is detached and another disk
 * attached under its name, which lies on the other device of dom0; a second guest
 * comes with one of that name, too.  blkback's threads tell them apart by names
 * only.
 */
#include "test_parse_util.h"

#define NEW_THREAD   78 /* of the new xvda, and of guest 4's */
#define OTHER_THREAD 79

static const char later_meta[] =
	"{\"backend\": {\"domid\": 0, \"disks\": ["
	"  {\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\"},"
	"  {\"index\": 1, \"dev\": \"252:0\", \"name\": \"nullb0\"},"
	"  {\"index\": 2, \"dev\": \"254:0\", \"name\": \"dm-0\"}]},"
	" \"guests\": [{\"domid\": 3, \"name\": \"guest1\", \"disks\": ["
	"   {\"index\": 0, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 0},"
	"   {\"index\": 1, \"devid\": 51728, \"name\": \"xvdb\", \"backend_disk\": 1,"
	"    \"start_sector\": 2048},"
	"   {\"index\": 4, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 1}]},"
	"  {\"domid\": 4, \"name\": \"guest2\", \"disks\": ["
	"   {\"index\": 0, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 0}]}]}";

static struct gen g;

static void add(unsigned int domid, uint64_t ns, unsigned int event, uint32_t id,
		uint32_t aux, unsigned int disk)
{
	gen_event(&g, domid, 0, ns, event, XBLK_OP_READ, 64, 8, id, aux);
	gen_last(&g, domid, 0)->disk = disk;
}

/* A request of a guest's disk, through blkback's thread to a device of dom0. */
static void request(unsigned int domid, unsigned int disk, uint64_t ns, uint32_t pid,
		    unsigned int device)
{
	add(domid, ns, XBLK_EV_QUEUE, 1, 500, disk);
	add(domid, ns + 10, XBLK_EV_ISSUE, 100, 1, disk);
	add(0, ns + 20, XBLK_EV_QUEUE, 2, pid, device);
	add(0, ns + 30, XBLK_EV_ISSUE, 200, 2, device);
	add(0, ns + 40, XBLK_EV_COMPLETE, 200, 0, device);
	add(domid, ns + 50, XBLK_EV_COMPLETE, 100, 0, disk);
}

static void check_one(struct outcome *o, unsigned int domid, unsigned int disk)
{
	assert_int_equal(disk_stats(o, domid, disk)->requests, 1);
	assert_int_equal(disk_stats(o, domid, disk)->bins[BIN_JOINED], 1);
	assert_int_equal(disk_stats(o, domid, disk)->done[KIND_READ].ios, 1);
}

static const char *label(struct outcome *o, unsigned int domid, unsigned int disk)
{
	return domain_disk(model_domain(&o->parse.model, domid), disk)->label;
}

static void come_and_go(void **ctx)
{
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	request(3, 0, 1000, GEN_KTHREAD, 0);
	/* As xblktrace writes it: two rounds, then what is new. */
	gen_round(&g, 2000);
	gen_round(&g, 2000);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 2000, later_meta, sizeof(later_meta) - 1);
	gen_process(&g, 0, 0, 3000, NEW_THREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	request(3, 4, 3000, NEW_THREAD, 1);
	gen_process(&g, 0, 0, 4000, OTHER_THREAD, "4.xvda-0", XBLK_PROCESS_KTHREAD);
	request(4, 0, 4000, OTHER_THREAD, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 3);
	check_one(&o, 3, 0);
	check_one(&o, 3, 4);
	check_one(&o, 4, 0);
	assert_string_equal(label(&o, 3, 0), "xvda");
	assert_string_equal(label(&o, 3, 4), "xvda#2");
	assert_string_equal(label(&o, 4, 0), "xvda");
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
