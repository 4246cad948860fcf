/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from elsewhere on its way into JSON. */
#ifndef XBLKTRACE_JSON_TEXT_H
#define XBLKTRACE_JSON_TEXT_H

#include <jansson.h>

/* A string of JSON must be UTF-8; where @s is not, '?' stands for what is not ASCII. */
json_t *json_text(const char *s);

#endif /* XBLKTRACE_JSON_TEXT_H */
