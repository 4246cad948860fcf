// SPDX-License-Identifier: GPL-2.0-only
#include "json_writer.h"

void json_writer_init(struct json_writer *w, FILE *out)
{
	text_init(&w->text, out);
	w->depth = 0;
	w->first = true;
	w->failed = false;
}

static void put(struct json_writer *w, const char *s)
{
	text_put(&w->text, s, strlen(s));
}

/* A blank for each level, as JSON_INDENT(1) has it: there are an object and its arrays. */
static void new_line(struct json_writer *w)
{
	text_put(&w->text, "\n  ", 1 + w->depth);
}

/* Keys are this program's own, with nothing to be escaped. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (!w->first)
		text_put_char(&w->text, ',');
	if (w->depth)
		new_line(w);
	if (key) {
		text_put_char(&w->text, '"');
		put(w, key);
		put(w, "\": ");
	}
	w->first = false;
}

void json_writer_open(struct json_writer *w, const char *key, char bracket)
{
	begin_value(w, key);
	text_put_char(&w->text, bracket);
	w->depth++;
	w->first = true;
}

void json_writer_close(struct json_writer *w, char bracket)
{
	w->depth--;
	if (!w->first)
		new_line(w);
	text_put_char(&w->text, bracket);
	w->first = false;
}

/*
 * Each blank, quotation mark and digit comes alone; a line's end is jansson's own, as it
 * escapes those in strings.
 */
static int put_token(const char *token, size_t size, void *writer)
{
	struct json_writer *w = writer;

	if (size != 1)
		text_put(&w->text, token, size);
	else if (*token == '\n')
		new_line(w);
	else
		text_put_char(&w->text, *token);
	return 0;
}

void json_writer_put(struct json_writer *w, const char *key, json_t *value)
{
	begin_value(w, key);
	if (json_dump_callback(value, put_token, w,
			       JSON_ENCODE_ANY | JSON_INDENT(1) | JSON_REAL_PRECISION(9)))
		w->failed = true;
	json_decref(value);
}

void json_writer_put_members(struct json_writer *w, json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value)
		json_writer_put(w, key, json_incref(value));
	json_decref(object);
}

bool json_writer_end(struct json_writer *w)
{
	text_put_char(&w->text, '\n');
	text_write(&w->text);
	return !w->failed && !ferror(w->text.out);
}
