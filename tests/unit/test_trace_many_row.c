// SPDX-License-Identifier: GPL-2.0-only
/* Many guests one after the other: what is left of those that have gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/dom0.h"
#include "many_guests.h"
#include "trace_content.h"

static struct capture *const c = &played.capture;

/* More than there can be at once, and than there are numbers here. */
#define ROW	10000
#define NUMBERS 1300
#define RECORDS 6

size_t __sanitizer_get_current_allocated_bytes(void);

static size_t bytes_early, bytes_late;
static uint64_t file_early, file_late;
static unsigned int most_streams;

static unsigned int count_streams(void)
{
	const struct writer_stream *stream;
	unsigned int nr = 0;

	for (stream = c->writer->streams; stream; stream = stream->next)
		nr++;
	return nr;
}

static void write_records(unsigned int nr)
{
	uint64_t now;

	dom0_now(NULL, &now);
	while (nr--) {
		struct xblk_record *rec = xenrelay_ring_reserve(&ring);

		if (!rec)
			abort();
		*rec = (struct xblk_record){.time = now, .event = XBLK_EV_QUEUE};
		xenrelay_ring_commit(&ring);
	}
}

/* Each comes when nothing is left of the one before. */
static void row_turn(void)
{
	enum {
		COME,
		BE_READ,
		GO
	};
	static unsigned int step, nr, domid;

	skip_ms(100);
	if (!c->started)
		step = nr = 0;
	switch (c->started ? step : ~0u) {
	case COME:
		if (nr == ROW) {
			bytes_late = __sanitizer_get_current_allocated_bytes();
			file_late = writer_bytes_out(c->writer);
			many.ends = true;
			break;
		}
		domid = 1 + nr % NUMBERS;
		comes(domid);
		step++;
		break;
	case BE_READ:
		if (c->nr_connected != nr + 1)
			break;
		write_records(RECORDS);
		goes(domid);
		step++;
		break;
	case GO:
		if (domains_find(&table, domid))
			break;
		if (count_streams() > most_streams)
			most_streams = count_streams();
		if (nr++ == ROW / 5) {
			bytes_early = __sanitizer_get_current_allocated_bytes();
			file_early = writer_bytes_out(c->writer);
		}
		step = COME;
		break;
	}
}

static unsigned int count_of(const char *text, const char *word)
{
	unsigned int nr;

	for (nr = 0; (text = strstr(text, word)); text++)
		nr++;
	return nr;
}

/* The chunks of the trace: all counters are there, of each guest once. */
static void check_row(const char *path)
{
	unsigned int nr_ended = 0, records = 0, longest_meta = 0;
	struct xblk_chunk chunk;
	const char *payload;
	size_t len, at = 0;
	char *bytes = slurp(path, &len);

	while ((payload = trace_next(bytes, len, &at, &chunk))) {
		char *text = strndup(payload, chunk.payload);

		if (chunk.type == XBLK_CHUNK_DATA) {
			/* Each guest's stream begins anew. */
			assert_int_equal(chunk.sequence, records % RECORDS);
			records += chunk.payload / XBLK_RECORD_SIZE;
		}
		if (chunk.type == XBLK_CHUNK_END)
			assert_non_null(strstr(text, "\"streams\":[],"));
		if (chunk.type == XBLK_CHUNK_META) {
			if (chunk.payload > longest_meta)
				longest_meta = chunk.payload;
			nr_ended +=
				count_of(text, "\"produced\":6,\"written\":6,\"lost\":0");
		}
		free(text);
	}
	assert_int_equal(records, ROW * RECORDS);
	assert_int_equal(nr_ended, ROW);
	assert_in_range(longest_meta, 1, 2048);
	free(bytes);
}

static void test_in_a_row(void **state)
{
	char path[] = "/tmp/test_trace_many.XXXXXX";

	(void)state;
	close(mkstemp(path));
	many.output = path;
	many.anew = true;
	most_streams = 0;
	assert_int_equal(run(row_turn), 0);
	many.anew = false;
	assert_in_range(table.nr, 1, 4);
	assert_in_range(most_streams, 0, 4);
	check_row(path);
	print_message(
		"%u guests in a row: %zu bytes of memory, then %zu; %u bytes of trace "
		"for each\n",
		ROW, bytes_early, bytes_late,
		(unsigned int)((file_late - file_early) / (ROW - ROW / 5)));
	assert_in_range(bytes_late, 0, bytes_early + 65536);
	assert_in_range(file_late, 0, file_early * 6);
	if (!getenv("KEEP_TRACE"))
		unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
