// SPDX-License-Identifier: GPL-2.0-only
/* What guests' rings may take here, all together, and each guest's share of it. */
#define ITEM_SIZE   32
#define NR_RINGS    4
#define RING_PAGES  16
#define DATA_REF(n) (400 + (n) % 64)
#include "played_guest.h"

#include <unistd.h>

#include "../../xblktrace/budget.h"
#include "connecting.h"

#define RINGS_KIB (NR_RINGS * RING_PAGES * 4)

/* Of this machine, which is no PV domain of Xen's, or says nothing of it. */
static uint64_t per_page(void)
{
	return access("/sys/hypervisor/guest_type", F_OK) ? 2 : 1;
}

/* An entry of 16 bytes for each page, or two of them; a quarter is ours. */
static void test_of_host(void **state)
{
	(void)state;
	fake.maptrack_frames = NULL;
	assert_int_equal(budget_of_host(0, 0), 262144 / per_page());
	fake.maptrack_frames = "32";
	assert_int_equal(budget_of_host(0, 0), 32 * 256 / per_page());
	/* Who wants more has half. */
	assert_int_equal(budget_of_host(1, 0), 1);
	assert_int_equal(budget_of_host(32 * 256 / per_page() + 1, 0),
			 32 * 256 / per_page() + 1);
	assert_int_equal(budget_of_host(1 << 30, 0), 2 * 32 * 256 / per_page());
	/* A driver domain has a limit of its own, which is not to be read. */
	assert_int_equal(budget_of_host(0, 7), 262144 / per_page());
	/* The largest that Xen takes. */
	fake.maptrack_frames = "2147483647";
	assert_true(budget_of_host(0, 0) == 2147483647ull * 256 / per_page());
	fake.maptrack_frames = "-1";
	assert_int_equal(budget_of_host(0, 0), 262144 / per_page());
	fake.maptrack_frames = NULL;
}

/* Where there is no hypfs. */
static void test_of_command_line(void **state)
{
	static const struct {
		const char *line;
		uint64_t frames;
	} said[] = {
		{"placeholder gnttab_max_maptrack_frames=64 dom0_mem=4G", 64},
		{"gnttab_max_maptrack_frames=0x40", 64},
		/* The last one that Xen takes. */
		{"gnttab_max_maptrack_frames=8  gnttab_max_maptrack_frames=16", 16},
		{"gnttab_max_maptrack_frames=8 gnttab_max_maptrack_frames=16k", 8},
		/* None, and the default. */
		{"", 1024},
		{"dom0_mem=4G gnttab_max_frames=64", 1024},
		{"gnttab_max_maptrack_frames=-1", 1024},
		{"gnttab_max_maptrack_frames=", 1024},
		{"gnttab_max_maptrack_frames", 1024},
		{"xgnttab_max_maptrack_frames=8", 1024},
		{"gnttab_max_maptrack_frames=2147483648", 1024},
		{"gnttab_max_maptrack_frames=99999999999999999999", 1024},
	};
	char longest[1100];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		fake.command_line = said[i].line;
		assert_int_equal(budget_of_host(0, 0), said[i].frames * 256 / per_page());
		assert_int_equal(budget_of_host(0, 7), 262144 / per_page());
	}
	fake.command_line = said[0].line;
	fake.maptrack_frames = "32";
	assert_int_equal(budget_of_host(0, 0), 32 * 256 / per_page());
	fake.maptrack_frames = NULL;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	fake.command_line = longest;
	assert_int_equal(budget_of_host(0, 0), 262144 / per_page());
	fake.command_line = NULL;
}

/* 64 guests that came at once, and a 65th: all get the same, and another one the half of
 * that. */
static void test_share(void **state)
{
	uint64_t used = 0, share;
	unsigned int waiting;

	(void)state;
	for (waiting = 65; waiting > 1; waiting--) {
		share = budget_share(131072, used, waiting);
		assert_in_range(share, 131072 / 65, 131072 / 65 + 1);
		used += share;
	}
	assert_in_range(budget_share(131072, used, 2), 131072 / 65 / 2,
			131072 / 65 / 2 + 1);
	assert_int_equal(budget_share(131072, 131072, 1), 0);
	assert_int_equal(budget_share(131072, 131073, 1), 0);
}

static struct disk disk = {.devid = 51712};
static struct domain domain = {.domid = 3, .name = "g", .disks = &disk, .nr_disks = 1};

static int connect_with(struct guest *guest, uint64_t max_kib, uint64_t rest_kib)
{
	static struct options opts;

	opts = (struct options){0};
	fake.written = honest;
	*guest = (struct guest){.domain = &domain};
	return connect_wholly(guest, reader, &opts, max_kib, rest_kib);
}

/* Not a page more is mapped than the share, and the rings' own pages. */
static void test_connect(void **state)
{
	unsigned int maps, mapped = fake.mapped;
	struct guest guest;

	(void)state;
	assert_int_equal(connect_with(&guest, RINGS_KIB, RINGS_KIB), 0);
	assert_int_equal(guest_mapped_kib(&guest), RINGS_KIB);
	assert_in_range(fake.mapped - mapped, RINGS_KIB / 4, RINGS_KIB / 4 + 3);
	guest_drop(&guest);
	assert_int_equal(guest_mapped_kib(&guest), 0);

	assert_int_equal(connect_with(&guest, RINGS_KIB - 1, RINGS_KIB - 1), -1);
	assert_null(guest.channel);
	assert_int_equal(fake.mapped, mapped);

	/* Rather than left out it gets what is kept for others. */
	assert_int_equal(connect_with(&guest, RINGS_KIB - 1, RINGS_KIB), 0);
	guest_drop(&guest);

	/* None is left: the guest is not even asked. */
	maps = fake.maps;
	assert_int_equal(connect_with(&guest, 63, 63), -1);
	assert_int_equal(fake.maps, maps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_host),
		cmocka_unit_test(test_of_command_line),
		cmocka_unit_test(test_share),
		TEST(test_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
