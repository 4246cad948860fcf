// SPDX-License-Identifier: GPL-2.0-only
/* channel-xenrelay DOMID CHANNEL READING-SIZE MS MBYTES: bytes and ns */
#include "channel.h"
#include "xenrelay-reader.h"

int main(int argc, char **argv)
{
	struct xenrelay_properties properties = {.size = sizeof(properties)};
	struct xenrelay_ring_stats stats = {.size = sizeof(stats)};
	struct xenrelay_reader *reader;
	struct xenrelay_loss loss;
	struct xenrelay_channel *ch;
	uint64_t lost = 0;
	size_t max_items;
	struct run run;
	ssize_t n, got;
	char *buf;
	int i;

	if (argc != 6)
		errx(2, "usage: channel-xenrelay DOMID CHANNEL READING-SIZE MS MBYTES");
	run = run_of(argv[4], argv[5]);
	if (xenrelay_reader_open(&reader) ||
	    xenrelay_connect(reader, atoi(argv[1]), argv[2], NULL, &ch))
		errx(1, "%s", xenrelay_strerror(reader));
	xenrelay_get_properties(ch, &properties);
	max_items = message_size(argv[3]) / properties.item_size;
	if (!max_items)
		errx(2, "items are of %u bytes", properties.item_size);
	buf = malloc(max_items * properties.item_size);
	if (!buf)
		err(1, "memory");

	while (!(n = xenrelay_read(ch, 0, buf, max_items, &loss)))
		usleep(100);
	for (run_start(&run); n >= 0 && !run_over(&run);) {
		for (got = i = 0; i < READS; i++) {
			n = xenrelay_read(ch, 0, buf, max_items, &loss);
			if (n <= 0)
				break;
			got += n;
			lost += loss.count;
		}
		run.bytes += got * properties.item_size;
		if (!n)
			usleep(100);
	}
	xenrelay_get_ring_stats(ch, 0, &stats);
	xenrelay_release(ch);
	xenrelay_reader_close(reader);
	if (n < 0 || lost || stats.lost)
		errx(1, "the channel broke, or lost %lu items", stats.lost);
	run_print(&run);
	return 0;
}
