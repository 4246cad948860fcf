// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the writer wrote is read again, byte by byte, by a reader that shares
 * no code with it: every chunk is whole, aligned, checksummed and in sequence,
 * and what the streams' counters say is what is in the file, also when the
 * disk was full or the pipe closed in the middle of anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include <xxhash.h>
#include <zstd.h>

#include "../../xblktrace/writer.h"

static char path[] = "/tmp/test_trace_writer.XXXXXX";

/* What a file was found to hold. */
struct found {
	unsigned int types[7];
	size_t rows;	     /* of the index, which is right */
	uint32_t flags;	     /* of all of them */
	uint64_t records[2]; /* of streams (3, 0) and (3, 1) */
	uint64_t last_time;
	char json[256]; /* of the last META or END */
};

static uint64_t record_word(unsigned int cpu, uint64_t n, unsigned int w)
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

static int level; /* the tests run with 0, not compressing, and with another one */

/* @whole: the bytes must end with a chunk's end. */
static void check_bytes(const unsigned char *b, size_t len, struct found *found,
			bool whole)
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
	assert_int_equal(header.version, level ? 2 : 1);
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

static void check_file(struct found *found)
{
	FILE *f = fopen(path, "r");
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

static struct writer_stream streams[2];

static void begin(struct writer *w, const char *name)
{
	unsigned int i;

	assert_int_equal(writer_open(w, name), 0);
	assert_int_equal(output_take_name(&w->out), 0);
	if (level)
		assert_int_equal(writer_compress(w, level), 0);
	for (i = 0; i < 2; i++) {
		streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(w, &streams[i]);
	}
}

/* Return: false once writing has failed. */
static bool put_records(struct writer *w, unsigned int cpu, size_t n, uint64_t time)
{
	while (n) {
		size_t max, i;
		uint64_t *to = writer_reserve(w, &max);

		if (!to)
			return false;
		assert_true(max >= 2048);
		if (max > n)
			max = n;
		for (i = 0; i < max * 4; i++)
			to[i] = record_word(cpu, streams[cpu].records + i / 4, i % 4);
		writer_commit(w, &streams[cpu], max, time);
		n -= max;
	}
	return true;
}

static void test_whole_file(void **state)
{
	struct found found;
	struct writer w;

	(void)state;
	begin(&w, path);
	assert_int_equal(writer_header(&w, 1000, 2000), 0);
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_META, "{\"a\":1}", 7, 5), 0);
	assert_true(put_records(&w, 0, 1, 10));
	assert_true(put_records(&w, 1, 100, 10));
	writer_commit(&w, &streams[0], 0, 10); /* no chunk */
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_ROUND, NULL, 0, 10), 0);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{\"b\":2}", 7, 11), 0);
	assert_int_equal(writer_close(&w), 0);

	check_file(&found);
	assert_int_equal(found.types[XBLK_CHUNK_META], 1);
	assert_int_equal(found.types[XBLK_CHUNK_DATA], 2);
	assert_int_equal(found.types[XBLK_CHUNK_ROUND], 1);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
	assert_int_equal(found.types[XBLK_CHUNK_PACK], level ? 1 : 0);
	assert_int_equal(found.types[XBLK_CHUNK_INDEX], 1);
	assert_int_equal(found.rows, 1);
	assert_true(found.flags & XBLK_INDEX_META);
	assert_int_equal(found.records[0], 1);
	assert_int_equal(found.records[1], 100);
	assert_string_equal(found.json, "{\"b\":2}");
	assert_int_equal(found.last_time, 11);
}

