// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks come out in their order, sealed, however many threads compress them and however
 * long each takes, and the count of free ones never goes wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include <zstd.h>

#include "../../xblktrace/pack.h"
#include "../../xblktrace/sink.h"

#define NR 400

/* What of a chunk's header the checksum covers. */
#define HEADER offsetof(struct xblk_chunk, checksum)

static char path[] = "/tmp/test_trace_sink.XXXXXX";

/* Sizes and contents between which compressing takes very different times. */
static size_t fill(struct sink_block *b, unsigned int n)
{
	struct xblk_chunk *chunk = (struct xblk_chunk *)b->buf;
	size_t len = (n * 7919 % 31 + 1) * (n % 3 ? 256 : 32768);
	unsigned char *payload = b->buf + sizeof(*chunk);

	*chunk = (struct xblk_chunk){.type = XBLK_CHUNK_DATA, .payload = len, .time = n};
	for (size_t i = 0; i < len; i++)
		payload[i] = n % 2 ? n : i * i * 31 >> 5;
	b->used = sizeof(*chunk) + len;
	return b->used;
}

static void wait_ready(struct sink *s)
{
	struct pollfd pfd = {.fd = sink_fd(s), .events = POLLIN};

	while (!sink_ready(s))
		assert_int_equal(poll(&pfd, 1, 60000), 1);
}

static void put_all(struct sink *s, size_t *sizes)
{
	for (unsigned int n = 0; n < NR; n++) {
		wait_ready(s);
		assert_in_range(sink_nr_free(s), 1, SINK_BLOCKS - 1);
		sizes[n] = fill(sink_block(s), n);
		/* Some are not to be compressed. */
		if (n % 11 == 5)
			sink_block(s)->pack = false;
		while (sink_written(s))
			;
		sink_hand_over(s);
	}
	assert_int_equal(sink_wait(s, 0, -1), 0);
	assert_int_equal(sink_nr_free(s), SINK_BLOCKS - 1);
}

static void check_blocks(FILE *f, const size_t *sizes, bool packs)
{
	static unsigned char unpacked[SINK_BLOCK_SIZE];
	static unsigned char sealed[HEADER + SINK_BLOCK_SIZE], *bytes = sealed + HEADER;
	struct xblk_chunk chunk;

	for (unsigned int n = 0; n < NR; n++) {
		assert_int_equal(fread(&chunk, sizeof(chunk), 1, f), 1);
		assert_int_equal(chunk.time, n);
		assert_int_equal(chunk.type, packs && n % 11 != 5 ? XBLK_CHUNK_PACK
								  : XBLK_CHUNK_DATA);
		assert_int_equal(fread(bytes, 1, (chunk.payload + 31) / 32 * 32, f),
				 (chunk.payload + 31) / 32 * 32);
		memcpy(sealed, &chunk, HEADER);
		assert_int_equal(chunk.checksum,
				 XXH3_64bits(sealed, HEADER + chunk.payload));
		if (chunk.type != XBLK_CHUNK_PACK)
			continue;
		assert_int_equal(chunk.unpacked, sizes[n]);
		assert_int_equal(ZSTD_decompress(unpacked, sizeof(unpacked), bytes,
						 chunk.payload),
				 sizes[n]);
	}
	assert_int_equal(fgetc(f), EOF);
}

static void check_order(unsigned int nr_packers)
{
	static size_t sizes[NR];
	struct output out;
	struct sink *s;
	FILE *f;

	assert_int_equal(output_open(&out, path), 0);
	assert_int_equal(output_take_name(&out), 0);
	s = sink_new(&out, SINK_BLOCKS);
	assert_non_null(s);
	if (nr_packers)
		assert_int_equal(sink_pack(s, 3, nr_packers), 0);
	put_all(s, sizes);
	assert_true(sink_free(s));
	assert_int_equal(output_close(&out), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	check_blocks(f, sizes, nr_packers);
	fclose(f);
}

static void test_order(void **state)
{
	(void)state;
	check_order(0);
	check_order(1);
	check_order(4);
	check_order(SINK_MAX_PACKERS);
}

/* As many as it says, one at a time, each once. */
static void test_bounded(void **state)
{
	struct output out;
	struct sink *s;
	unsigned int n;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	out = (struct output){.fd = fds[1]};
	s = sink_new(&out, SINK_BLOCKS);
	for (n = 0; n < SINK_BLOCKS - 1; n++) {
		assert_true(sink_ready(s));
		assert_int_equal(sink_nr_free(s), SINK_BLOCKS - 1 - n);
		sink_block(s)->used = SINK_BLOCK_SIZE;
		sink_hand_over(s);
	}
	assert_false(sink_ready(s));
	assert_int_equal(sink_nr_free(s), 0);
	assert_int_equal(sink_wait(s, SINK_BLOCKS - 2, 20), -ETIMEDOUT);
	assert_null(sink_written(s));
	/* The one in hand, too. */
	sink_block(s)->used = 5;
	sink_give_up(s);
	assert_int_equal(sink_wait(s, 0, -1), -EINTR);
	assert_int_equal(sink_error(s), -EINTR);
	assert_int_equal(sink_not_written(s)->done, sink_bytes(s));
	for (n = 1; n < SINK_BLOCKS - 1; n++)
		assert_int_equal(sink_not_written(s)->done, 0);
	assert_int_equal(sink_not_written(s)->used, 5);
	assert_null(sink_not_written(s));
	assert_int_equal(sink_nr_free(s), SINK_BLOCKS - 1);
	assert_int_equal(sink_block(s)->used, 0);
	assert_true(sink_free(s));
	close(fds[0]);
	close(fds[1]);
}

/* As a file on a network file system that does not answer: nothing ends the write. */
static void test_hangs(void **state)
{
	static struct sink *left; /* what is left of it */
	struct output out;
	uint64_t bytes;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	out = (struct output){.fd = fds[1], .path = "pipe", .regular = true};
	left = sink_new(&out, SINK_BLOCKS);
	sink_block(left)->used = SINK_BLOCK_SIZE;
	sink_hand_over(left);
	assert_int_equal(sink_wait(left, 0, 100), -ETIMEDOUT);
	sink_give_up(left);
	assert_int_equal(sink_wait(left, 0, 100), -ETIMEDOUT);
	bytes = sink_bytes(left);
	assert_in_range(bytes, 0, SINK_BLOCK_SIZE - 1);
	assert_false(sink_free(left));
	close(fds[0]);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_hangs),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, setup, teardown);
}
