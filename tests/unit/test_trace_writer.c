// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the writer wrote is read again, byte by byte, by a reader that shares
 * no code with it: every chunk is whole, aligned, checksummed and in sequence,
 * and what the streams' counters say is what is in the file, also when the
 * disk was full or the pipe closed in the middle of anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
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

static void check_named(const char *name, struct found *found)
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

static void check_file(struct found *found)
{
	check_named(path, found);
}

static struct writer_stream streams[2];

static void begin(struct writer *w, const char *name)
{
	unsigned int i;

	assert_int_equal(writer_open(w, name), 0);
	assert_int_equal(output_take_name(&w->out), 0);
	if (level)
		assert_int_equal(writer_compress(w, level, 0), 0);
	for (i = 0; i < 2; i++) {
		streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(w, &streams[i]);
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

/* Return: false once writing has failed. */
static bool put_records(struct writer *w, unsigned int cpu, size_t n, uint64_t time)
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
	assert_int_equal(writer_sync(w, -1), 0);
}

/* A domain is let go of when what it wrote is out; another one has its number then. */
static void test_domain_ends(void **state)
{
	static const struct xblk_record name = {.event = XBLK_EV_PROCESS, .aux = 7};
	struct writer_stream other = {.domid = 4}, again = {.domid = 3};
	const struct index *index;
	uint64_t position;
	struct writer w;

	(void)state;
	begin(&w, path);
	index = &w.index;
	writer_add_stream(&w, &other);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	put_one(&w, 0, name, 1);
	assert_true(put_records(&w, 1, 100, 2));
	position = writer_position(&w);
	assert_false(writer_is_out(&w, position));
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_true(writer_is_out(&w, position));
	assert_true(put_records(&w, 1, 1, 3));
	assert_true(writer_is_out(&w, position));
	assert_false(writer_is_out(&w, writer_position(&w)));
	assert_int_equal(writer_sync(&w, -1), 0);

	writer_remove_streams(&w, 3);
	assert_ptr_equal(w.streams, &other);
	assert_null(other.next);
	writer_add_stream(&w, &again);
	streams[0].records = 0;
	put_one(&w, 0, name, INDEX_ROW);
	/* That name is news, as of another domain. */
	assert_true(index->flags & XBLK_INDEX_NAMES ||
		    index->entries[index->nr - 1].flags & XBLK_INDEX_NAMES);
	assert_int_equal(writer_close(&w), 0);
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
	assert_int_equal(writer_sync(&w, -1), 0);
	w.index.entries[0].flags = 0;
	put_one(&w, 0, flush, 12);
	assert_int_equal(index->entries[0].flags, XBLK_INDEX_FLUSHES);
	assert_int_equal(index->nr, 1);
	assert_int_equal(writer_close(&w), 0);
}

static uint32_t flags_of(unsigned int event, unsigned int op)
{
	if (event == XBLK_EV_PROCESS)
		return XBLK_INDEX_NAMES;
	if (event == XBLK_EV_LOST)
		return XBLK_INDEX_LOSSES;
	return event == XBLK_EV_ISSUE && op % 8 == XBLK_OP_FLUSH ? XBLK_INDEX_FLUSHES : 0;
}

/* A guest's events and operations may be anything; each is found among others. */
static void test_index_anything(void **state)
{
	struct xblk_record records[3] = {{.event = XBLK_EV_QUEUE}};
	struct index index;
	unsigned int i;

	(void)state;
	assert_int_equal(index_init(&index), 0);
	for (i = 0; i < 1 << 16; i++) {
		unsigned int event = i >> 8, op = i & 0xff;

		records[i % 3] =
			(struct xblk_record){.event = event, .op = op, .id = i, .aux = i};
		assert_int_equal(index_records(&index, 3, 0, records, 3),
				 event == XBLK_EV_PROCESS);
		assert_int_equal(index_take_flags(&index), flags_of(event, op));
		records[i % 3] = (struct xblk_record){.event = XBLK_EV_QUEUE};
	}
	index_deinit(&index);
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
		index_written(&index, 64 + i * INDEX_ROW, time_of(i), time_of(i),
			      i == n / 2 ? XBLK_INDEX_META : 0);
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
	all = writer_bytes_out(&first);
	assert_int_equal(writer_close(&first), 0);
	if (!level)
		assert_int_equal(all, 64 + 96 + 6 * 64 + 45 * 32 + index + 96);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (room = 0; room < all + 64; room += 8) {
		struct found found;
		struct writer w;
		int err;

		limit = before;
		limit.rlim_cur = room;
		begin(&w, path);
		setrlimit(RLIMIT_FSIZE, &limit);
		put_all_kinds(&w);
		setrlimit(RLIMIT_FSIZE, &before);
		err = writer_error(&w);
		assert_int_equal(err, room < all - index ? -EFBIG : 0);
		assert_int_equal(writer_close(&w), err);

		check_file(&found);
		assert_int_equal(found.records[0], streams[0].records);
		assert_int_equal(found.records[1], streams[1].records);
		assert_int_equal(found.rows, room < all ? 0 : 1);
		with_end += err && found.types[XBLK_CHUNK_END];
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
	writer_header(&w, 0, 0);
	assert_int_equal(writer_sync(&w, -1), -ENOSPC);
	assert_true(writer_ready(&w));
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
		err = writer_compress(w, level, 0);
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
	assert_int_equal(writer_sync(&w, -1), -EPIPE);
	assert_int_equal(writer_close(&w), -EPIPE);
	assert_int_equal(streams[0].records, 0);
	check_bytes(bytes, n, &found, true);
}

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* Records and marks until there is no room: nothing waits.  Return: records. */
static uint64_t fill(struct writer *w)
{
	static const char text[XBLK_CHUNK_MAX_PAYLOAD];
	uint64_t records = 0, before = clock_ms();
	size_t max, i;
	uint64_t *to;

	for (; (to = writer_reserve(w, &max)); records += max) {
		for (i = 0; i < max * 4; i++)
			to[i] = record_word(0, streams[0].records + i / 4, i % 4);
		writer_commit(w, &streams[0], max, 1);
		assert_int_equal(writer_chunk(w, XBLK_CHUNK_ROUND, NULL, 0, 1), 0);
		writer_flush(w);
	}
	assert_int_equal(writer_error(w), 0);
	assert_true(writer_refused(w) && !writer_refused(w));
	assert_int_equal(writer_chunk(w, XBLK_CHUNK_META, text, sizeof(text), 1),
			 -EAGAIN);
	assert_true(clock_ms() - before < 20000);
	return records;
}

/* What has come through of an output that took nothing more, and what the streams say. */
static void check_stuck(int fd)
{
	unsigned char *bytes = malloc(8 << 20);
	struct found found;
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, bytes + len, (8 << 20) - len)) > 0)
		len += n;
	assert_int_equal(n, 0);
	assert_in_range(len, 4096, 4 << 20);
	check_bytes(bytes, len, &found, false);
	assert_int_equal(found.records[0], streams[0].records);
	assert_int_equal(found.records[1], streams[1].records);
	free(bytes);
}

