// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks and guests that a later META adds.  xvda is detached and another disk
 * attached under its name, which lies on the other device of dom0; a second guest
 * comes with one of that name, too.  blkback's threads tell them apart by names
 * only.
 */
#include <stdio.h>

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
	assert_int_equal(disk_counts(o, domid, disk)->done[KIND_READ].ios, 1);
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

static void describe(unsigned int domid, unsigned int nr, uint64_t ns)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "{\"backend\": {\"domid\": 0}, \"guests\": [{\"domid\": %u,"
			   " \"name\": \"guest%u\", \"uuid\": \"%u\", \"disks\": ["
			   " {\"index\": 0, \"devid\": 51712, \"name\": \"xvda\","
			   "  \"backend_disk\": 0}]}]}",
			   domid, nr, nr);

	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, ns, text, len);
}

/* A guest with a thread of its own comes, does one request and goes. */
static void visit(unsigned int domid, unsigned int nr, uint64_t ns)
{
	char thread[XBLK_COMM_LEN + 1];

	snprintf(thread, sizeof(thread), "%u.xvda-0", domid);
	gen_round(&g, ns);
	gen_round(&g, ns);
	describe(domid, nr, ns);
	gen_process(&g, 0, 0, ns + 100, 1000 + nr, thread, XBLK_PROCESS_KTHREAD);
	request(domid, 0, ns + 100, 1000 + nr, 0);
	if (nr % 3 == 0)
		gen_count_lost(&g, domid, 0, 5);
	gen_gone(&g, domid, ns + 500);
}

/* Many more guests, and streams, than there can be at once; each is known in the end. */
static void many_in_a_row(void **ctx)
{
	enum {
		VISITS = 9000,
		NUMBERS = 700
	};
	struct account a;
	struct outcome o;
	size_t processes = 0;

	(void)ctx;
	gen_init(&g);
	request(3, 0, 1000, GEN_KTHREAD, 0);
	for (unsigned int i = 0; i < VISITS; i++)
		visit(10 + i % NUMBERS, i, 10000 + i * 1000);
	run_gen(&o, &g);
	assert_true(o.parse.conserved);
	assert_int_equal(o.nr, VISITS + 1);
	assert_int_equal(o.parse.events_sent, 2 * VISITS);
	for (size_t i = 0; i < o.parse.model.nr_disks; i++) {
		const struct disk *d = o.parse.model.all_disks[i];

		if (!d->dom->ended)
			continue;
		assert_int_equal(stats_of(d)->requests, 1);
		assert_int_equal(stats_of(d)->bins[BIN_JOINED], 1);
		assert_string_equal(d->guest, d->dom->name);
	}
	assert_int_equal(o.parse.model.nr_ended, VISITS);
	for (unsigned int i = 0; i < o.parse.model.nr_domains; i++) {
		if (!o.parse.model.domains[i]->backend)
			processes += o.parse.model.domains[i]->processes.nr;
	}
	/* Those of the guests that have gone are forgotten. */
	assert_int_equal(processes, 1);
	/* dom0's and guest 3's, and one that each of the others had. */
	assert_int_equal(merge_count(&o.parse.merge), VISITS + 2);
	assert_int_equal(o.parse.merge.nr_streams, 3);
	parse_account(&o.parse, NULL, &a);
	assert_int_equal(a.lost, VISITS / 3 * 5);
	done(&o, &g);
}

/* The address sanitizer's. */
size_t __sanitizer_get_current_allocated_bytes(void);

