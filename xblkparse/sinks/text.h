/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of text, each made in one place.
 *
 * Where there is a line for each request or event, how it is made is most of the work: so
 * what puts a part of it, at @to, returns what is behind that and looks at no bounds.
 * Whoever makes a line knows how long it gets: names have a largest length, too.
 */
#ifndef XBLKPARSE_TEXT_H
#define XBLKPARSE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE   65536
#define LINE_SIZE   2048
#define NUMBER_SIZE 20 /* the largest one; with a sign, too */
/* What puts a part may write so much behind that, too. */
#define PUT_SLACK 8

static inline char *put_char(char *to, char c)
{
	*to = c;
	return to + 1;
}

static inline char *put_string(char *to, const char *s)
{
	return stpcpy(to, s);
}

/*
 * Any number.  They are in many places of a line, and were all of it there each time,
 * what makes a line would be larger than the processor's first cache: most of those that
 * are no times have one digit.
 */
__attribute__((noinline)) char *put_long_u64(char *to, uint64_t n);
__attribute__((noinline)) char *put_long_i64(char *to, int64_t n);

static inline char *put_u64(char *to, uint64_t n)
{
	return n < 10 ? put_char(to, '0' + n) : put_long_u64(to, n);
}

static inline char *put_i64(char *to, int64_t n)
{
	return (uint64_t)n < 10 ? put_char(to, '0' + n) : put_long_i64(to, n);
}

/* All numbers below 1000, in four bytes each. */
extern const char three_digits[];

/* Below 1000, with three digits; below a million, with six. */
static inline char *put_3(char *to, size_t n)
{
	memcpy(to, three_digits + 4 * n, 4);
	return to + 3;
}

static inline char *put_6(char *to, unsigned int n)
{
	return put_3(put_3(to, n / 1000), n % 1000);
}

#define MILLION 1000000

/* Times: but for six digits each of them is mostly the same as the one before. */
struct times {
	uint64_t start_ns; /* since when they are told */
	/* those which have @len of @digits before six others; none at first */
	uint64_t from_ns, span_ns;
	size_t len;
	char digits[NUMBER_SIZE + PUT_SLACK];
};

static inline void times_init(struct times *times, uint64_t start_ns)
{
	memset(times, 0, sizeof(*times));
	times->start_ns = start_ns;
}

/* Any one, also before the start. */
__attribute__((noinline)) char *put_far_time(char *to, struct times *times, uint64_t ns);

static inline char *put_since(char *to, struct times *times, uint64_t ns)
{
	uint64_t rest = ns - times->from_ns;

	if (rest >= times->span_ns)
		return put_far_time(to, times, ns);
	memcpy(to, times->digits, 16);
	return put_6(to + times->len, rest);
}

/* At the right of @width columns, behind blanks. */
char *put_right_u64(char *to, uint64_t n, size_t width);
/* The last @nr digits of it, 9 at most. */
char *put_digits(char *to, uint32_t n, unsigned int nr);
/* At the right of @width columns, with the last @digits of it behind a point, if any. */
char *put_decimal(char *to, int64_t n, unsigned int digits, size_t width);
/* A name, as the locale can show it; @columns: how many it takes. */
char *put_name(char *to, const char *name, size_t *columns);
/* What is from @from to @to takes @columns; it gets to the right of @width. */
char *put_right(char *from, char *to, size_t columns, size_t width);

/* Whose and which disk, in 12 columns. */
char *put_disk(char *to, unsigned int domid, const char *label);
/* What is done to it, in 4. */
char *put_op(char *to, unsigned int op, uint32_t nr_sectors);

static inline char *put_blanks(char *to, size_t nr)
{
	return (char *)memset(to, ' ', nr) + nr;
}

/* ASCII: at the right and at the left of @width columns. */
static inline char *put_string_right(char *to, const char *s, size_t width)
{
	size_t len = strlen(s);

	return mempcpy(put_blanks(to, width > len ? width - len : 0), s, len);
}

static inline char *put_string_left(char *to, const char *s, size_t width)
{
	size_t len = strlen(s);

	return put_blanks(mempcpy(to, s, len), width > len ? width - len : 0);
}

#define KEPT_PARTS 7
#define KEPT_SIZE  168

/* A part of a line that was made of a name: the next line mostly has the same one. */
struct kept {
	const char *of; /* NULL: there was none so far */
	uint64_t names; /* see struct xblk_request */
	size_t len;
	char text[KEPT_SIZE];
};

/* Lines on their way to a file. */
struct text {
	FILE *out;
	int error; /* why the first of those that did not get there did not; errno */
	size_t len;
	struct kept kept[KEPT_PARTS];
	struct times times;
	char lines[TEXT_SIZE];
};

static inline void text_init(struct text *t, FILE *out)
{
	t->out = out;
	t->error = 0;
	t->len = 0;
	memset(t->kept, 0, sizeof(t->kept));
	times_init(&t->times, 0);
}

/* What there is goes to the file; an error is also @out's, which does not keep why. */
void text_write(struct text *t);

/* Any bytes, of any number, to what there is. */
void text_put(struct text *t, const char *bytes, size_t size);

static inline void text_put_char(struct text *t, char c)
{
	if (t->len == TEXT_SIZE)
		text_write(t);
	t->lines[t->len++] = c;
}

/* Where the next line begins, with room for LINE_SIZE. */
static inline char *text_line(struct text *t)
{
	if (TEXT_SIZE - t->len < LINE_SIZE)
		text_write(t);
	return t->lines + t->len;
}

static inline void text_end_line(struct text *t, char *to)
{
	*to = '\n';
	t->len = to + 1 - t->lines;
}

#endif
