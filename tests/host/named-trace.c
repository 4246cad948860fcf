// SPDX-License-Identifier: GPL-2.0-only
/*
 * named-trace [THREAD COMM END]: a trace of one request, to standard output.  Its
 * metadata comes from standard input, THREAD is the name of blkback's thread, COMM that
 * of the process that made the request, and END the capture's last words, all of any
 * bytes; without arguments it prints metadata to begin with.
 */
#include <stdio.h>
#include <string.h>

#include "trace_gen.h"

static void one_request(struct gen *g, const char *thread, const char *comm)
{
	gen_process(g, GEN_GUEST, 0, 50, 500, comm, 0);
	gen_process(g, 0, 0, 60, GEN_KTHREAD, thread, XBLK_PROCESS_KTHREAD);
	gen_event(g, GEN_GUEST, 0, 100, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 1, 500);
	gen_event(g, GEN_GUEST, 0, 200, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 100, 1);
	gen_event(g, 0, 0, 300, XBLK_EV_QUEUE, XBLK_OP_READ, 64, 8, 2, GEN_KTHREAD);
	gen_event(g, 0, 0, 400, XBLK_EV_ISSUE, XBLK_OP_READ, 64, 8, 200, 2);
	gen_event(g, 0, 0, 500, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 200, 0);
	gen_event(g, GEN_GUEST, 0, 600, XBLK_EV_COMPLETE, XBLK_OP_READ, 64, 8, 100, 0);
}

int main(int argc, char **argv)
{
	static char meta[1 << 16];
	struct gen g;
	size_t n;

	if (argc != 4)
		return puts(gen_meta_text) < 0;
	n = fread(meta, 1, sizeof(meta), stdin);
	gen_init_bare(&g);
	gen_chunk(&g, XBLK_CHUNK_META, 0, 0, 0, 0, meta, n);
	one_request(&g, argv[1], argv[2]);
	gen_flush(&g, 1000);
	gen_chunk(&g, XBLK_CHUNK_END, 0, 0, 0, 1000, argv[3], strlen(argv[3]));
	n = fwrite(g.data, 1, g.len, stdout) != g.len;
	gen_deinit(&g);
	return n;
}
