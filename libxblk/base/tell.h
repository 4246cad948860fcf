/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is to say of a trace that is not as it should be: the library prints
 * nothing, it tells whoever reads the trace.
 */
#ifndef LIBXBLK_TELL_H
#define LIBXBLK_TELL_H

/* Takes a sentence without a newline, which stays as long as the call. */
struct tell {
	void (*fn)(void *ctx, const char *text); /* NULL: nobody wants to know */
	void *ctx;
};

/* Returns -1, for functions whose error has been told then. */
int tell(const struct tell *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* To nobody. */
extern const struct tell tell_nobody;

#endif
