/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A JSON document that is written piece by piece: only one of them is in memory at a
 * time, however many disks there are. The pieces are values of jansson's, and the
 * document is what jansson would print of all of it.
 */
#ifndef XBLKPARSE_JSON_WRITER_H
#define XBLKPARSE_JSON_WRITER_H

#include <stdbool.h>

#include <jansson.h>

#include "text.h"

struct json_writer {
	struct text text;
	unsigned int depth; /* of objects and arrays that are open */
	bool first;	    /* nothing is in the last one of them yet */
	bool failed;
};

void json_writer_init(struct json_writer *w, FILE *out);
/*
 * An object or an array begins and ends: '{' and '}', '[' and ']'.  @key: a name of the
 * format, which is put as it is; NULL in an array, and of the document.
 */
void json_writer_open(struct json_writer *w, const char *key, char bracket);
void json_writer_close(struct json_writer *w, char bracket);
/* A piece, which is freed. */
void json_writer_put(struct json_writer *w, const char *key, json_t *value);
/* An object's members become the open object's, and it is freed. */
void json_writer_put_members(struct json_writer *w, json_t *object);
/* The document is there: false if it could not be made or written. */
bool json_writer_end(struct json_writer *w);

#endif