static void test_stuck_pipe(void **state)
{
	struct writer w;
	uint64_t out;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	/* All blocks but one are full, whatever the output has taken. */
	assert_in_range(fill(&w), (SINK_BLOCKS / 2 - 1) * 30000, SINK_BLOCKS * 40000);
	assert_int_equal(writer_sync(&w, 50), -ETIMEDOUT);
	assert_false(writer_ready(&w));
	out = writer_bytes_out(&w);
	writer_give_up(&w);
	assert_int_equal(writer_sync(&w, -1), -EINTR);
	assert_int_equal(writer_bytes_out(&w), out);
	assert_true(writer_ready(&w));
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -EINTR);
	assert_int_equal(writer_close(&w), -EINTR);
	check_stuck(fds[0]);
	close(fds[0]);
}

/* C6: the descriptor is also another's, and cannot be made to not block. */
static void test_stuck_socket(void **state)
{
	uint64_t before;
	struct writer w;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	fill(&w);
	/* The end comes in time although nobody gives the output up. */
	before = clock_ms();
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -EINTR);
	assert_in_range(clock_ms() - before, 0, 3 * WRITER_PATIENCE_MS);
	assert_int_equal(writer_close(&w), -EINTR);
	check_stuck(fds[0]);
	close(fds[0]);
}

/* One that is connected, with few blocks: it holds that much of what is not read. */
static void test_own_socket(void **state)
{
	struct writer w;
	uint64_t records;
	unsigned int i;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(writer_open_socket(&w, fds[1], "tap", 3), 0);
	if (level)
		assert_int_equal(writer_compress(&w, level, 1), 0);
	for (i = 0; i < 2; i++) {
		streams[i] = (struct writer_stream){.domid = 3, .cpu = i};
		writer_add_stream(&w, &streams[i]);
		assert_int_equal(streams[i].nr, i);
	}
	assert_int_equal(writer_header(&w, 0, 0), 0);
	records = fill(&w);
	assert_in_range(records, 2 * 30000, 3 * 40000);
	do {
		assert_int_equal(writer_sync(&w, 50), -ETIMEDOUT);
	} while (!writer_bytes_out(&w));
	writer_give_up(&w);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), -EINTR);
	assert_int_equal(writer_close(&w), -EINTR);
	check_stuck(fds[0]);
	close(fds[0]);
}

