/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the JSON summary share. */
#ifndef XBLKPARSE_JSON_UTIL_H
#define XBLKPARSE_JSON_UTIL_H

#include <jansson.h>

#include "analyse.h"
#include "base/util.h"

/* Above what a JSON integer of jansson's holds, the largest one. */
static inline json_t *json_u64(uint64_t n)
{
	return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static inline void json_set(json_t *object, const char *key, uint64_t n)
{
	json_object_set_new(object, key, json_u64(n));
}

static inline void json_set_real(json_t *object, const char *key, double v)
{
	json_object_set_new(object, key, json_real(v));
}

static inline void json_set_string(json_t *object, const char *key, const char *s)
{
	json_object_set_new(object, key, json_string(s));
}

/* p50 to p99.9: null where there was no room for all of the times. */
static inline void json_set_quantiles(json_t *object, const struct hist *h)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} all[] = {{"p50_ns", 500}, {"p90_ns", 900}, {"p99_ns", 990}, {"p999_ns", 999}};

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
		json_object_set_new(
			object, all[i].name,
			h->beyond ? json_null()
				  : json_u64(hist_quantile(h, all[i].permille)));
}

/* json_analysis.c: its members into a disk's object, also those of an idle disk. */
void json_analysis(json_t *to, const struct xblk *x, const struct xblk_disk *d);

#endif
