/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a guest says about its channel, in XenStore and in the info page, and
 * whether it can be true.  Pure functions over bytes that a guest wrote.
 */
#ifndef XR_PROTO_H
#define XR_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenrelay/wire.h"

#define XR_NAME_MAX 31 /* characters of a channel's name */

/* Words of the "features" node. */
#define XR_FEATURE_OVERWRITE 0x1
#define XR_FEATURE_DOORBELL  0x2
#define XR_FEATURE_CONFIGURE 0x4

/* The oldest info page ends here; what a guest's page does not have reads as 0. */
#define XR_MIN_INFO_SIZE 64
#define XR_MAX_DIR_PAGES ((XENRELAY_PAGE_SIZE - XR_MIN_INFO_SIZE) / 4)

/* The versions of the protocol that this library speaks. */
#define XR_OLDEST_VERSION 1
#define XR_NEWEST_VERSION XENRELAY_VERSION

enum xr_state_kind {
	XR_OPEN,
	XR_READY,
	XR_STOPPED,
	XR_FAILED,
};

/**
 * struct xr_state - the "state" node, parsed
 * @session:	not 0, except for "open"
 * @ref:	"ready": grant reference of the info page
 * @err:	"failed": the guest's errno, positive
 * @text:	"failed": its words, printable ASCII only
 */
struct xr_state {
	enum xr_state_kind kind;
	uint32_t session;
	uint32_t ref;
	int err;
	char text[96];
};

/**
 * struct xr_layout - the info page after all of it was checked
 * @capacity:	items a ring holds
 * @loss_ref:	0: the guest has no loss page
 * @doorbell_port: 0: the guest has none
 * @nr_further:	position pages of each kind behind the first, whose references are the
 *		first 3 * nr_further of the directory
 * @dir_refs:	grant references of the directory pages, nr_dir_pages of them
 */
struct xr_layout {
	uint32_t item_size;
	uint32_t nr_rings;
	uint32_t ring_pages;
	uint32_t producer_ref;
	uint32_t consumer_ref;
	uint32_t loss_ref;
	uint32_t doorbell_port;
	uint32_t nr_further;
	uint32_t nr_dir_pages;
	uint32_t flags;
	uint32_t clock_ns;
	uint32_t client_version;
	uint64_t capacity;
	uint32_t dir_refs[XR_MAX_DIR_PAGES];
};

/* A name that is safe in a XenStore path and in a message: [A-Za-z0-9_-]{1,31}. */
bool xr_name_ok(const char *name);

/**
 * xr_parse_number - a decimal number without sign, space or leading zero
 *
 * Return: the first byte behind it, NULL if there is none or it exceeds @max.
 */
const char *xr_parse_number(const char *s, uint64_t max, uint64_t *value);

/**
 * xr_parse_versions - parse the "version" node: "<n>" or "<oldest>-<newest>"
 *
 * Return: 0, or -EPROTO for anything else (a 0, or a range upside down).
 */
int xr_parse_versions(const char *s, size_t len, uint32_t *oldest, uint32_t *newest);

/* Whether one version of the range is spoken here. */
bool xr_speaks_version(uint32_t oldest, uint32_t newest);

/**
 * xr_parse_features - the known words of the "features" node
 *
 * Any bytes will do: what is not a known word is ignored, and so is what lies
 * behind the first 1024 bytes or a NUL.
 *
 * Return: XR_FEATURE_*
 */
unsigned int xr_parse_features(const char *s, size_t len);

/**
 * xr_parse_state - parse the "state" node
 * @s:		@len bytes, NUL-terminated behind them (as xs_read() gives them)
 *
 * Return: 0, or -EPROTO for anything that is not exactly one of the forms in
 * xenrelay/wire.h (a NUL among the bytes included).
 */
int xr_parse_state(const char *s, size_t len, struct xr_state *out);

/**
 * xr_check_info - check an info page and take it apart
 * @page:	a private copy of the page: the guest must not reach it
 * @session:	the session that the page must be for
 * @max_pages:	the most data pages that the reader is ready to map
 * @out:	set also after -E2BIG
 * @why:	set to a constant text on failure
 *
 * Return: 0, -EPROTO if the page contradicts itself or the format, -E2BIG if
 * it is sound but larger than @max_pages.
 */
int xr_check_info(const void *page, uint32_t session, uint64_t max_pages,
		  struct xr_layout *out, const char **why);

#endif /* XR_PROTO_H */
