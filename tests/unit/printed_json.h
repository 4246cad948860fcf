/* SPDX-License-Identifier: GPL-2.0-only */
/* The summary as JSON, and read again. */
#ifndef PRINTED_JSON_H
#define PRINTED_JSON_H

#include <jansson.h>

#include "printed.h"
#include "sinks/output.h"

/* In the end: json_decref(), and printed_deinit() of @p. */
static inline json_t *printed_json(struct printed *p, const struct outcome *o,
				   const struct filter *filter)
{
	json_t *j;

	printed_init(p);
	assert_true(json_print(p->out, &o->x, filter));
	assert_int_equal(fflush(p->out), 0);
	j = json_loads(p->text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	return j;
}

#endif /* PRINTED_JSON_H */
