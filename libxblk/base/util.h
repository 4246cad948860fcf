/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory and small things: what every part needs. */
#ifndef LIBXBLK_UTIL_H
#define LIBXBLK_UTIL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xblk/record.h>

#include "saturate.h"

#define likely(cond)   __builtin_expect(!!(cond), 1)
#define unlikely(cond) __builtin_expect(!!(cond), 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Where those below go that cannot return NULL, in each thread: to whoever called the
 * library, which can go on with nothing that it was about.  NULL: the program ends.
 */
extern _Thread_local jmp_buf *no_memory;

void *xmalloc(size_t size);
void *xcalloc(size_t nr, size_t size);
void *xaligned_alloc(size_t align, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

/* How large names are, with a NUL: of domains and disks, of disks with a number, */
#define NAME_LEN  64
#define LABEL_LEN (NAME_LEN + 16)
/* and of processes: UTF-8, also where the kernel's bytes are not. */
#define COMM_SIZE (XBLK_COMM_LEN + 1)

/*
 * Copy at most @size - 1 bytes up to a NUL, as UTF-8: what is no character, controls one,
 * or changes the direction of what follows becomes '?'.
 */
void copy_printable(char *to, size_t size, const char *from, size_t len);

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
