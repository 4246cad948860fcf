// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "channel_pages.h"
#include "fake_xen.h"
#include "played_capture.h"

/* --- the capture --- */

void played_begin(struct played *p, struct xenrelay_reader *reader,
		  struct domain_table *table, struct guest *guests,
		  unsigned int nr_guests)
{
	unsigned int i;

	*p = (struct played){
		.opts = {.subbuf_kib = 4, .nr_subbufs = 2},
		.cpu = {.fd = -1},
		.dom0 =
			{
				.now = eventfd(1, EFD_CLOEXEC),
				.buffer_bytes = 1 << 20,
				.cpus = &p->cpu,
				.nr_cpus = 1,
			},
		.writer = {.out = {.fd = -1}},
		.capture =
			{
				.facts =
					{
						.opts = &p->opts,
						.backing = &p->backing,
						.dom0 = &p->dom0,
						.domains = table->entries,
						.guests = guests,
						.nr_guests = table->nr,
					},
				.reader = reader,
				.dom0 = &p->dom0,
				.backing = &p->backing,
				.domains = table,
				.guests = guests,
				.writer = &p->writer,
				.max_kib = 1024 * 1024,
				.store_ms = 10000,
			},
	};
	for (i = 0; i < nr_guests; i++)
		guests[i] = (struct guest){.domain = &table->entries[i]};
}

int played_run(struct played *p)
{
	int ret;

	said_begin(&p->said, 2);
	ret = capture_run(&p->capture);
	said_end(&p->said);
	return ret;
}

void played_end(struct played *p)
{
	close(p->dom0.now);
	names_free(&p->dom0.names);
}

void played_check_said(const struct played *p, const char *word)
{
	if (!strstr(p->said.text, word))
		fail_msg("\"%s\" does not say \"%s\"", p->said.text, word);
}

/* --- the guests --- */

struct player players[2] = {{.domid = 3, .first_page = 0},
			    {.domid = 4, .first_page = 200}};

void *player_page(const struct player *p, unsigned int n)
{
	return fake_page(p->first_page + n);
}

const char *player_node(const struct player *p, const char *name)
{
	static char path[80];

	snprintf(path, sizeof(path), "/local/domain/%u/data/xenrelay/xblk%s", p->domid,
		 name);
	return path;
}

static void say(const struct player *p, const char *word)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %u", word, p->session);
	if (!strcmp(word, "ready"))
		snprintf(text, sizeof(text), "ready %u %u", p->session,
			 p->first_page + INFO);
	fake_write(player_node(p, "/state"), strcmp(word, "open") ? text : "open");
}

void player_connect(struct player *p)
{
	union xenrelay_producer_line *producer = player_page(p, PRODUCER);
	struct xenrelay_loss_line *losses = player_page(p, LOSSES);
	union xenrelay_consumer_line *consumer = player_page(p, CONSUMER);
	const struct channel_pages pages = {
		.info = p->first_page + INFO,
		.producer = p->first_page + PRODUCER,
		.consumer = p->first_page + CONSUMER,
		.losses = p->first_page + LOSSES,
		.directory = p->first_page + DIRECTORY,
		.data = p->first_page + DATA,
		.nr_data = PLAYER_RING_PAGES,
		.nr_rings = 1,
		.ring_pages = PLAYER_RING_PAGES,
	};

	memset(player_page(p, 0), 0, PLAYER_PAGES * 4096);
	channel_pages_tell(&pages, p->session);
	xenrelay_ring_init(&p->ring, player_page(p, DATA), PLAYER_RING_PAGES * 4096,
			   XBLK_RECORD_SIZE, false, &producer[1], &losses[1],
			   &consumer[1]);
	producer->channel.state = XENRELAY_RUNNING;
	p->connected = true;
	say(p, "ready");
}

void player_stop(struct player *p)
{
	union xenrelay_producer_line *producer = player_page(p, PRODUCER);

	p->connected = false;
	xblk_store_release(&producer->channel.state, XENRELAY_STOPPED);
	say(p, "stopped");
}

static void answer(struct player *p, const char *value)
{
	unsigned int n;

	if (sscanf(value, "connect %u", &p->session) == 1) {
		if (!p->late)
			player_connect(p);
	} else if (sscanf(value, "disconnect %u", &n) == 1) {
		if (!p->deaf)
			player_stop(p);
	} else if (sscanf(value, "release %u", &n) == 1) {
		p->connected = false;
		say(p, "open");
	}
}

void players_answer(const char *path, const char *value)
{
	struct player *p;

	for (p = players; p < players + 2; p++)
		if (!strcmp(path, player_node(p, "/reader")))
			answer(p, value);
}

void players_begin(void)
{
	struct player *p;

	for (p = players; p < players + 2; p++) {
		char domain[32];

		p->connected = false;
		p->written = 0;
		snprintf(domain, sizeof(domain), "/local/domain/%u", p->domid);
		fake_write(domain, "");
		fake_write(player_node(p, "/version"), "1");
		fake_write(player_node(p, "/state"), "open");
		fake_write(player_node(p, "/reader"), "");
	}
	fake.written = players_answer;
}
