/* SPDX-License-Identifier: GPL-2.0-only */
/* The pages of a played guest's channel, over fake_xen.h: what it tells of its rings. */
#ifndef CHANNEL_PAGES_H
#define CHANNEL_PAGES_H

/**
 * struct channel_pages - which of the played pages are whose
 * @data:	the rings' first one, @nr_data: how many there are, which may be fewer
 * than the rings have: then they are the same again
 */
struct channel_pages {
	unsigned int info, producer, consumer, losses, directory;
	unsigned int data, nr_data;
	unsigned int nr_rings, ring_pages;
};

/* The info page and the directory; a guest that runs says so in its producer page. */
void channel_pages_tell(const struct channel_pages *p, unsigned int session);

#endif /* CHANNEL_PAGES_H */