/* A guest that flushes, and whose records begin in the middle of things. */
static void busy_visit(unsigned int domid, unsigned int nr, uint64_t ns)
{
	char thread[XBLK_COMM_LEN + 1];

	snprintf(thread, sizeof(thread), "%u.xvda-0", domid);
	gen_round(&g, ns);
	gen_round(&g, ns);
	describe(domid, nr, ns);
	gen_process(&g, 0, 0, ns + 10, 1000 + nr, thread, XBLK_PROCESS_KTHREAD);
	add(domid, ns + 20, XBLK_EV_COMPLETE, 99, 0, 0);
	gen_event(&g, domid, 0, ns + 30, XBLK_EV_QUEUE,
		  XBLK_OP_WRITE | XBLK_OP_F_PREFLUSH, 0, 0, 3, 500);
	gen_event(&g, domid, 0, ns + 40, XBLK_EV_ISSUE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	gen_event(&g, domid, 0, ns + 50, XBLK_EV_COMPLETE, XBLK_OP_FLUSH, 0, 0, 101, 0);
	request(domid, 0, ns + 100, 1000 + nr, 0);
	gen_gone(&g, domid, ns + 500);
}

struct visits {
	unsigned int nr;
	size_t bytes[2]; /* that were in use after a tenth of them, and after all */
	struct parse *p;
};

static bool count_bytes(void *ctx, const struct parse *p)
{
	struct visits *v = ctx;

	if (p->model.nr_ended == v->nr / 10 && !v->bytes[0])
		v->bytes[0] = __sanitizer_get_current_allocated_bytes();
	if (p->model.nr_ended == v->nr && !v->bytes[1])
		v->bytes[1] = __sanitizer_get_current_allocated_bytes();
	return true;
}

/* What stays of a guest that has gone is what is to be told of it. */
static void what_stays(void **ctx)
{
	struct visits v = {.nr = 10000};
	size_t each;
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	for (unsigned int i = 0; i < v.nr; i++)
		busy_visit(10 + i % 700, i, 10000 + i * 1000);
	gen_round(&g, 900000000);
	gen_end(&g, 1000000000);
	msg_silent = true;
	outcome_init(&o, g.data, g.len);
	o.parse.on_progress = count_bytes;
	o.parse.tally.on_request = NULL;
	o.parse.ctx = &v;
	parse_run(&o.parse);
	assert_false(o.parse.problems);
	each = (v.bytes[1] - v.bytes[0]) / (v.nr - v.nr / 10);
	print_message("%zu bytes stay of each guest\n", each);
	assert_in_range(each, 1, 13 << 10);
	done(&o, &g);
}

/* What was under way when a guest went, on either side, has its bin. */
static void goes_at_work(void **ctx)
{
	struct outcome o;
	struct disk *d;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, 0, 0, 900, GEN_KTHREAD, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	add(3, 1000, XBLK_EV_QUEUE, 1, 500, 0);
	add(3, 1010, XBLK_EV_ISSUE, 100, 1, 0);
	add(3, 1020, XBLK_EV_QUEUE, 2, 500, 0);
	add(0, 1030, XBLK_EV_QUEUE, 3, GEN_KTHREAD, 0);
	add(0, 1040, XBLK_EV_ISSUE, 200, 1, 0);
	/* One whose request is not in the trace. */
	add(0, 1050, XBLK_EV_QUEUE, 4, GEN_KTHREAD, 0);
	gen_last(&g, 0, 0)->sector = 4096;
	gen_gone(&g, 3, 2000);
	add(0, 3000, XBLK_EV_COMPLETE, 200, 0, 0);
	describe(3, 8, 3000);
	request(3, 0, 4000, GEN_KTHREAD, 0);
	run_gen(&o, &g);
	assert_int_equal(o.nr, 2);
	assert_int_equal(o.results[0].bin, BIN_IN_FLIGHT);
	assert_int_equal(o.results[1].bin, BIN_JOINED);
	d = o.parse.model.all_disks[0];
	for (size_t i = 0; d->dom->backend; i++)
		d = o.parse.model.all_disks[i];
	assert_true(d->dom->ended);
	assert_int_equal(counts_of(d)->queued_bios, 1);
	assert_int_equal(counts_of(d)->backend_unmatched, 1);
	assert_string_equal(label(&o, 3, 0), "xvda");
	done(&o, &g);
}

/* Counters that do not add up are found, and END may say once more what META has said. */
static void wrong_account(void **ctx)
{
	struct outcome o;

	(void)ctx;
	gen_init(&g);
	request(3, 0, 1000, GEN_KTHREAD, 0);
	assert_int_equal(g.streams[1].domid, 3);
	g.streams[1].produced++;
	gen_gone(&g, 3, 2000);
	gen_end(&g, 3000);
	run(&o, g.data, g.len);
	assert_false(o.parse.conserved);
	done(&o, &g);

	gen_init(&g);
	request(3, 0, 1000, GEN_KTHREAD, 0);
	gen_gone(&g, 3, 2000);
	gen_add(&g, 3, 0, &(struct xblk_record){0});
	g.streams[g.nr_streams - 1].nr = 0;
	g.streams[g.nr_streams - 1].produced = 3;
	run_gen(&o, &g);
	assert_true(o.parse.conserved);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(come_and_go),	 cmocka_unit_test(many_in_a_row),
		cmocka_unit_test(what_stays),	 cmocka_unit_test(goes_at_work),
		cmocka_unit_test(wrong_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
