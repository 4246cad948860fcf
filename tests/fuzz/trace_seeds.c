// SPDX-License-Identifier: GPL-2.0-only
/* trace_seeds DIR: inputs for fuzz_trace to begin with, one a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_gen.h"

static void write_seed(const char *dir, const char *name, char kind, const void *data,
		       size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f || fputc(kind, f) == EOF || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

/* A request all the way through, as a trace. */
static void one_request(struct gen *g, uint64_t ns, unsigned int op, uint32_t nr)
{
	gen_event(g, GEN_GUEST, 0, ns + 100, XBLK_EV_QUEUE, op, 64, nr, 1, 500);
	gen_event(g, GEN_GUEST, 0, ns + 200, XBLK_EV_ISSUE, op, 64, nr, 100, 1);
	gen_event(g, 0, 0, ns + 300, XBLK_EV_QUEUE, op, 64, nr, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, ns + 400, XBLK_EV_ISSUE, op, 64, nr, 200, 2);
	gen_event(g, 0, 0, ns + 500, XBLK_EV_COMPLETE, op, 64, nr, 200, 0);
	gen_event(g, GEN_GUEST, 0, ns + 600, XBLK_EV_COMPLETE, op, 64, nr, 100, 0);
}

static void traces(const char *dir)
{
	struct gen g;
	size_t at;

	gen_init(&g);
	gen_end(&g, 1000);
	write_seed(dir, "empty", 'R', g.data, g.len);
	gen_deinit(&g);

	gen_init(&g);
	one_request(&g, 0, XBLK_OP_READ, 8);
	gen_round(&g, 1000);
	one_request(&g, 1000, XBLK_OP_WRITE | XBLK_OP_F_SYNC, 16);
	gen_round(&g, 2000);
	gen_lost(&g, 0, 0, 2100, 2200, 3);
	one_request(&g, 3000, XBLK_OP_DISCARD, 64);
	gen_end(&g, 5000);
	write_seed(dir, "requests", 'R', g.data, g.len);
	gen_deinit(&g);

	gen_init(&g);
	at = g.len;
	one_request(&g, 0, XBLK_OP_READ, 8);
	gen_round(&g, 1000);
	write_seed(dir, "packed", 'P', g.data + at, g.len - at);
	gen_pack(&g, at);
	at = g.len;
	one_request(&g, 1000, XBLK_OP_WRITE | XBLK_OP_F_SYNC, 16);
	gen_round(&g, 2000);
	gen_pack(&g, at);
	gen_end(&g, 3000);
	write_seed(dir, "packs", 'R', g.data, g.len);
	gen_deinit(&g);

	gen_init(&g);
	for (uint64_t s = 0; s < 5; s++) {
		one_request(&g, s * 1000000000, XBLK_OP_READ, 8);
		gen_round(&g, s * 1000000000 + 1000);
	}
	gen_lost(&g, 0, 0, 5000000000, 5000000100, 3);
	gen_end_indexed(&g, 5000001000, 1);
	write_seed(dir, "span", 'W', g.data, g.len);
	gen_deinit(&g);

	/* Something is under way on both sides when the guest ends. */
	gen_init(&g);
	one_request(&g, 0, XBLK_OP_READ, 8);
	gen_event(&g, GEN_GUEST, 0, 700, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 1, 500);
	gen_event(&g, GEN_GUEST, 0, 800, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 100, 1);
	gen_event(&g, 0, 0, 900, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 2, GEN_KTHREAD);
	gen_event(&g, 0, 0, 950, XBLK_EV_QUEUE, XBLK_OP_READ, 128, 8, 3, GEN_KTHREAD);
	gen_gone(&g, GEN_GUEST, 1000);
	gen_event(&g, 0, 0, 1100, XBLK_EV_SPLIT, XBLK_OP_READ, 128, 4, 4, GEN_KTHREAD);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 1200, gen_meta_text,
		  strlen(gen_meta_text));
	one_request(&g, 2000, XBLK_OP_READ, 8);
	gen_end(&g, 3000);
	write_seed(dir, "guests", 'R', g.data, g.len);
	gen_deinit(&g);

	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, "{}", 2);
	gen_chunk(&g, XBLK_CHUNK_END, 0, 0, 0, 0, "{\"streams\": [{}]}", 17);
	write_seed(dir, "metadata", 'r', g.data, g.len);
	gen_deinit(&g);
}

