// SPDX-License-Identifier: GPL-2.0-only
/* What is chosen: several of a kind are any of them, of different kinds all must hold. */
#include <stdio.h>
#include <stdlib.h>

#include "chosen.h"
#include "input/devid.h"
#include "said.h"
#include "select/filter.h"
#include "sinks/output.h"
#include "filter-args.h"
#include "test_parse_util.h"

/* Three guests on one disk of dom0's; 3's second disk is sdc in XenStore. */
static const char meta[] =
	"{\"host\": \"host\", \"backend\": {\"domid\": 0,"
	"  \"disks\": [{\"index\": 0, \"dev\": \"259:0\", \"name\": \"nvme0n1\"}]},"
	" \"guests\": [{\"domid\": 3, \"name\": \"web\", \"disks\":"
	"   [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 0},"
	"    {\"index\": 1, \"devid\": 2080, \"name\": \"sdc\", \"backend_disk\": 0}]},"
	"  {\"domid\": 4, \"name\": \"db\", \"disks\":"
	"   [{\"index\": 0, \"devid\": 51712, \"name\": \"xvda\", \"backend_disk\": 0}]},"
	"  {\"domid\": 5, \"name\": \"mail\", \"disks\":"
	"   [{\"index\": 0, \"devid\": 51728, \"name\": \"xvdb\", \"backend_disk\": 0}]}]}";

/* A read of @guest's disk through its thread @thread. */
static void one(struct gen *g, uint64_t t, unsigned int guest, unsigned int disk,
		uint32_t thread, uint32_t pid)
{
	uint64_t sector = 64 * (10 * guest + disk);

	gen_event(g, guest, 0, t, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 1, pid);
	gen_last(g, guest, 0)->disk = disk;
	gen_event(g, guest, 0, t + 1000, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 100, 1);
	gen_last(g, guest, 0)->disk = disk;
	gen_add(g, 0, 0,
		&(struct xblk_record){.time = GEN_START + t + 1500,
				      .event = XBLK_EV_RING,
				      .disk = XBLK_NO_DISK,
				      .id = 7000 + thread,
				      .aux = thread});
	gen_event(g, 0, 0, t + 2000, XBLK_EV_QUEUE, XBLK_OP_READ, sector, 8, 2, thread);
	gen_event(g, 0, 0, t + 3000, XBLK_EV_ISSUE, XBLK_OP_READ, sector, 8, 200, 2);
	gen_event(g, 0, 0, t + 4000, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8, 200, 0);
	gen_add(g, 0, 0,
		&(struct xblk_record){.time = GEN_START + t + 4500,
				      .event = XBLK_EV_RESPONSE,
				      .disk = XBLK_NO_DISK,
				      .aux = 7000 + thread});
	gen_event(g, guest, 0, t + 5000, XBLK_EV_COMPLETE, XBLK_OP_READ, sector, 8, 100,
		  0);
	gen_last(g, guest, 0)->disk = disk;
}

static void make(struct gen *g)
{
	gen_init_bare(g);
	gen_chunk(g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, strlen(meta));
	gen_process(g, 0, 0, 0, 30, "3.xvda-0", XBLK_PROCESS_KTHREAD);
	gen_process(g, 0, 0, 0, 31, "3.sdc-0", XBLK_PROCESS_KTHREAD);
	gen_process(g, 0, 0, 0, 40, "4.xvda-0", XBLK_PROCESS_KTHREAD);
	gen_process(g, 0, 0, 0, 50, "5.xvdb-0", XBLK_PROCESS_KTHREAD);
	gen_process(g, 3, 0, 0, 500, "nginx", 0);
	gen_process(g, 4, 0, 0, 500, "mysqld", 0);
	gen_process(g, 4, 0, 0, 501, "dd", 0);
	gen_process(g, 5, 0, 0, 502, "postfix", 0);
	one(g, 100000, 3, 0, 30, 500);
	one(g, 200000, 3, 1, 31, 500);
	one(g, 300000, 4, 0, 40, 500);
	one(g, 400000, 4, 0, 40, 501);
	one(g, 500000, 5, 0, 50, 502);
	/* dom0's own */
	gen_event(g, 0, 0, 600000, XBLK_EV_QUEUE, XBLK_OP_WRITE, 64000, 8, 3, 1);
	gen_event(g, 0, 0, 601000, XBLK_EV_ISSUE, XBLK_OP_WRITE, 64000, 8, 201, 3);
	gen_event(g, 0, 0, 602000, XBLK_EV_COMPLETE, XBLK_OP_WRITE, 64000, 8, 201, 0);
	gen_end(g, 1000000);
}