/* A terminal that was stopped with Ctrl-S. */
static void test_stopped_terminal(void **state)
{
	int master, slave;
	struct writer w;

	(void)state;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(tcflow(slave, TCOOFF), 0);
	begin(&w, ptsname(master));
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(writer_sync(&w, 50), -ETIMEDOUT);
	writer_give_up(&w);
	assert_int_equal(writer_close(&w), -EINTR);
	close(slave);
	close(master);
}

/* One that stalls for a while loses what there was no room for, and nothing else. */
static void test_stalled_pipe(void **state)
{
	struct slow_reader r = {.bytes = malloc(32 << 20)};
	struct found found;
	pthread_t thread;
	struct writer w;
	uint64_t filled;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	r.fd = fds[0];
	assert_int_equal(open_as_stdout(&w, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	filled = fill(&w);
	pthread_create(&thread, NULL, read_slowly, &r);
	assert_true(put_records(&w, 1, 5, 2));
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 9), 0);
	assert_int_equal(writer_close(&w), 0);
	pthread_join(thread, NULL);
	close(fds[0]);
	check_bytes(r.bytes, r.len, &found, true);
	assert_int_equal(found.records[0], filled);
	assert_int_equal(found.records[0], streams[0].records);
	assert_int_equal(found.records[1], 5);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
	free(r.bytes);
}

/* The disk gets full while many blocks wait: what follows the first is taken back, too. */
static void test_full_with_queue(void **state)
{
	struct rlimit before, limit;
	struct found found;
	struct writer w;
	int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 2500000;
	setrlimit(RLIMIT_FSIZE, &limit);
	begin(&w, path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	for (i = 0; i < 60; i++) {
		put_records(&w, i % 2, 10000 + i, i);
		writer_flush(&w);
	}
	writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 99);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(writer_error(&w), -EFBIG);
	assert_int_equal(writer_close(&w), -EFBIG);
	check_file(&found);
	assert_true(found.records[0] > 20000);
	assert_int_equal(found.records[0], streams[0].records);
	assert_int_equal(found.records[1], streams[1].records);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
}

/* One file: records of both streams until it is full, a loss, and its end. */
static void fill_file(struct writer *w, uint64_t *records, uint64_t *lost)
{
	unsigned int i;

	writer_chunk(w, XBLK_CHUNK_META, "{\"m\":1}", 7, 1);
	for (i = 0; !writer_full(w); i++)
		assert_true(put_records(w, i % 2, 3000 + i, i + 2));
	for (i = 0; i < 2; i++) {
		streams[i].lost = *lost += 10 + i;
		streams[i].marks += 3;
		records[i] += streams[i].records;
	}
	assert_int_equal(writer_last_chunk(w, XBLK_CHUNK_END, "{}", 2, 1000), 0);
}

/* Each is a whole trace, and together they have each record of the newest once. */
static void test_rotation(void **state)
{
	uint64_t records[2] = {0}, sum[2] = {0}, lost = 0, before;
	char names[4][sizeof(path) + 2];
	struct found found;
	struct writer w;
	int i;

	(void)state;
	begin(&w, path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 4), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	for (i = 0; i < 6; i++) {
		/* Those that are gone in the end. */
		if (i == 2)
			memset(records, 0, sizeof(records));
		before = streams[1].produced_before - streams[1].lost_before;
		fill_file(&w, records, &lost);
		if (i == 5)
			break;
		before += streams[1].records - 3;
		assert_int_equal(writer_next_file(&w, i, i), 0);
		assert_int_equal(streams[1].produced_before, before + lost);
		assert_true(streams[1].lost_before == lost);
		assert_int_equal(streams[1].records, 0);
	}
	assert_int_equal(writer_close(&w), 0);
	for (i = 0; i < 4; i++) {
		snprintf(names[i], sizeof(names[i]), i ? "%s.%d" : "%s", path, i);
		check_named(names[i], &found);
		assert_int_equal(found.types[XBLK_CHUNK_META], 1);
		assert_int_equal(found.types[XBLK_CHUNK_END], 1);
		assert_in_range(found.rows, 1, 100);
		assert_true(found.flags & XBLK_INDEX_META);
		sum[0] += found.records[0];
		sum[1] += found.records[1];
	}
	for (i = 1; i < 4; i++)
		assert_int_equal(unlink(names[i]), 0);
	assert_int_equal(sum[0], records[0]);
	assert_int_equal(sum[1], records[1]);
	snprintf(names[0], sizeof(names[0]), "%s.4", path);
	assert_int_equal(access(names[0], F_OK), -1);
}

