/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Requests to XenStore: each xr_xs_*() is the xs_*() of that name, with its errno.
 *
 * libxenstore waits for an answer without end.  For a reader with a patience a thread of
 * its own does so instead, and once the patience has ended all of them fail with
 * ETIMEDOUT.
 */
#ifndef XR_ASK_H
#define XR_ASK_H

#include <stdbool.h>
#include <stdint.h>

struct xenrelay_reader;

void *xr_xs_read(struct xenrelay_reader *reader, uint32_t transaction, const char *path,
		 unsigned int *len);
bool xr_xs_write(struct xenrelay_reader *reader, uint32_t transaction, const char *path,
		 const char *text);
char **xr_xs_directory(struct xenrelay_reader *reader, uint32_t transaction,
		       const char *path, unsigned int *nr);
bool xr_xs_watch(struct xenrelay_reader *reader, const char *path, const char *token);
bool xr_xs_unwatch(struct xenrelay_reader *reader, const char *path, const char *token);
bool xr_xs_is_domain_introduced(struct xenrelay_reader *reader, unsigned int domid);
uint32_t xr_xs_transaction_start(struct xenrelay_reader *reader);
bool xr_xs_transaction_end(struct xenrelay_reader *reader, uint32_t transaction,
			   bool abandon);

/* Whether the patience has ended. */
bool xr_xs_is_given_up(const struct xenrelay_reader *reader);

/* NULL-safe as to the connection. */
void xr_xs_close(struct xenrelay_reader *reader);

#endif /* XR_ASK_H */
