// SPDX-License-Identifier: GPL-2.0-only
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include <zstd.h>

#include "written.h"

char written_path[] = "/tmp/test_trace_writer.XXXXXX";
int written_level;
struct writer_stream written_streams[2];

uint64_t record_word(unsigned int cpu, uint64_t n, unsigned int w)
{
	return (n * 4 + w) * 0x9e3779b97f4a7c15ull + cpu;
}

static void check_data(const struct xblk_chunk *chunk, const unsigned char *payload,
		       struct found *found)
{
	uint64_t n, words[4];
	unsigned int w;

	assert_int_equal(chunk->domid, 3);
	assert_in_range(chunk->cpu, 0, 1);
	assert_int_equal(chunk->payload % 32, 0);
	assert_int_not_equal(chunk->payload, 0);
	assert_int_equal(chunk->sequence, found->records[chunk->cpu]);
	for (n = 0; n < chunk->payload / 32; n++) {
		memcpy(words, payload + n * 32, 32);
		for (w = 0; w < 4; w++)
			assert_true(words[w] ==
				    record_word(chunk->cpu, chunk->sequence + n, w));
	}
	found->records[chunk->cpu] += n;
}

static void count_chunk(const struct xblk_chunk *chunk, const unsigned char *payload,
			struct found *found)
{
	found->types[chunk->type]++;
	found->last_time = chunk->time;
	if (chunk->type == XBLK_CHUNK_DATA)
		check_data(chunk, payload, found);
	else if (chunk->type != XBLK_CHUNK_INDEX)
		snprintf(found->json, sizeof(found->json), "%.*s", (int)chunk->payload,
			 payload);
}

static void check_pack(const struct xblk_chunk *pack, const unsigned char *payload,
		       struct found *found)
{
	unsigned char *b = malloc(pack->unpacked);
	struct xblk_chunk chunk;
	size_t at;

	assert_in_range(pack->unpacked, 64, XBLK_CHUNK_MAX_PAYLOAD);
	assert_int_equal(ZSTD_decompress(b, pack->unpacked, payload, pack->payload),
			 pack->unpacked);
	for (at = 0; at < pack->unpacked; at += 64 + (chunk.payload + 31) / 32 * 32) {
		assert_true(pack->unpacked - at >= sizeof(chunk));
		memcpy(&chunk, b + at, sizeof(chunk));
		if (!at)
			assert_true(chunk.time == pack->time);
		assert_int_equal(chunk.magic, XBLK_CHUNK_MAGIC);
		assert_true(chunk.type == XBLK_CHUNK_DATA ||
			    chunk.type == XBLK_CHUNK_ROUND);
		assert_true(chunk.checksum == 0);
		assert_true(pack->unpacked - at - 64 >= (chunk.payload + 31) / 32 * 32);
		count_chunk(&chunk, b + at + 64, found);
	}
	found->types[XBLK_CHUNK_PACK]++;
	free(b);
}

/*
 * Each entry names a chunk of the file, and before it there is none of that time or
 * later.
 */
static void check_index(const unsigned char *b, uint64_t offset, struct found *found)
{
	struct xblk_index_entry e;
	struct xblk_chunk index, chunk;
	size_t at = 64, newest = 0;

	memcpy(&index, b + offset, sizeof(index));
	assert_int_equal(index.type, XBLK_CHUNK_INDEX);
	assert_int_equal(index.payload % sizeof(e), 0);
	found->rows = index.payload / sizeof(e);
	assert_in_range(found->rows, 1, XBLK_INDEX_MAX);
	for (size_t i = 0; i < found->rows; i++) {
		memcpy(&e, b + offset + sizeof(index) + i * sizeof(e), sizeof(e));
		assert_true(e.offset < offset && (i || e.offset == 64));
		while (at < e.offset) {
			memcpy(&chunk, b + at, sizeof(chunk));
			newest = chunk.time;
			at += 64 + (chunk.payload + 31) / 32 * 32;
		}
		assert_true(at == e.offset);
		memcpy(&chunk, b + at, sizeof(chunk));
		assert_true(e.time == chunk.time && (!i || e.time > newest));
		assert_int_equal(e.reserved, 0);
		found->flags |= e.flags;
	}
}