/* The owner may know of more marks than have been moved: the others are the next file's. */
static void test_marks_ahead(void **state)
{
	struct found found;
	struct writer w;

	(void)state;
	begin(&w, path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 1), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_true(put_records(&w, 0, 3, 1));
	streams[0].marks = 5;
	assert_int_equal(writer_marks(&streams[0]), 3);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 1), 0);
	assert_int_equal(writer_next_file(&w, 2, 2), 0);
	assert_int_equal(streams[0].produced_before, 0);
	assert_int_equal(streams[0].records_before, 3);
	assert_int_equal(streams[0].marks, 2);
	assert_true(put_records(&w, 0, 4, 2));
	assert_int_equal(writer_marks(&streams[0]), 2);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, 3), 0);
	assert_int_equal(w.nr_ended, 1);
	assert_true(w.bytes_ended > 64);
	assert_int_equal(writer_close(&w), 0);
	check_file(&found);
	assert_int_equal(found.records[0], 4);
}

/* The one that is whole stays so, and nothing else. */
static void test_next_file_fails(void **state)
{
	uint64_t records[2] = {0}, lost = 0;
	char name[sizeof(path) + 2];
	struct found found;
	struct writer w;

	(void)state;
	snprintf(name, sizeof(name), "%s.1", path);
	assert_int_equal(mkdir(name, 0700), 0);
	begin(&w, path);
	assert_int_equal(writer_rotate(&w, 1 << 20, 2), 0);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	fill_file(&w, records, &lost);
	assert_int_equal(writer_next_file(&w, 0, 0), -EISDIR);
	assert_null(writer_reserve(&w, &(size_t){0}));
	assert_int_equal(writer_close(&w), -EISDIR);
	assert_int_equal(rmdir(name), 0);
	check_file(&found);
	assert_int_equal(found.records[0], records[0]);
	assert_int_equal(found.types[XBLK_CHUNK_END], 1);
}

/* There is nothing to call the next one. */
static void test_no_rotation(void **state)
{
	struct writer w;

	(void)state;
	begin(&w, "/dev/null");
	assert_int_equal(writer_rotate(&w, 1 << 20, 2), -EINVAL);
	assert_false(writer_full(&w));
	assert_int_equal(writer_close(&w), 0);
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
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_in_range(writer_bytes_out(&w), 64 + 64 + 32, 4096);
	assert_int_equal(writer_close(&w), 0);

	begin(&w, path);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	to = writer_reserve(&w, &max);
	for (i = 0; i < max * 4; i++)
		to[i] = record_word(0, i / 4, i % 4);
	writer_commit(&w, &streams[0], max, 1);
	assert_int_equal(writer_sync(&w, -1), 0);
	assert_true(writer_bytes_out(&w) > max * 32);
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
		cmocka_unit_test(test_domain_ends),
		cmocka_unit_test(test_index_flags),
		cmocka_unit_test(test_index_anything),
		cmocka_unit_test(test_index_full),
		cmocka_unit_test(test_too_large_payload),
		cmocka_unit_test(test_full_disk_anywhere),
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_stdout_is_a_file),
		cmocka_unit_test(test_slow_pipe),
		cmocka_unit_test(test_broken_pipe),
		cmocka_unit_test(test_stuck_pipe),
		cmocka_unit_test(test_stuck_socket),
		cmocka_unit_test(test_own_socket),
		cmocka_unit_test(test_stopped_terminal),
		cmocka_unit_test(test_stalled_pipe),
		cmocka_unit_test(test_full_with_queue),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_marks_ahead),
		cmocka_unit_test(test_next_file_fails),
		cmocka_unit_test(test_no_rotation),
		cmocka_unit_test(test_compression),
	};

	int failed;

	failed = cmocka_run_group_tests_name("plain", tests, setup, teardown);
	level = WRITER_LEVEL;
	return failed + cmocka_run_group_tests_name("compressed", tests, setup, teardown);
}
