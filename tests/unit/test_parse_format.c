// SPDX-License-Identifier: GPL-2.0-only
/* Events by a format. */

#include "printed.h"
#include "sinks/format.h"

struct events {
	struct printed printed;
	struct xblk *x;
	const struct format *format;
};

static void on_event(void *user, const struct xblk_event_record *r)
{
	struct events *e = user;

	if (!r->backend && r->record->event != XBLK_EV_PROCESS)
		format_print(e->printed.out, e->format, e->x, r);
}

static void check_format(const char *format, const char *want)
{
	struct events e;
	struct gen g;
	char why[80];
	struct format *f = format_parse(format, why, sizeof(why));

	assert_non_null(f);
	generate(&g);
	printed_init(&e.printed);
	e.format = f;
	e.x = open_handle((struct xblk_options){.user = &e, .on_event = on_event});
	feed_all(e.x, g.data, g.len);
	printed_is(&e.printed, want);
	format_free(f);
	xblk_close(e.x);
	gen_deinit(&g);
}

static void formats(void **ctx)
{
	(void)ctx;
	check_format("%a", "QDC");
	check_format("%a %d %S %n %N\\n",
		     "Q RS 64 8 4096\nD RS 64 8 4096\nC RS 64 8 4096\n");
	check_format("%T.%9t\\n", "1.000002000\n1.000004000\n1.000017000\n");
	check_format("%5T|%-5c|%3p|%-6C|\\t", "    1|1    |500|fio   |\t"
					      "    1|1    |  0|      |\t"
					      "    1|1    |  0|      |\t");
	check_format("%D %M %m %g %k %i,", "202,0   202 0 guest1 xvda 3,"
					   "202,0   202 0 guest1 xvda 3,"
					   "202,0   202 0 guest1 xvda 3,");
	check_format("%u %e %s %b;", "0 0 1 1;2 0 2 100;13 5 3 100;");
	check_format("100%%\\\\", "100%\\100%\\100%\\");
	check_format("", "");
}

static void bad_formats(void **ctx)
{
	char why[80];

	(void)ctx;
	assert_null(format_parse("%", why, sizeof(why)));
	assert_null(format_parse("%Q", why, sizeof(why)));
	assert_null(format_parse("%12", why, sizeof(why)));
	assert_null(format_parse("%99999999999a", why, sizeof(why)));
	assert_null(format_parse("%--1a", why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(bad_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
