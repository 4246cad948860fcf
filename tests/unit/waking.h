/* SPDX-License-Identifier: GPL-2.0-only */
/* A loop that sleeps on a reader's descriptor, and what it is told when that wakes it. */
#ifndef WAKING_H
#define WAKING_H

#include <poll.h>

#include "played_guest.h"

static inline bool readable(int timeout_ms)
{
	struct pollfd pfd = {.fd = xenrelay_fd(reader), .events = POLLIN};

	return poll(&pfd, 1, timeout_ms) == 1;
}

/* As a loop would: until a dispatch reports one of @what, or nothing happens for so long.
 */
static inline bool happens(int what, int timeout_ms)
{
	int i, ret;

	for (i = 0; i < 10 && readable(timeout_ms); i++) {
		ret = xenrelay_dispatch(reader);
		assert_true(ret >= 0);
		if (ret & what)
			return true;
	}
	return false;
}

static inline bool wait_for(int what)
{
	return happens(what, 3000);
}

static inline void quiet(void)
{
	while (readable(0))
		assert_true(xenrelay_dispatch(reader) >= 0);
}

static inline void expect_offer(unsigned int domid, const char *name, bool present)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	assert_int_equal(xenrelay_next_offer(reader, &offer), 1);
	assert_string_equal(offer.channel, name);
	assert_int_equal(offer.domid, domid);
	assert_int_equal(offer.present, present);
}

static inline void expect_no_offer(void)
{
	struct xenrelay_offer offer = {.size = sizeof(offer)};

	assert_int_equal(xenrelay_next_offer(reader, &offer), 0);
}

#endif /* WAKING_H */
