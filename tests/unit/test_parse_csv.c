// SPDX-License-Identifier: GPL-2.0-only
/* Requests and stages as CSV. */

#include <limits.h>

#include "printed.h"
#include "sinks/output.h"
#include "sinks/requests.h"

struct csv {
	struct printed printed;
	struct parse *parse;
};

static void on_request(void *ctx, const struct xblk_request *r)
{
	struct csv *c = ctx;

	csv_request_print(&c->printed.lines, c->parse->join.start_ns, r);
}

/* Rows of @g, ended, and their titles. */
static void print_rows(struct csv *c, struct gen *g, uint64_t end_ns)
{
	struct outcome o;

	gen_end(g, end_ns);
	msg_silent = true;
	outcome_init(&o, g->data, g->len);
	printed_init(&c->printed);
	c->parse = &o.parse;
	o.parse.tally.on_request = on_request;
	o.parse.tally.ctx = c;
	csv_request_titles(c->printed.out);
	parse_run(&o.parse);
	done(&o, g);
}

static void csv_requests(void **ctx)
{
	struct csv c;
	struct gen g;

	(void)ctx;
	gen_init(&g);
	gen_process(&g, GEN_GUEST, 1, 10, 500, "a,\"b", 0);
	one(&g, 2000, XBLK_OP_READ, 64, 8);
	GUEST(50000, COMPLETE, READ, 640, 8, 101, 0);
	GUEST(60000, QUEUE, READ, 64, 8, 1, 501);
	GUEST(61000, ISSUE, READ, 64, 8, 100, 1);
	print_rows(&c, &g, 100000);
	printed_is(
		&c.printed,
		"domid,guest,disk,op,sector,sectors,queued_ns,issued_ns,completed_ns,pid,"
		"process,bios,backend_bios,requeues,error,bin,u_q2d_ns,u_t_ns,0_q2d_ns,"
		"0_d2c_ns,0_t_ns,q2c_ns,guest_flush_wait_ns,backend_flush_wait_ns,"
		"guest_uuid,ring,slot,first_issued_ns,requeued_ns,interrupt_ns,"
		"backend_request,backend_pid,backend_process,backend_failed,"
		"backend_queued_ns,backend_issued_ns,backend_completed_ns,"
		"backend_interrupt_ns,backend_thread_ns,response_ns,lowest_disk,"
		"lowest_queued_ns,lowest_completed_ns,lowest_requeued_ns,"
		"lowest_requeues,clones,first_clone_ns,why,reached,"
		"guest_lost_from_ns,guest_lost_to_ns,backend_lost_from_ns,"
		"backend_lost_to_ns\n"
		"3,guest1,xvda,R,64,8,2000,4000,17000,500,\"a,\"\"b\",1,1,0,5,joined,"
		"2000,2000,2000,4000,5000,15000,0,0,,,,4000,0,,,77,3.xvda-0,0,6000,8000,"
		"12000,,,,nvme0n1,6000,12000,0,0,0,,,,,,,\n"
		"3,guest1,xvda,R,640,8,,,50000,0,,0,0,0,0,before_trace,,,,,,,,,,,,,0,,,"
		",,,,,,,,,,,,,,,,only its end is in the trace,,,,,\n"
		"3,guest1,xvda,R,64,8,60000,61000,,501,?,1,0,0,0,in_flight,,,,,,,,,,,,6"
		"1000,0,,,,,,,,,,,,,,,,,,,it has not come back,U-T,,,,\n");
}

/* Any bytes in names, each of which takes two; and numbers than which there are no larger
 * ones. */
static struct xblk_request longest(void)
{
	static char guest[NAME_LEN], label[LABEL_LEN], comm[COMM_SIZE];
	struct xblk_request r;

	memset(&r, 0xff, sizeof(r));
	memset(guest, '"', sizeof(guest) - 1);
	memset(label, '"', sizeof(label) - 1);
	memset(comm, '"', sizeof(comm) - 1);
	*guest = *label = *comm = '=';
	r.guest = r.uuid = guest;
	r.label = r.lowest_disk = label;
	r.process = r.backend_process = comm;
	r.ring = INT_MAX;
	r.measured = r.backend_failed = true;
	for (int i = 0; i < STAGE_MAX; i++)
		r.stages[i] = INT64_MIN;
	r.bin = BIN_IN_FLIGHT;
	r.why = "only a part of what dom0 did for it is in the trace";
	r.reached = STAGE_U_Q2D;
	r.guest_lost_to_ns = r.backend_lost_to_ns = UINT64_MAX - 1;
	return r;
}

/* Commas that are between cells, of a row up to its newline. */
static unsigned int commas(const char *row)
{
	unsigned int nr = 0;

	for (bool quoted = false; *row && (quoted || *row != '\n'); row++) {
		quoted ^= *row == '"';
		nr += !quoted && *row == ',';
	}
	return nr;
}

