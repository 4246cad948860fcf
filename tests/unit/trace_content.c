// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "trace_content.h"

char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*len = ftell(f);
	rewind(f);
	text = calloc(1, *len + 1);
	assert_int_equal(fread(text, 1, *len, f), *len);
	fclose(f);
	return text;
}

const char *trace_next(const char *bytes, size_t len, size_t *at,
		       struct xblk_chunk *chunk)
{
	const size_t from = *at ? *at : sizeof(struct xblk_trace_header);
	const size_t behind = from + sizeof(*chunk);

	if (behind > len)
		return NULL;
	memcpy(chunk, bytes + from, sizeof(*chunk));
	assert_int_equal(chunk->magic, XBLK_CHUNK_MAGIC);
	if (chunk->payload > len - behind)
		return NULL;
	*at = behind + (chunk->payload + 31) / 32 * 32;
	return bytes + behind;
}

static void see_records(struct content *c, const struct xblk_chunk *chunk,
			const char *payload)
{
	struct seen *s = &c->streams[chunk->domid];
	size_t i, nr = chunk->payload / XBLK_RECORD_SIZE;

	assert_in_range(chunk->domid, 0, CONTENT_DOMAINS - 1);
	assert_int_equal(chunk->sequence, s->nr);
	if (s->nr + nr > s->room) {
		s->room = 2 * (s->nr + nr);
		s->records = realloc(s->records, s->room * XBLK_RECORD_SIZE);
	}
	memcpy(s->records + s->nr, payload, nr * XBLK_RECORD_SIZE);
	for (i = s->nr; i < s->nr + nr; i++)
		c->late += s->records[i].time < c->round;
	s->nr += nr;
}

static void see_end(struct content *c, const char *bytes, const struct xblk_chunk *chunk,
		    const char *payload)
{
	struct xblk_chunk index;

	c->end = json_loadb(payload, chunk->payload, 0, NULL);
	assert_non_null(c->end);
	assert_in_range(chunk->index, 1, payload - bytes - sizeof(*chunk));
	memcpy(&index, bytes + chunk->index, sizeof(index));
	assert_int_equal(index.type, XBLK_CHUNK_INDEX);
}

void content_of(struct content *c, const char *bytes, size_t len)
{
	struct xblk_chunk chunk;
	const char *payload;
	size_t at = 0;

	*c = (struct content){0};
	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		assert_null(c->end);
		if (chunk.type == XBLK_CHUNK_DATA) {
			see_records(c, &chunk, payload);
		} else if (chunk.type == XBLK_CHUNK_ROUND) {
			c->round = chunk.time;
			c->rounds++;
		} else if (chunk.type == XBLK_CHUNK_META) {
			free(c->meta);
			c->meta = strndup(payload, chunk.payload);
			c->metas++;
		} else if (chunk.type == XBLK_CHUNK_END) {
			see_end(c, bytes, &chunk, payload);
		}
	}
}

void content_of_file(struct content *c, const char *path)
{
	size_t len;
	char *bytes = slurp(path, &len);

	content_of(c, bytes, len);
	free(bytes);
}

void content_forget(struct content *c)
{
	unsigned int i;

	for (i = 0; i < CONTENT_DOMAINS; i++)
		free(c->streams[i].records);
	free(c->meta);
	json_decref(c->end);
}

const char *content_reason(const struct content *c)
{
	return json_string_value(json_object_get(c->end, "reason"));
}

uint64_t content_counter(const struct content *c, unsigned int domid, const char *name)
{
	const json_t *stream;
	size_t i;

	json_array_foreach (json_object_get(c->end, "streams"), i, stream)
		if (json_integer_value(json_object_get(stream, "domid")) == domid)
			return json_integer_value(json_object_get(stream, name));
	fail_msg("END does not know domain %u", domid);
	return 0;
}
