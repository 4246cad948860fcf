// SPDX-License-Identifier: GPL-2.0-only
/*
 * A C++ program that uses every function of the installed libxenrelay.  Where there
 * is no Xen, all of them say so.
 */
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <xenrelay-reader.h>

static int failures;

static void expect(const char *what, long long got, long long want)
{
	if (got == want)
		return;
	std::printf("%s: %lld instead of %lld\n", what, got, want);
	failures++;
}

#define EXPECT(call, want) expect(#call, (call), (want))

static int go_on(void *)
{
	return 0;
}

int main()
{
	xenrelay_options options = {};
	xenrelay_channel_stats channel_stats;
	xenrelay_properties properties;
	xenrelay_watch_stats watch_stats;
	xenrelay_ring_stats ring_stats;
	xenrelay_channel *channel = nullptr;
	xenrelay_reader *reader = nullptr;
	unsigned int nr = 1;
	xenrelay_offer offer;
	xenrelay_loss loss;
	char **names = nullptr;
	unsigned int *domids;
	uint32_t oldest, newest;
	char item[8], path[XENRELAY_NODE_SIZE];

	options.size = sizeof(options);
	options.mode = XENRELAY_MODE_OVERWRITE;
	options.idle = go_on;
	if (!xenrelay_reader_open(&reader)) {
		std::puts("this machine runs under Xen");
		xenrelay_reader_close(reader);
		return 77;
	}
	std::printf("without Xen: %s\n", xenrelay_strerror(reader));
	EXPECT(xenrelay_set_patience(reader, nullptr, nullptr), -EBADF);
	EXPECT(xenrelay_read_node(reader, "domid") == nullptr, true);
	EXPECT(xenrelay_list_nodes(reader, "/local/domain", &nr) == nullptr, true);
	EXPECT(nr, 0u);
	EXPECT(xenrelay_xenstore(reader) == nullptr, true);
	EXPECT(xenrelay_own_domid(reader), XENRELAY_EVERY_DOMAIN);
	EXPECT(xenrelay_fd(reader), -EBADF);
	EXPECT(xenrelay_dispatch(reader), -EBADF);
	EXPECT(xenrelay_domain_exists(reader, 1), false);
	EXPECT(xenrelay_list_domains(reader, &domids), -EBADF);
	EXPECT(xenrelay_list(reader, 1, &names), -EBADF);
	xenrelay_list_free(names, 0);
	EXPECT(xenrelay_get_versions(reader, 1, "xblk", &oldest, &newest), -EBADF);
	EXPECT(xenrelay_watch_channels(reader, XENRELAY_EVERY_DOMAIN), -EBADF);
	EXPECT(xenrelay_unwatch_channels(reader), -EBADF);
	EXPECT(xenrelay_wind_down(reader), -EBADF);
	EXPECT(xenrelay_watch_nodes(reader, "/local/domain/0/backend", 2), -EBADF);
	EXPECT(xenrelay_next_node(reader, path, sizeof(path)), -EBADF);
	EXPECT(xenrelay_next_offer(reader, &offer), -EBADF);
	EXPECT(xenrelay_get_watch_stats(reader, &watch_stats), -EBADF);
	EXPECT(xenrelay_connect(reader, 1, "xblk", &options, &channel), -EBADF);
	EXPECT(xenrelay_connect_start(reader, 1, "xblk", &options, &channel), -EBADF);
	EXPECT(xenrelay_connect_poll(channel), -EINVAL);
	EXPECT(xenrelay_next_changed(reader) == nullptr, true);
	EXPECT(xenrelay_get_properties(channel, &properties), -EINVAL);
	EXPECT(xenrelay_read(channel, 0, item, 1, &loss), -EINVAL);
	EXPECT(xenrelay_ring_level(channel, 0), -EINVAL);
	EXPECT(xenrelay_get_ring_stats(channel, 0, &ring_stats), -EINVAL);
	EXPECT(xenrelay_get_channel_stats(channel, &channel_stats), -EINVAL);
	EXPECT(xenrelay_events_sent(channel), 0);
	EXPECT(xenrelay_arm(channel), -EINVAL);
	xenrelay_set_user(channel, item);
	EXPECT(xenrelay_get_user(channel) == nullptr, true);
	EXPECT(xenrelay_rang(channel), false);
	EXPECT(std::strlen(xenrelay_channel_strerror(channel)) > 0, true);
	EXPECT(xenrelay_stopped(channel), true);
	EXPECT(xenrelay_configure(channel, "disks=51712:0"), -EINVAL);
	EXPECT(xenrelay_disconnect(channel, 0), -EINVAL);
	xenrelay_release(channel);
	xenrelay_reader_close(reader);
	return failures != 0;
}
