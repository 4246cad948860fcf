/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a ring, and of libxenvchan, in one process: the code of each, on memory
 * that is the process's own and need not be granted.
 */
#ifndef BENCH_ENDS_H
#define BENCH_ENDS_H

#include <libxenvchan.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ring/consumer.h"
#include "ring/producer.h"

static struct {
	union xenrelay_producer_line producer __attribute__((aligned(64)));
	struct xenrelay_loss_line losses __attribute__((aligned(64)));
	union xenrelay_consumer_line consumer __attribute__((aligned(64)));
} ring_lines;
static struct xenrelay_ring ring_writer;
static struct xr_ring ring_reader __attribute__((aligned(64)));

/* A ring in discard mode on @bytes at @memory, which stay the caller's. */
static inline void ring_begin(void *memory, size_t bytes, uint32_t item_size)
{
	memset(&ring_lines, 0, sizeof(ring_lines));
	xenrelay_ring_init(&ring_writer, memory, bytes, item_size, false,
			   &ring_lines.producer, &ring_lines.losses,
			   &ring_lines.consumer);
	xr_ring_init(&ring_reader, memory, xr_capacity(bytes, item_size), item_size,
		     false, &ring_lines.producer, &ring_lines.losses,
		     &ring_lines.consumer);
}

/* As xenrelay_write() does.  Return: false if there is no room. */
static inline bool ring_write(const void *item, size_t item_size)
{
	void *room;

	if (item_size <= XR_COPY_SMALL && xenrelay_ring_put_small(&ring_writer, item))
		return true;
	room = xenrelay_ring_reserve(&ring_writer);
	if (!room)
		return false;
	memcpy(room, item, item_size);
	xenrelay_ring_commit(&ring_writer);
	return true;
}

static struct vchan_interface vchan_page __attribute__((aligned(4096)));
static struct libxenvchan vchan_writer __attribute__((aligned(64)));
static struct libxenvchan vchan_reader __attribute__((aligned(64)));

/* A notification costs it nothing here: this takes the place of libxenevtchn's. */
int xenevtchn_notify(xenevtchn_handle *event, evtchn_port_t port)
{
	(void)event, (void)port;
	return 0;
}

/* @bytes at @memory, a power of two, which stay the caller's. */
static inline void vchan_begin(void *memory, size_t bytes)
{
	const struct libxenvchan_ring data = {
		.shr = &vchan_page.right,
		.order = __builtin_ctzl(bytes),
		.buffer = memory,
	};

	vchan_page = (struct vchan_interface){.cli_live = 1, .srv_live = 1};
	vchan_writer =
		(struct libxenvchan){.ring = &vchan_page, .is_server = 1, .write = data};
	vchan_reader = (struct libxenvchan){.ring = &vchan_page, .read = data};
}

#endif /* BENCH_ENDS_H */