/* Each has room, also where the text before it has to be written first. */
static void csv_longest(void **ctx)
{
	const struct xblk_request r = longest();
	const unsigned int nr = 3 * TEXT_SIZE / LINE_SIZE;
	struct printed p, titles;
	size_t len;

	(void)ctx;
	printed_init(&titles);
	csv_request_titles(titles.out);
	printed_has(&titles, ",backend_lost_to_ns\n");
	printed_init(&p);
	for (unsigned int i = 0; i < nr; i++)
		csv_request_print(&p.lines, (uint64_t)INT64_MAX, &r);
	printed_has(&p, "4294967295,\"'=\"\"");
	len = strcspn(p.text, "\n") + 1;
	assert_in_range(len, 1400, LINE_SIZE);
	assert_int_equal(commas(p.text), commas(titles.text));
	assert_int_equal(p.len, nr * len);
	for (unsigned int i = 1; i < nr; i++)
		assert_memory_equal(p.text + i * len, p.text, len);
	printed_deinit(&titles);
	printed_deinit(&p);
}

static void lost(uint64_t from_ns, uint64_t to_ns, const char *want)
{
	struct xblk_request r = longest();
	struct printed p;

	r.guest_lost_from_ns = r.backend_lost_from_ns = from_ns;
	r.guest_lost_to_ns = r.backend_lost_to_ns = to_ns;
	printed_init(&p);
	csv_request_print(&p.lines, 1000, &r);
	printed_has(&p, want);
	printed_deinit(&p);
}

/* Of a loss either end may not be known, or there was none. */
static void csv_lost(void **ctx)
{
	(void)ctx;
	lost(2000, 3000, ",1000,2000,1000,2000\n");
	lost(0, 3000, ",,2000,,2000\n");
	lost(2000, UINT64_MAX, ",1000,,1000,\n");
	lost(0, 0, ",,,,\n");
}

/* A time that is mostly the same as one before it is its own where it is not. */
static void csv_times(void **ctx)
{
	struct xblk_request r = longest();
	struct printed p;

	(void)ctx;
	r.d_ns = r.backend_q_ns = r.lowest_q_ns = 1000000000;
	r.first_d_ns = 5;
	r.backend_c_ns = 0;
	r.lowest_c_ns = 7000;
	r.lowest_disk = "sda";
	r.lowest_requeued_ns = r.lowest_requeues = r.nr_clones = 0;
	r.requeued_ns = 11;
	printed_init(&p);
	csv_request_print(&p.lines, 1000, &r);
	printed_has(&p, ",-995,11,");
	printed_has(&p, ",sda,999999000,6000,0,0,0,");
	r.first_d_ns = r.d_ns;
	r.lowest_c_ns = 0;
	csv_request_print(&p.lines, 1000, &r);
	printed_has(&p, ",999999000,11,");
	printed_has(&p, ",sda,999999000,,0,0,0,");
	printed_deinit(&p);
}

/* What is called otherwise from now on, and is where the same name was before. */
static void csv_renamed(void **ctx)
{
	char *meta = xstrdup(gen_meta_text);
	struct csv c;
	struct gen g;

	(void)ctx;
	memcpy(strstr(meta, "guest1"), "a,b=23", 6);
	gen_init(&g);
	gen_process(&g, GEN_GUEST, 1, 10, 500, "=sh", 0);
	one(&g, 2000, XBLK_OP_READ, 64, 8);
	gen_process(&g, GEN_GUEST, 1, 20000, 500, "fio", 0);
	one(&g, 30000, XBLK_OP_READ, 64, 8);
	gen_round(&g, 50000);
	gen_round(&g, 51000);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 52000, meta, strlen(meta));
	one(&g, 60000, XBLK_OP_READ, 64, 8);
	print_rows(&c, &g, 100000);
	free(meta);
	printed_has(&c.printed, "\n3,guest1,xvda,R,64,8,2000,4000,17000,500,'=sh,1,");
	printed_has(&c.printed, "\n3,guest1,xvda,R,64,8,30000,32000,45000,500,fio,1,");
	printed_has(&c.printed,
		    "\n3,\"a,b=23\",xvda,R,64,8,60000,62000,75000,500,fio,1,");
	printed_deinit(&c.printed);
}

static void csv_stages(void **ctx)
{
	static const struct filter all;
	struct printed p;
	struct outcome o;
	struct gen g;

	(void)ctx;
	generate(&g);
	run(&o, g.data, g.len);
	printed_init(&p);
	csv_summary(p.out, &o.x, &all);
	printed_has(&p, "\n3,guest1,xvda,0-D2C,1,4000,4000,4000,4000,4000,4000,4000,"
			"0.266666667\n");
	printed_deinit(&p);
	done(&o, &g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_requests), cmocka_unit_test(csv_longest),
		cmocka_unit_test(csv_lost),	cmocka_unit_test(csv_times),
		cmocka_unit_test(csv_renamed),	cmocka_unit_test(csv_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