/* Chunks of every size up to the largest, over many fills of the buffer. */
static void test_large(void **state)
{
	struct found found;
	struct writer w;
	size_t n, sum = 0;

	(void)state;
	begin(&w, path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	for (n = 1; n < 200000; n = n * 3 + 1) {
		assert_true(put_records(&w, n % 2, n, n));
		sum += n;
	}
	assert_int_equal(writer_close(&w), 0);
	check_file(&found);
	assert_int_equal(found.records[0] + found.records[1], sum);
	assert_int_equal(found.records[0], streams[0].records);
	assert_int_equal(found.records[1], streams[1].records);
}

static void put_one(struct writer *w, unsigned int cpu, struct xblk_record rec,
		    uint64_t time)
{
	size_t max;
	struct xblk_record *to = writer_reserve(w, &max);

	assert_non_null(to);
	*to = rec;
	writer_commit(w, &streams[cpu], 1, time);
	assert_int_equal(writer_flush(w), 0);
}

/* What a reader has to know of a row it finds in the index, and nothing else. */
static void test_index_flags(void **state)
{
	static const struct xblk_record name = {.event = XBLK_EV_PROCESS, .aux = 7},
					other = {.event = XBLK_EV_PROCESS,
						 .aux = 7,
						 .comm = "other"},
					read = {.event = XBLK_EV_QUEUE, .aux = 7},
					lost = {.event = XBLK_EV_LOST};
	struct xblk_record flush = {.event = XBLK_EV_ISSUE, .op = XBLK_OP_FLUSH, .id = 5};
	const struct index *index;
	struct writer w;

	(void)state;
	begin(&w, path);
	index = &w.index;
	assert_int_equal(writer_header(&w, 0, 0), 0);
	put_one(&w, 0, read, 1);
	assert_int_equal(index->entries[0].flags, 0);
	put_one(&w, 0, name, 2);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES);
	w.index.entries[0].flags = 0;
	/* It is known, by whichever CPU it is told. */
	put_one(&w, 1, name, 3);
	assert_int_equal(index->entries[0].flags, 0);
	put_one(&w, 1, other, 4);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, name, 5);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES);
	put_one(&w, 0, lost, 6);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_NAMES | XBLK_INDEX_LOSSES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 7);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 8);
	assert_int_equal(index->entries[0].flags, 0);
	/* On another CPU, by another request, of a disk that may be another one. */
	put_one(&w, 1, flush, 9);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	w.index.entries[0].flags = 0;
	flush.id++;
	put_one(&w, 0, flush, 10);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_META, "{}", 2, 11), 0);
	assert_int_equal(writer_flush(&w), 0);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 12);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	assert_int_equal(index->nr, 1);
	assert_int_equal(writer_close(&w), 0);
}

/* Some of the chunks are of the time of the one before, and do not begin a row. */
static uint64_t time_of(uint64_t chunk)
{
	return chunk - chunk / 7;
}

/* Its size has an end; each row is still where it says. */
static void test_index_full(void **state)
{
	struct xblk_index_entry *e;
	struct index index;
	size_t i, n = 5 * XBLK_INDEX_MAX;

	(void)state;
	assert_int_equal(index_init(&index), 0);
	for (i = 0; i < n; i++) {
		index.flags |= i == n / 2 ? XBLK_INDEX_META : 0;
		index_written(&index, 64 + i * INDEX_ROW, time_of(i), time_of(i));
	}
	assert_in_range(index.nr, XBLK_INDEX_MAX / 2, XBLK_INDEX_MAX);
	for (e = index.entries; e < index.entries + index.nr; e++) {
		uint64_t of = (e->offset - 64) / INDEX_ROW;
		uint64_t end = e + 1 < index.entries + index.nr
				       ? (e[1].offset - 64) / INDEX_ROW
				       : n;

		assert_true((e->offset - 64) % INDEX_ROW == 0);
		assert_true(e->time == time_of(of));
		assert_int_equal(e->flags,
				 of <= n / 2 && n / 2 < end ? XBLK_INDEX_META : 0);
		assert_true(!of || time_of(of) > time_of(of - 1));
	}
	index_deinit(&index);
}

