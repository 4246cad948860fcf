// SPDX-License-Identifier: GPL-2.0-only
#include "format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/event.h"
#include "output.h"
#include "base/util.h"
#include "sink.h"
#include "text.h"

#define FIELDS	  "abcCdDegikmMnNpsStTuz%"
#define MAX_WIDTH 1000

/* A field with its width, or a stretch of text. */
struct item {
	char field; /* '\0': text */
	bool left;
	unsigned int width;
	char *text;
};

struct format {
	struct item *items;
	size_t nr;
	char *line; /* has room for what they make of an event */
};

static struct item *new_item(struct format *f)
{
	f->items = xrealloc(f->items, (f->nr + 1) * sizeof(*f->items));
	f->items[f->nr] = (struct item){0};
	return &f->items[f->nr++];
}

static char unescaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Up to the next field. */
static const char *parse_text(struct format *f, const char *p)
{
	char *to = xmalloc(strlen(p) + 1);

	new_item(f)->text = to;
	while (*p && *p != '%') {
		if (*p == '\\' && p[1])
			*to++ = unescaped(*++p);
		else
			*to++ = *p;
		p++;
	}
	*to = '\0';
	return p;
}

/* @p is behind the '%'; NULL if there is no such field. */
static const char *parse_field(struct format *f, const char *p)
{
	struct item *item = new_item(f);

	if (*p == '-') {
		item->left = true;
		p++;
	}
	for (; isdigit((unsigned char)*p); p++) {
		item->width = item->width * 10 + (*p - '0');
		if (item->width > MAX_WIDTH)
			return NULL;
	}
	if (!*p || !strchr(FIELDS, *p))
		return NULL;
	item->field = *p;
	return p + 1;
}

static size_t most_of(const struct item *item)
{
	return item->field ? item->width + LABEL_LEN + PUT_SLACK : strlen(item->text);
}

static void make_room(struct format *f)
{
	size_t size = PUT_SLACK;

	for (size_t i = 0; i < f->nr; i++)
		size += most_of(&f->items[i]);
	f->line = xmalloc(size);
}

struct format *format_parse(const char *text, char *why, size_t size)
{
	struct format *f = xcalloc(1, sizeof(*f));

	while (*text) {
		const char *field = text;

		if (*text != '%') {
			text = parse_text(f, text);
			continue;
		}
		text = parse_field(f, text + 1);
		if (!text) {
			snprintf(why, size, "'%.8s' is not a field of a format", field);
			format_free(f);
			return NULL;
		}
	}
	make_room(f);
	return f;
}

void format_free(struct format *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nr; i++)
		free(f->items[i].text);
	free(f->items);
	free(f->line);
	free(f);
}

struct event {
	const struct xblk *x;
	const struct xblk_event_record *of;
	const struct xblk_record *r;
	uint64_t since_ns; /* the trace's start */
};

/* The number that a kernel knows the disk by; blkfront's are of major 202 but for the old
 * ones. */
static void device_number(const struct event *e, unsigned int *major, unsigned int *minor)
{
	size_t at = e->of->disk;
	struct xblk_disk d;

	*major = *minor = 0;
	if (!xblk_next_disk(e->x, &at, &d))
		return;
	if (d.backend) {
		sscanf(d.dev, "%u:%u", major, minor);
	} else if (d.devid >> 28) {
		*major = 202;
		*minor = d.devid & 0xfffff;
	} else {
		*major = d.devid >> 8;
		*minor = d.devid & 0xff;
	}
}

static const char *wall_time(const struct event *e, char *to, size_t size)
{
	struct xblk_trace t;
	time_t seconds;
	struct tm tm;
	uint64_t ns;

	xblk_get_trace(e->x, &t);
	ns = add_sat(t.wall_ns, e->since_ns);
	seconds = ns / 1000000000;
	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	snprintf(to, size, "%02d:%02d:%02d.%09" PRIu64, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 ns % 1000000000);
	return to;
}

static const char *process_of(const struct event *e, char *to, size_t size)
{
	const char *name = xblk_event_process(e->of);

	if (e->r->event != XBLK_EV_PROCESS)
		return name ? name : "";
	copy_printable(to, size, e->r->comm, XBLK_COMM_LEN);
	return to;
}

