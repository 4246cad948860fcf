/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What who wants to tap a capture sends to it, and the answer: lines of text.
 *
 * "tap 1", then in any order a line for each of what follows, then an empty line:
 * "domain GUEST" as for -d, "disk DISK" as for -D, "level N" as for -z, "duration NS" as
 * for -w, "argument WORD" of the command line, which only goes into the trace.
 *
 * The answer is "ok DEVICE INODE", which the capture writes to, and behind which the trace
 * begins, or "error" and a reason.  The tap
 * ends when its duration is over, or when who asked for it closes his side.
 */
#ifndef XBLKTRACE_TAP_REQUEST_H
#define XBLKTRACE_TAP_REQUEST_H

#include "options.h"

#define TAP_REQUEST_BEGIN "tap " /* and the version */
#define TAP_REQUEST_END	  "\n\n"
#define TAP_REQUEST_MAX	  (64 * 1024)

#define TAP_OK	  "ok %llu %llu\n"
#define TAP_ERROR "error "

/* To be freed; NULL if there is no memory. */
char *tap_request_text(const struct options *opts);

/**
 * tap_request_read - the same backwards
 * @text:	is written to, and has to outlive @opts
 *
 * tap_request_free() in either case.  Return: NULL, or what is wrong.
 */
const char *tap_request_read(char *text, struct options *opts);
void tap_request_free(struct options *opts);

#endif /* XBLKTRACE_TAP_REQUEST_H */
