// SPDX-License-Identifier: GPL-2.0-only
/* A file that is full, and a control that is late to make the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "busy_day.h"

static void wait_for_cut(struct drain *d)
{
	unsigned int i;

	for (i = 0; !drain_is_cut(d); i++) {
		assert_true(i < 5000);
		usleep(1000);
	}
}

/* The control is kept from it: the file goes on after a while; later it is ended all the
 * same, and what has been taken in hand is waited for. */
static void test_nobody_takes(void **state)
{
	struct options opts = {.subbuf_kib = 4, .nr_subbufs = 2};
	struct dom0_cpu cpu = {.fd = -1};
	struct dom0 dom0 = {
		.now = eventfd(1, EFD_CLOEXEC),
		.buffer_bytes = 1 << 20,
		.cpus = &cpu,
		.nr_cpus = 1,
	};
	struct writer w;
	struct capture c = {.writer = &w};
	unsigned int before;
	uint64_t at, records;

	(void)state;
	day.running = &c;
	connect_guest();
	day.nr_looks = ~0u;
	assert_int_equal(writer_open(&w, day_path), 0);
	assert_int_equal(writer_rotate(&w, MAX_SIZE, 2), 0);
	writer_add_stream(&w, &cpu.stream);
	assert_int_equal(writer_header(&w, 0, 0), 0);
	assert_int_equal(drain_init(&c.drain, &dom0, &w, &opts), 0);
	assert_int_equal(drain_start(&c.drain), 0);
	drain_begin_marks(&c.drain);
	wait_for_cut(&c.drain);
	drain_hold(&c.drain);
	before = day.looks;
	drain_release(&c.drain);
	usleep(1200000);
	drain_hold(&c.drain);
	assert_true(day.looks > before);
	drain_release(&c.drain);
	do
		wait_for_cut(&c.drain);
	while (!drain_take_cut(&c.drain, &at));
	records = cpu.stream.records;
	usleep(1200000);
	assert_int_equal(cpu.stream.records, records);
	assert_int_equal(writer_last_chunk(&w, XBLK_CHUNK_END, "{}", 2, at), 0);
	assert_int_equal(writer_next_file(&w, at, at), 0);
	drain_go_on(&c.drain);
	wait_for_cut(&c.drain);
	drain_stop(&c.drain);
	assert_true(cpu.stream.records > 0);
	drain_free(&c.drain);
	assert_int_equal(writer_close(&w), 0);
	names_free(&dom0.names);
	close(dom0.now);
	assert_int_equal(count_files(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROTATION(test_nobody_takes),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