/* "d3 Dxvda pdd": each option with its letter. */
static struct filter filter_of(const char *options)
{
	static char words[8][16];
	struct filter f = {0};
	unsigned int nr = 0;

	for (const char *at = options; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		const char *why;

		memcpy(words[nr], at, len);
		words[nr][len] = '\0';
		why = *at == 'd'   ? filter_parse_guest(&f, words[nr] + 1)
		      : *at == 'D' ? filter_parse_disk(&f, words[nr] + 1)
				   : filter_parse_process(&f, words[nr] + 1);
		assert_null(why);
		nr++;
		at += len;
	}
	return f;
}

static struct filter filter;

/* The trace, about to be parsed with these options. */
static void begin(struct outcome *o, struct gen *g, const char *options)
{
	make(g);
	filter = filter_of(options);
	msg_silent = true;
	outcome_init(o, g->data, g->len);
}

static void show_request(void *ctx, const struct xblk_request *r)
{
	*(unsigned int *)ctx += filter_shows(&filter, r);
}

static unsigned int requests_of(const char *options)
{
	unsigned int nr = 0;
	struct outcome o;
	struct gen g;

	begin(&o, &g, options);
	o.parse.tally.filter = &filter;
	o.parse.tally.on_request = show_request;
	o.parse.tally.ctx = &nr;
	parse_run(&o.parse);
	assert_false(o.parse.problems);
	done(&o, &g);
	return nr;
}

static void requests(void **ctx)
{
	static const struct {
		const char *options;
		unsigned int nr;
	} cases[] = {
		{"", 5},
		{"d3", 2},
		{"d3 d4", 4},
		{"dweb", 2},
		{"dweb d5 dmail", 3},
		{"Dxvda", 3},
		{"Dxvda Dxvdb", 4},
		{"d4 Dxvda", 2},
		{"d5 Dxvda", 0},
		/* by XenStore's name, and by the guest's */
		{"Dsdc", 1},
		{"Dxvdc", 1},
		{"p500 pdd", 4},
		{"p500 d4", 1},
		{"pdd ppostfix Dxvda", 1},
		/* a process is a guest's */
		{"pmysqld d3", 0},
	};

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int nr = requests_of(cases[i].options);

		if (nr != cases[i].nr)
			fail_msg("%s: %u", cases[i].options, nr);
	}
}

struct events {
	struct xblk *x;
	char letters[256];
	size_t nr;
};

static void show_event(void *user, const struct xblk_event_record *r)
{
	struct events *e = user;

	if (r->record->event != XBLK_EV_PROCESS && event_shown(e->x, &filter, r))
		e->letters[e->nr++] = r->letter;
}

static void events_are(const char *options, const char *want)
{
	struct events e = {0};
	struct gen g;

	make(&g);
	filter = filter_of(options);
	e.x = open_handle((struct xblk_options){.user = &e, .on_event = show_event});
	feed_all(e.x, g.data, g.len);
	assert_string_equal(e.letters, want);
	xblk_close(e.x);
	gen_deinit(&g);
}

/* Of dom0's, those for another guest's disk are left out as well. */
static void events(void **ctx)
{
	(void)ctx;
	events_are("d5", "QDTQDCrCQDC");
	events_are("dweb Dsdc", "QDTQDCrCQDC");
	events_are("d3 d4", "QDTQDCrCQDTQDCrCQDTQDCrCQDTQDCrCQDC");
	events_are("D-", "QDC");
}

static struct said err;

/* What is said of a filter, and whether all that it names is there. */
static bool told(const char *options, const char *says)
{
	struct outcome o;
	struct gen g;
	bool good;

	begin(&o, &g, options);
	o.parse.tally.filter = &filter;
	parse_run(&o.parse);
	msg_silent = false;
	said_begin(&err, STDERR_FILENO);
	good = chosen_tell(&o.x, &filter, &(struct chosen){0});
	said_end(&err);
	if (*says ? !strstr(err.text, says) : *err.text)
		fail_msg("%s: %s", options, err.text);
	done(&o, &g);
	return good;
}