static void test_too_large_payload(void **state)
{
	char *json = calloc(1, XBLK_CHUNK_MAX_PAYLOAD + 1);
	struct writer w;

	(void)state;
	begin(&w, path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(
		writer_chunk(&w, XBLK_CHUNK_META, json, XBLK_CHUNK_MAX_PAYLOAD, 0), 0);
	assert_int_equal(writer_chunk(&w, XBLK_CHUNK_META, json,
				      XBLK_CHUNK_MAX_PAYLOAD + 1, 0),
			 -EFBIG);
	assert_int_equal(writer_close(&w), 0);
	free(json);
}

/* META, six DATA chunks of 5 to 10 records, END. */
static void put_all_kinds(struct writer *w)
{
	unsigned int i;

	writer_header(w, 0, 0);
	writer_chunk(w, XBLK_CHUNK_META, "{\"x\":1}", 7, 1);
	for (i = 0; i < 6; i++) {
		put_records(w, i % 2, 5 + i, i);
		if (i % 3 == 2)
			writer_flush(w);
	}
	writer_last_chunk(w, XBLK_CHUNK_END, "{}", 2, 9);
}

/*
 * The disk is full after any number of bytes: in the header, in a chunk's
 * header, payload or padding, between chunks, in a later buffer.
 */
static void test_full_disk_anywhere(void **state)
{
	struct rlimit before, limit;
	const size_t index = 64 + 32; /* which nothing fails for want of */
	unsigned int with_end = 0;
	struct writer first;
	size_t room, all;

	(void)state;
	begin(&first, path);
	put_all_kinds(&first);
	all = first.bytes;
	assert_int_equal(writer_close(&first), 0);
	if (!level)
		assert_int_equal(all, 64 + 96 + 6 * 64 + 45 * 32 + index + 96);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (room = 0; room < all + 64; room += 8) {
		struct found found;
		struct writer w;

		limit = before;
		limit.rlim_cur = room;
		begin(&w, path);
		setrlimit(RLIMIT_FSIZE, &limit);
		put_all_kinds(&w);
		setrlimit(RLIMIT_FSIZE, &before);
		assert_int_equal(w.error, room < all - index ? -EFBIG : 0);
		assert_int_equal(writer_close(&w), w.error);

		check_file(&found);
		assert_int_equal(found.records[0], streams[0].records);
		assert_int_equal(found.records[1], streams[1].records);
		assert_int_equal(found.rows, room < all ? 0 : 1);
		with_end += w.error && found.types[XBLK_CHUNK_END];
	}
	/* Where a large chunk did not fit, the small last one often did. */
	assert_in_range(with_end, 10, all / 8);
}

static void test_unwritable(void **state)
{
	struct writer w;

	(void)state;
	assert_int_equal(writer_open(&w, "/nowhere/file"), -ENOENT);
	writer_close(&w);
	assert_int_equal(writer_open(&w, "/"), -EISDIR);
	writer_close(&w);
	begin(&w, "/dev/full");
	assert_int_equal(writer_header(&w, 0, 0), -ENOSPC);
	assert_null(writer_reserve(&w, &(size_t){0}));
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -ENOSPC);
	assert_int_equal(writer_close(&w), -ENOSPC);
}

/* Make @fd standard output while "-" is opened. */
static int open_as_stdout(struct writer *w, int fd)
{
	int saved, err;
	unsigned int i;

	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	err = writer_open(w, "-");
	if (!err && level)
		err = writer_compress(w, level);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	for (i = 0; i < 2; i++) {
		streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(w, &streams[i]);
	}
	return err;
}

static void test_terminal(void **state)
{
	struct writer w;
	int master, slave;

	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(open_as_stdout(&w, slave), -ENOTTY);
	writer_close(&w);
	close(slave);
	close(master);
}

/* `-o - >>file`: behind what is there, and cut back to it, not to zero. */
static void test_stdout_is_a_file(void **state)
{
	struct writer w;
	char head[6] = "";
	int fd;

	(void)state;
	fd = open(path, O_RDWR | O_TRUNC);
	assert_int_equal(write(fd, "before", 6), 6);
	assert_int_equal(open_as_stdout(&w, fd), 0);
	assert_true(w.out.regular);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(writer_close(&w), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 6 + 64);
	assert_int_equal(pread(fd, head, 6, 0), 6);
	assert_memory_equal(head, "before", 6);
	close(fd);
}

struct slow_reader {
	int fd;
	unsigned char *bytes;
	size_t len;
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;
	ssize_t n;

	do {
		usleep(200);
		n = read(r->fd, r->bytes + r->len, 9999);
		r->len += n > 0 ? n : 0;
	} while (n > 0);
	return NULL;
}

