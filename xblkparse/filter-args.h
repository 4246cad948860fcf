/* SPDX-License-Identifier: GPL-2.0-only */
/* What requests and events are of interest, by options. */
#ifndef XBLKPARSE_FILTER_ARGS_H
#define XBLKPARSE_FILTER_ARGS_H

#include "select/filter.h"

/*
 * A filter, or what it is of, from an argument, which stays.  The first two and processes
 * add to what there is.  Return: NULL, or what is wrong with that.
 */
const char *filter_parse_guest(void *filter, const char *arg);
const char *filter_parse_disk(void *filter, const char *arg);
const char *filter_parse_ops(void *filter, const char *arg);
const char *filter_parse_sectors(void *filter, const char *arg);
const char *filter_parse_process(void *filter, const char *arg);
const char *filter_parse_time(void *filter, const char *arg);
const char *filter_parse_latency(void *filter, const char *arg);

#endif