static void nothing_chosen(void **ctx)
{
	(void)ctx;
	assert_true(told("", ""));
	assert_true(told("d3 Dxvdc pnginx", ""));
	assert_false(told(
		"d7", "no guest 7 in the trace; there are: web (3), db (4), mail (5)"));
	assert_false(told("d3 dnobody", "no guest nobody in the trace"));
	assert_false(told("d3 Dxvdb", "no disk xvdb in the trace; there are: 3:xvda, "
				      "3:sdc (xvdc in the guest)"));
	assert_false(
		told("d4 pnginx",
		     "no process nginx in the trace; there are: mysqld (500), dd (501)"));
	assert_true(told("d3 d4 pdd Dsdc", "none of 1 requests was chosen"));
}

/* One of which no record has told the name has its number. */
static void without_a_name(void **ctx)
{
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&o, &g, "d5 pnginx");
	parse_run(&o.parse);
	model_process(model_find(&o.parse.model, 5), 503);
	msg_silent = false;
	said_begin(&err, STDERR_FILENO);
	assert_false(chosen_tell(&o.x, &filter, &(struct chosen){0}));
	assert_non_null(strstr(said_end(&err), "there are: postfix (502), 503\n"));
	done(&o, &g);
}

static void on_forgotten(void *ctx, const struct domain *guest, uint32_t pid,
			 const char *name)
{
	chosen_look(ctx, &filter, guest->domid, guest->name, pid, name);
}

/* A process of a guest that has gone was there, though nothing is kept of it. */
static void of_a_guest_gone(void **ctx)
{
	struct chosen found = {0};
	struct domain *guest;
	struct outcome o;
	struct gen g;

	(void)ctx;
	begin(&o, &g, "pnginx pnobody");
	o.parse.model.on_forgotten = on_forgotten;
	o.parse.model.ctx = &found;
	parse_run(&o.parse);
	guest = model_find(&o.parse.model, 3);
	model_end_guest(&o.parse.model, guest);
	assert_string_equal(process_name(guest, 500), "?");
	assert_true(found.processes[0]);
	assert_false(found.processes[1]);
	assert_false(chosen_tell(&o.x, &filter, &found));
	found.processes[1] = true;
	assert_true(chosen_tell(&o.x, &filter, &found));
	done(&o, &g);
}

static void name_process(struct domain *guest, uint32_t pid, uint64_t ns,
			 const char *name)
{
	struct xblk_record r = {.time = ns, .event = XBLK_EV_PROCESS, .aux = pid};

	strcpy(r.comm, name);
	model_name_process(guest, &r);
}

/* So was one that is forgotten since there were many, and a name that one had long ago. */
static void of_many(void **ctx)
{
	struct chosen found = {0};
	struct domain *guest;
	struct outcome o;
	struct gen g;
	char name[16];

	(void)ctx;
	begin(&o, &g, "pnginx pname0 pnobody");
	o.parse.model.on_forgotten = on_forgotten;
	o.parse.model.ctx = &found;
	parse_run(&o.parse);
	guest = model_find(&o.parse.model, 3);
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "name%u", i);
		name_process(guest, 600, GEN_START + i, name);
	}
	assert_false(found.processes[0]);
	assert_true(found.processes[1]);
	for (unsigned int i = 0; i < VCPU_PROCESSES * guest->nr_streams; i++)
		name_process(guest, 1000 + i, GEN_START + 10 + i, "one of many");
	assert_string_equal(process_name(guest, 500), "?");
	assert_true(found.processes[0]);
	assert_false(found.processes[2]);
	done(&o, &g);
}

static void names_in_the_guest(void **ctx)
{
	static const struct {
		unsigned int devid;
		const char *name;
	} cases[] = {
		{51712, "xvda"},
		{51713, "xvda1"},
		{51728, "xvdb"},
		{51952, "xvdp"},
		{2048, "xvda"},
		{2080, "xvdc"},
		{2082, "xvdc2"},
		{65 << 8, "xvdq"},
		{768, "xvda"},
		{832, "xvdb"},
		{5632, "xvdc"},
		{1 << 28 | 16 << 8, "xvdq"},
		{1 << 28 | 26 << 8, "xvdaa"},
		{1 << 28 | 701 << 8 | 3, "xvdzz3"},
		{1 << 28 | 702 << 8, "xvdaaa"},
		{3u << 28, ""},
		{5, ""},
	};
	char name[32];

	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		devid_name(name, sizeof(name), cases[i].devid);
		assert_string_equal(name, cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),	      cmocka_unit_test(events),
		cmocka_unit_test(nothing_chosen),     cmocka_unit_test(without_a_name),
		cmocka_unit_test(of_a_guest_gone),    cmocka_unit_test(of_many),
		cmocka_unit_test(names_in_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