static void test_slow_pipe(void **state)
{
	struct slow_reader r = {.bytes = malloc(8 << 20)};
	struct found found;
	pthread_t thread;
	struct writer w;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	r.fd = fds[0];
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	assert_false(w.out.regular);
	close(fds[1]);
	pthread_create(&thread, NULL, read_slowly, &r);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_true(put_records(&w, 0, 40000, 1));
	assert_true(put_records(&w, 1, 40000, 1));
	assert_int_equal(writer_close(&w), 0);
	pthread_join(thread, NULL);
	close(fds[0]);
	check_bytes(r.bytes, r.len, &found, true);
	assert_int_equal(found.records[0], 40000);
	assert_int_equal(found.records[1], 40000);
	free(r.bytes);
}

/* The pipe closes in mid-chunk: what came through is whole but for its end. */
static void test_broken_pipe(void **state)
{
	unsigned char bytes[65536];
	struct found found;
	struct writer w;
	int fds[2];
	ssize_t n;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	n = read(fds[0], bytes, sizeof(bytes));
	assert_int_equal(n, 64);
	close(fds[0]);
	put_records(&w, 0, 10, 1);
	assert_int_equal(writer_flush(&w), -EPIPE);
	assert_int_equal(streams[0].records, 0);
	assert_int_equal(writer_close(&w), -EPIPE);
	check_bytes(bytes, n, &found, true);
}

static bool give_up(void *arg)
{
	unsigned int *calls = arg;

	/* As with a first Ctrl-C, which does not abandon the output yet. */
	return ++*calls == 3;
}

static void test_stuck_pipe(void **state)
{
	unsigned char *bytes = malloc(1 << 20);
	unsigned int calls = 0;
	struct found found;
	struct writer w;
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	w.interrupt_fd = eventfd(1, 0);
	w.interrupted = give_up;
	w.arg = &calls;
	assert_int_equal(writer_header(&w, 0, 0), 0);
	put_records(&w, 0, 3000, 1);
	put_records(&w, 1, 3000, 1);
	assert_int_equal(writer_flush(&w), -EINTR);
	assert_int_equal(calls, 3);
	close(w.interrupt_fd);
	assert_int_equal(writer_close(&w), -EINTR);
	n = read(fds[0], bytes, 1 << 20);
	close(fds[0]);
	/* A pipe's buffer: less than the first chunk. */
	assert_in_range(n, 4096, 64 + 64 + 3000 * 32 - 1);
	check_bytes(bytes, n, &found, false);
	assert_int_equal(found.records[0], streams[0].records);
	assert_int_equal(found.records[1], streams[1].records);
	free(bytes);
}

/* What repeats itself gets small, and what does not is written nevertheless. */
static void test_compression(void **state)
{
	struct found found;
	int level_of_all = level;
	struct writer w;
	uint64_t *to;
	size_t max, i;

	(void)state;
	level = 3;
	begin(&w, path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	to = writer_reserve(&w, &max);
	memset(to, 0, max * 32);
	writer_commit(&w, &streams[0], max, 1);
	assert_int_equal(writer_flush(&w), 0);
	assert_in_range(w.bytes, 64 + 64 + 32, 4096);
	assert_int_equal(writer_close(&w), 0);

	begin(&w, path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	to = writer_reserve(&w, &max);
	for (i = 0; i < max * 4; i++)
		to[i] = record_word(0, i / 4, i % 4);
	writer_commit(&w, &streams[0], max, 1);
	assert_int_equal(writer_flush(&w), 0);
	assert_true(w.bytes > max * 32);
	assert_int_equal(writer_close(&w), 0);
	check_file(&found);
	assert_int_equal(found.records[0], max);
	level = level_of_all;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	fd = mkstemp(path);
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
		cmocka_unit_test(test_whole_file),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_index_flags),
		cmocka_unit_test(test_index_full),
		cmocka_unit_test(test_too_large_payload),
		cmocka_unit_test(test_full_disk_anywhere),
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_stdout_is_a_file),
		cmocka_unit_test(test_slow_pipe),
		cmocka_unit_test(test_broken_pipe),
		cmocka_unit_test(test_stuck_pipe),
		cmocka_unit_test(test_compression),
	};

	int failed;

	failed = cmocka_run_group_tests_name("plain", tests, setup, teardown);
	level = WRITER_LEVEL;
	return failed + cmocka_run_group_tests_name("compressed", tests, setup, teardown);
}
