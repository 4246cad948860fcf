/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the writer wrote is read again, byte by byte, by a reader that shares
 * no code with it: every chunk is whole, aligned, checksummed and in sequence,
 * and what the streams' counters say is what is in the file, also when the
 * disk was full or the pipe closed in the middle of anything.
 */
#ifndef WRITTEN_H
#define WRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../xblktrace/writer.h"

/* A group of tests has a file, and runs once plain, once compressed. */
extern char written_path[sizeof("/tmp/test_trace_writer.XXXXXX")];
extern int written_level; /* 0: not compressed */
/* Domain 3's. */
extern struct writer_stream written_streams[2];

int begin_plain(void **state);
int begin_compressed(void **state);
int end_file(void **state);

/* What a file was found to hold. */
struct found {
	unsigned int types[7];
	size_t rows;	     /* of the index, which is right */
	uint32_t flags;	     /* of all of them */
	uint64_t records[2]; /* of streams (3, 0) and (3, 1) */
	uint64_t last_time;
	char json[256]; /* of the last META or END */
};

/* What is in each record of a stream. */
uint64_t record_word(unsigned int cpu, uint64_t n, unsigned int w);

/* @whole: the bytes must end with a chunk's end. */
void check_bytes(const unsigned char *b, size_t len, struct found *found, bool whole);

void check_named(const char *name, struct found *found);
void check_file(struct found *found);

/* Open it, under its name, with the streams. */
void begin_writing(struct writer *w, const char *name);
/* Make @fd standard output while "-" is opened. */
int open_as_stdout(struct writer *w, int fd);

/* Return: false once writing has failed. */
bool put_records(struct writer *w, unsigned int cpu, size_t n, uint64_t time);
/* And wait until it is out. */
void put_one(struct writer *w, unsigned int cpu, struct xblk_record rec, uint64_t time);

#endif /* WRITTEN_H */