void check_bytes(const unsigned char *b, size_t len, struct found *found, bool whole)
{
	struct xblk_trace_header header;
	size_t at = sizeof(header);

	memset(found, 0, sizeof(*found));
	if (!len)
		return;
	assert_true(len >= sizeof(header));
	memcpy(&header, b, sizeof(header));
	assert_true(header.magic == XBLK_TRACE_MAGIC);
	assert_memory_equal(b, "\x89\r\x1a\nXBLK", 8);
	assert_int_equal(header.version, written_level ? 2 : 1);
	assert_int_equal(header.header_size, 64);
	assert_int_equal(header.endian, XBLK_TRACE_ENDIAN);
	assert_int_equal(header.record_size, 32);
	assert_true(header.checksum == XXH3_64bits(b, 56));

	while (at < len) {
		struct xblk_chunk chunk;
		unsigned char *copy;
		size_t padded;

		if (!whole && len - at < sizeof(chunk))
			return;
		assert_true(len - at >= sizeof(chunk));
		memcpy(&chunk, b + at, sizeof(chunk));
		assert_int_equal(at % 32, 0);
		assert_int_equal(chunk.magic, XBLK_CHUNK_MAGIC);
		assert_in_range(chunk.type, XBLK_CHUNK_META, XBLK_CHUNK_INDEX);
		assert_in_range(chunk.payload, 0, XBLK_CHUNK_MAX_PAYLOAD);
		padded = (chunk.payload + 31) / 32 * 32;
		if (!whole && len - at - sizeof(chunk) < padded)
			return;
		assert_true(len - at - sizeof(chunk) >= padded);

		/* Header up to the checksum and payload, in one piece. */
		copy = malloc(56 + chunk.payload);
		memcpy(copy, b + at, 56);
		memcpy(copy + 56, b + at + 64, chunk.payload);
		assert_true(chunk.checksum == XXH3_64bits(copy, 56 + chunk.payload));
		free(copy);

		if (chunk.type == XBLK_CHUNK_PACK)
			check_pack(&chunk, b + at + 64, found);
		else
			count_chunk(&chunk, b + at + 64, found);
		if (chunk.type != XBLK_CHUNK_END)
			assert_int_equal(chunk.index, 0);
		else if (chunk.index)
			check_index(b, chunk.index, found);
		at += 64 + padded;
	}
}

void check_named(const char *name, struct found *found)
{
	FILE *f = fopen(name, "r");
	unsigned char *b;
	size_t len;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	rewind(f);
	b = malloc(len + 1);
	assert_int_equal(fread(b, 1, len, f), len);
	fclose(f);
	check_bytes(b, len, found, true);
	free(b);
}

void check_file(struct found *found)
{
	check_named(written_path, found);
}

void begin_writing(struct writer *w, const char *name)
{
	unsigned int i;

	assert_int_equal(writer_open(w, name), 0);
	assert_int_equal(writer_take_name(w), 0);
	if (written_level)
		assert_int_equal(writer_compress(w, written_level, 0), 0);
	for (i = 0; i < 2; i++) {
		written_streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(w, &written_streams[i]);
	}
}

/* Return: as writer_reserve(), once there is room. */
static void *reserve(struct writer *w, size_t *max)
{
	struct pollfd pfd = {.fd = writer_fd(w), .events = POLLIN};
	void *room;

	while (!(room = writer_reserve(w, max)) && !writer_error(w))
		if (!writer_ready(w))
			assert_int_equal(poll(&pfd, 1, 60000), 1);
	return room;
}

bool put_records(struct writer *w, unsigned int cpu, size_t n, uint64_t time)
{
	while (n) {
		size_t max, i;
		uint64_t *to = reserve(w, &max);

		if (!to)
			return false;
		assert_true(max >= 2048);
		if (max > n)
			max = n;
		for (i = 0; i < max * 4; i++)
			to[i] = record_word(cpu, written_streams[cpu].records + i / 4,
					    i % 4);
		writer_commit(w, &written_streams[cpu], max, time);
		n -= max;
	}
	return true;
}

void put_one(struct writer *w, unsigned int cpu, struct xblk_record rec, uint64_t time)
{
	size_t max;
	struct xblk_record *to = writer_reserve(w, &max);

	assert_non_null(to);
	*to = rec;
	writer_commit(w, &written_streams[cpu], 1, time);
	assert_int_equal(writer_sync(w, -1), 0);
}

int open_as_stdout(struct writer *w, int fd)
{
	int saved, err;
	unsigned int i;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	err = writer_open(w, "-");
	if (!err && written_level)
		err = writer_compress(w, written_level, 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	for (i = 0; i < 2; i++) {
		written_streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(w, &written_streams[i]);
	}
	return err;
}

static int begin_file(int level)
{
	int fd;

	written_level = level;
	strcpy(written_path + sizeof(written_path) - 7, "XXXXXX");
	fd = mkstemp(written_path);
	return fd < 0 ? -1 : close(fd);
}

int begin_plain(void **state)
{
	(void)state;
	return begin_file(0);
}

int begin_compressed(void **state)
{
	(void)state;
	return begin_file(WRITER_LEVEL);
}

int end_file(void **state)
{
	(void)state;
	return unlink(written_path);
}
