/* SPDX-License-Identifier: GPL-2.0-only */
/* The signals of a capture, taken in at chosen moments only. */
#ifndef XBLKTRACE_SIGNALS_H
#define XBLKTRACE_SIGNALS_H

#include <stdbool.h>

/* Block SIGINT, SIGTERM, SIGHUP and SIGUSR1 for this thread and its children. */
void signals_block(void);

/* Errors of write() instead of death by SIGPIPE and SIGXFSZ. */
void signals_ignore_output(void);

/* A descriptor that is readable when a blocked signal is pending; -1 on error. */
int signals_open(void);

/* Whether one that ends a capture is pending. */
bool signals_waiting(void);

/*
 * How many that end a capture were pending; they are no more.  Sets *@snapshot if
 * SIGUSR1 was.
 */
unsigned int signals_take(int fd, bool *snapshot);

#endif /* XBLKTRACE_SIGNALS_H */
