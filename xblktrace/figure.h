/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures as they are shown to people. */
#ifndef XBLKTRACE_FIGURE_H
#define XBLKTRACE_FIGURE_H

#include <stdint.h>

#define FIGURE_SIZE 32

/* Both write into @text, of FIGURE_SIZE bytes, and return it. */

/* 1234567 -> "1,234,567" */
const char *figure_count(uint64_t n, char *text);

/* 1234567 -> "1.2 MB" */
const char *figure_bytes(uint64_t bytes, char *text);

#endif /* XBLKTRACE_FIGURE_H */