/* The short events of fuzz_trace: stream, event, op, disk, delta, ... */
static void series(const char *dir)
{
	static const unsigned char read[][11] = {
		{0, XBLK_EV_QUEUE, 0, 0, 10, 0, 8, 8, 1, 9, 0},
		{0, XBLK_EV_ISSUE, 0, 0, 10, 0, 8, 8, 100, 1, 0},
		{4, XBLK_EV_QUEUE, 0, 0, 10, 0, 8, 8, 2, 0, 1},
		{4, XBLK_EV_ISSUE, 0, 0, 10, 0, 8, 8, 101, 2, 0},
		{4, XBLK_EV_COMPLETE, 0, 0, 10, 0, 8, 8, 101, 0, 0},
		{0, XBLK_EV_COMPLETE, 0, 0, 10, 0, 8, 8, 100, 0, 4},
	};
	static const unsigned char split[][11] = {
		{0, XBLK_EV_QUEUE, 1, 0, 10, 0, 8, 16, 1, 9, 0},
		{0, XBLK_EV_SPLIT, 1, 0, 10, 0, 8, 8, 2, 9, 0},
		{0, XBLK_EV_ISSUE, 1, 0, 10, 0, 8, 8, 100, 2, 0},
		{0, XBLK_EV_REQUEUE, 1, 0, 10, 0, 8, 8, 100, 2, 0},
		{0, XBLK_EV_ISSUE, 1, 0, 10, 0, 8, 16, 100, 2, 0},
		{0, XBLK_EV_PART, 1, 0, 0, 0, 9, 8, 100, 1, 0},
		{4, XBLK_EV_QUEUE, 1, 0, 10, 0, 8, 16, 3, 0, 1},
		{4, XBLK_EV_SPLIT, 1, 0, 10, 0, 8, 8, 4, 0, 1},
		{4, XBLK_EV_ISSUE, 1, 0, 10, 0, 8, 8, 101, 4, 0},
		{4, XBLK_EV_COMPLETE, 1, 0, 10, 0, 8, 4, 101, 0, 0},
	};
	static const unsigned char flush[][11] = {
		{0, XBLK_EV_QUEUE, 0x81, 0, 10, 0, 0, 0, 1, 9, 0},
		{0, XBLK_EV_ISSUE, 2, 0, 10, 0, 0, 0, 100, 0, 0},
		{4, XBLK_EV_QUEUE, 0x81, 0, 10, 0, 0, 0, 2, 0, 1},
		{4, XBLK_EV_ISSUE, 2, 0, 10, 0, 0, 0, 101, 0, 0},
		{4, XBLK_EV_LOST, 0, 0, 10, 0, 1, 5, 0, 0, 0},
		{4, XBLK_EV_COMPLETE, 2, 0, 10, 0, 0, 0, 101, 0, 0},
		{0, XBLK_EV_COMPLETE, 2, 0, 10, 0, 0, 0, 100, 0, 4},
	};
	/* One that is nothing else, and a durable write that is flushed behind. */
	static const unsigned char told[][11] = {
		{0, XBLK_EV_QUEUE, 0x81, 0, 10, 0, 0, 0, 1, 9, 0},
		{0, XBLK_EV_FLUSH_QUEUE, 0, 0, 10, 0, 7, 0, 99, 1, 0},
		{0, XBLK_EV_QUEUE, 0xc1, 0, 10, 0, 8, 8, 5, 9, 0},
		{0, XBLK_EV_FLUSH_QUEUE, 0, 0, 10, 0, 7, 0, 98, 5, 0},
		{0, XBLK_EV_ISSUE, 2, 0, 10, 0, 0, 0, 100, 0, 0},
		{0, XBLK_EV_FLUSH_QUEUE, 0, 0, 10, 0, 7, 0, 100, 0, 0},
		{4, XBLK_EV_QUEUE, 0x81, 0, 10, 0, 0, 0, 2, 0, 1},
		{4, XBLK_EV_FLUSH_QUEUE, 0, 0, 10, 0, 7, 0, 97, 2, 0},
		{4, XBLK_EV_ISSUE, 2, 0, 10, 0, 0, 0, 101, 0, 0},
		{4, XBLK_EV_FLUSH_QUEUE, 0, 0, 10, 0, 7, 0, 101, 0, 0},
		{4, XBLK_EV_COMPLETE, 2, 0, 10, 0, 0, 0, 101, 0, 0},
		{4, XBLK_EV_COMPLETE, 1, 0, 10, 0, 0, 0, 97, 0, 0},
		{0, XBLK_EV_COMPLETE, 2, 0, 10, 0, 0, 0, 100, 0, 4},
		{0, XBLK_EV_COMPLETE, 1, 0, 10, 0, 0, 0, 99, 0, 0},
		{0, XBLK_EV_ISSUE, 1, 0, 10, 0, 8, 8, 98, 5, 0},
		{0, XBLK_EV_COMPLETE, 1, 0, 10, 0, 8, 8, 98, 0, 0},
		{0, XBLK_EV_COMPLETE, 1, 0, 10, 0, 0, 0, 98, 0, 4},
	};
	static const unsigned char remap[][11] = {
		{4, XBLK_EV_PROCESS, 1, 3, 10, 0, 0, 3, 1, 77, 0},
		{0, XBLK_EV_QUEUE, 0, 3, 10, 0, 8, 8, 1, 9, 0},
		{0, XBLK_EV_ISSUE, 0, 3, 10, 0, 8, 8, 100, 1, 0},
		{4, XBLK_EV_QUEUE, 0, 2, 10, 0, 8, 8, 2, 0, 1},
		{4, XBLK_EV_REMAP, 0, 0, 10, 0, 16, 8, 3, 0, 1},
		{4, XBLK_EV_REMAP_FROM, 0, 2, 0, 0, 8, 8, 3, 0, 1},
		{4, XBLK_EV_QUEUE, 0, 0, 10, 0, 16, 8, 3, 0, 1},
	};
	static const unsigned char given_up[][11] = {
		{0, XBLK_EV_QUEUE, 0, 0, 10, 0, 8, 8, 1, 9, 0},
		{0, XBLK_EV_BIO_COMPLETE, 0, 0, 10, 0, 0, 0, 1, 11, 0},
		{0, XBLK_EV_QUEUE, 0, 0, 10, 0, 8, 8, 1, 9, 0},
		{0, XBLK_EV_ISSUE, 0, 0, 10, 0, 8, 8, 100, 1, 0},
		{4, XBLK_EV_QUEUE, 0, 0, 10, 0, 8, 8, 2, 0, 1},
		{4, XBLK_EV_BIO_COMPLETE, 0, 0, 10, 0, 0, 0, 2, 5, 0},
		{0, XBLK_EV_COMPLETE, 0, 0, 10, 0, 8, 8, 100, 5, 4},
	};

	write_seed(dir, "series-read", 's', read, sizeof(read));
	write_seed(dir, "series-split", 's', split, sizeof(split));
	write_seed(dir, "series-chosen", 'F', read, sizeof(read));
	write_seed(dir, "series-told", 's', told, sizeof(told));
	write_seed(dir, "series-flush", 'S', flush, sizeof(flush));
	write_seed(dir, "series-remap", 's', remap, sizeof(remap));
	write_seed(dir, "series-given-up", 's', given_up, sizeof(given_up));
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: trace_seeds DIR\n", stderr);
		return 2;
	}
	traces(argv[1]);
	series(argv[1]);
	return 0;
}