/* Fields that are no numbers; what is made for them is in @to. */
static const char *text_of(const struct event *e, char field, char *to, size_t size)
{
	const struct xblk_record *r = e->r;
	unsigned int major, minor;

	*to = '\0';
	switch (field) {
	case 'a':
		*put_char(to, e->of->letter) = '\0';
		return to;
	case 'C':
		return process_of(e, to, size);
	case 'd':
		if (event_has(r->event, EVENT_OP))
			op_letters(to, r->op, r->nr_sectors);
		return to;
	case 'D':
		device_number(e, &major, &minor);
		snprintf(to, size, "%3u,%-3u", major, minor);
		return to;
	case 'g':
		return e->of->domain;
	case 'k':
		return e->of->label ? e->of->label : "-";
	case 'z':
		return wall_time(e, to, size);
	default:
		return "%";
	}
}

static uint64_t number_of(const struct event *e, char field)
{
	const struct xblk_record *r = e->r;
	unsigned int major, minor;

	switch (field) {
	case 'b':
		return event_has(r->event, EVENT_OP) || r->event == XBLK_EV_RESPONSE
			       ? r->id
			       : 0;
	case 'c':
		return e->of->cpu;
	case 'e':
		return event_has(r->event, EVENT_ERROR) ? r->aux : 0;
	case 'i':
		return e->of->domid;
	case 'm':
		device_number(e, &major, &minor);
		return minor;
	case 'M':
		device_number(e, &major, &minor);
		return major;
	case 'n':
		return event_has(r->event, EVENT_POSITION) ? r->nr_sectors : 0;
	case 'N':
		return event_has(r->event, EVENT_POSITION) ? 512ull * r->nr_sectors : 0;
	case 'p':
		return event_has(r->event, EVENT_PID) ? r->aux : 0;
	case 's':
		return e->of->sequence;
	case 'S':
		return event_has(r->event, EVENT_POSITION) ? r->sector : 0;
	case 't':
		return e->since_ns % 1000000000;
	case 'T':
		return e->since_ns / 1000000000;
	case 'u':
		return xblk_event_elapsed(e->of) / 1000;
	default:
		return 0;
	}
}

/* In its width, @fill where it has nothing. */
static char *put_number(char *to, uint64_t n, const struct item *item, char fill)
{
	char digits[NUMBER_SIZE + PUT_SLACK];
	size_t len = put_u64(digits, n) - digits,
	       blank = item->width > len ? item->width - len : 0;

	if (item->left && fill == ' ')
		return put_blanks(mempcpy(to, digits, len), blank);
	memset(to, fill, blank);
	return mempcpy(to + blank, digits, len);
}

static char *put_text(char *to, const char *text, const struct item *item)
{
	char *from = to;
	size_t columns;

	to = put_name(to, text, &columns);
	if (item->left)
		return put_blanks(to, item->width > columns ? item->width - columns : 0);
	return put_right(from, to, columns, item->width);
}

static char *put_item(char *to, const struct event *e, const struct item *item)
{
	char text[LABEL_LEN];

	if (!item->field)
		return put_string(to, item->text);
	if (strchr("aCdDgkz%", item->field))
		return put_text(to, text_of(e, item->field, text, sizeof(text)), item);
	/* As a fraction: it follows the dot behind %T. */
	return put_number(to, number_of(e, item->field), item,
			  item->field == 't' ? '0' : ' ');
}

void format_print(FILE *out, const struct format *f, const struct xblk *x,
		  const struct xblk_event_record *of)
{
	struct event e = {
		.x = x,
		.of = of,
		.r = of->record,
		.since_ns = sub_sat(of->record->time, xblk_start_ns(x)),
	};
	char *to = f->line;

	for (size_t i = 0; i < f->nr; i++)
		to = put_item(to, &e, &f->items[i]);
	fwrite(f->line, 1, to - f->line, out);
}

static void print(struct output *to, const struct xblk *x,
		  const struct xblk_event_record *e)
{
	format_print(to->out, to->options->format, x, e);
}

const struct sink format_sink = {.event = print};
