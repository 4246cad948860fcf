// SPDX-License-Identifier: GPL-2.0-only
/*
 * A whole capture whose output takes nothing, or only now and then: it is waited for as
 * long as the user wants, and guests are let go of all the same.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../../xblktrace/signals.h"
#include "lying_capture.h"

#define MAX_QUEUED 5000 /* events of XenStore */
/* What is between this domain's buffers and the output at most. */
#define CHUNKS_ON_THEIR_WAY \
	(SINK_BLOCKS * SINK_BLOCK_SIZE / (GUEST_SLICE * XBLK_RECORD_SIZE))

static const char fifo[] = "/tmp/test_trace_capture.fifo";

/* For the next capture.  Return: its other end. */
static int make_fifo(int flags)
{
	int fd;

	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, flags);
	assert_true(fd >= 0);
	output = fifo;
	return fd;
}

static void remove_fifo(int fd)
{
	output = trace;
	close(fd);
	unlink(fifo);
}

/* The number that begins at *@text, which is left behind it; commas are in it. */
static uint64_t figure(const char **text)
{
	uint64_t n = 0;

	for (; **text == ',' || (**text >= '0' && **text <= '9'); (*text)++)
		n = **text == ',' ? n : 10 * n + (**text - '0');
	return n;
}

/*
 * What was read and is in no file is lost, and said to be: of the honest guest, and of
 * all together, whatever the other one says of itself.
 */
static void check_lost(void)
{
	static const char guest1[] = "domain 3 (guest1): ", of[] = " records, ";
	const char *at = strstr(played.said.text, guest1);
	uint64_t records, lost;

	assert_non_null(at);
	at += strlen(guest1);
	records = figure(&at);
	assert_memory_equal(at, of, strlen(of));
	at += strlen(of);
	lost = figure(&at);
	assert_in_range(lost, 1, players[0].written);
	assert_int_equal(records + lost, players[0].written);
	at = strstr(at, "(this one): ");
	assert_non_null(at);
	at = strstr(at, fifo);
	assert_non_null(at);
	at = strstr(at, of);
	assert_non_null(at);
	at += strlen(of);
	assert_true(figure(&at) >= UINT64_MAX - 1000);
}

/* Guests are let go of all the same, and one signal is enough. */
static void test_nobody_reads(void **state)
{
	time_t began = time(NULL);
	int fd = make_fifo(O_RDWR);

	(void)state;
	lie = counters;
	assert_int_equal(capture_two(), -1);
	remove_fifo(fd);
	assert_in_range(time(NULL) - began, 0, 10);
	assert_int_equal(fake.mapped, 0);
	played_check_said(&played, "nobody reads it: given up");
	check_lost();
}

/* Standard output is a socket, which is also its shell's: so are all ends. */
static void test_nobody_reads_socket(void **state)
{
	static const int sigs[] = {SIGTERM, SIGHUP};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		time_t began = time(NULL);
		int fds[2], kept, ret, few = 4096;

		if (i)
			assert_int_equal(teardown(state) || setup(state), 0);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &few, sizeof(few));
		kept = dup(STDOUT_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		output = "-";
		lie = counters;
		end_signal = sigs[i];
		ret = capture_two();
		end_signal = SIGINT;
		output = trace;
		dup2(kept, STDOUT_FILENO);
		close(kept);
		assert_int_equal(ret, -1);
		assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
		close(fds[0]);
		close(fds[1]);
		assert_in_range(time(NULL) - began, 0, 10);
		assert_int_equal(fake.mapped, 0);
		played_check_said(&played, "nobody reads it: given up");
	}
}

/* Standard error is a file meanwhile. */
static void *interrupt_when_told(void *arg)
{
	char said[4096] = "";
	unsigned int i;

	for (i = 0; i < 500 && !strstr(said, "it is waited for"); i++) {
		usleep(50000);
		if (pread(STDERR_FILENO, said, sizeof(said) - 1, 0) < 0)
			abort();
	}
	kill(getpid(), SIGINT);
	return arg;
}

/*
 * Whose time is over has not had enough: the output, which soon has no room even for what
 * guests have left, is waited for, and that is told.
 */
static void test_waits_for_output(void **state)
{
	int fd = make_fifo(O_RDWR);
	pthread_t thread;

	(void)state;
	chunks_left = 3 * CHUNKS_ON_THEIR_WAY;
	lie = counters;
	end_signal = 0;
	duration_ns = 2000000000; /* by then there is no room */
	signals_block();
	assert_int_equal(pthread_create(&thread, NULL, interrupt_when_told, NULL), 0);
	assert_int_equal(capture_two(), -1);
	pthread_join(thread, NULL);
	remove_fifo(fd);
	end_signal = SIGINT;
	duration_ns = 0;
	played_check_said(&played,
			  "domain 3 (guest1) cannot be read to its end, for lack of "
			  "room in the output: let go of");
	played_check_said(&played, "/tmp/test_trace_capture.fifo: takes nothing: it is "
				   "waited for; Ctrl-C gives it up");
	played_check_said(&played, "nobody reads it: given up");
}

static bool hangs;

static bool is_hanging(void)
{
	return __atomic_load_n(&hangs, __ATOMIC_RELAXED);
}

/* A disk that takes nothing for a while. */
ssize_t write(int fd, const void *buf, size_t len)
{
	struct stat st;

	while (is_hanging() && !fstat(fd, &st) && S_ISREG(st.st_mode) && fd > 2)
		usleep(1000);
	return syscall(SYS_write, fd, buf, len);
}

static void begin_to_hang(void)
{
	__atomic_store_n(&hangs, true, __ATOMIC_RELAXED);
	lie = counters;
}

/* As fast as a guest may: a second later the user ends it, and soon nothing but the
 * output is waited for.  Not before: who has once been heard to do so is muted. */
static void *rewrite(void *arg)
{
	unsigned int i, nr, *most = arg;

	while (!is_hanging())
		usleep(1000);
	sleep(1);
	kill(getpid(), SIGINT);
	sleep(3);
	for (i = 0; i < 20000 && *most < 2 * MAX_QUEUED; i++) {
		fake_write("/local/domain/4/data/xenrelay/xblk/version", "1");
		nr = fake_nr_events();
		if (nr > *most)
			*most = nr;
		usleep(50);
	}
	__atomic_store_n(&hangs, false, __ATOMIC_RELAXED);
	return NULL;
}

/* C5: a guest writes to XenStore without end while the output takes nothing. */
static void test_rewritten_while_it_hangs(void **state)
{
	unsigned int most = 0;
	pthread_t thread;

	(void)state;
	chunks_left = 3 * CHUNKS_ON_THEIR_WAY;
	lie = begin_to_hang;
	end_signal = 0;
	/* They are not the other thread's. */
	signals_block();
	assert_int_equal(pthread_create(&thread, NULL, rewrite, &most), 0);
	assert_int_equal(capture_two(), 0);
	pthread_join(thread, NULL);
	end_signal = SIGINT;
	assert_int_equal(chunks_left, 0);
	print_message("XenStore's events that waited: %u\n", most);
	assert_in_range(most, 1, MAX_QUEUED);
}

/* Nothing at first, and then in bits. */
static void *read_slowly(void *arg)
{
	static char bytes[256 * 1024];
	int to = open(trace, O_WRONLY | O_TRUNC);
	ssize_t n;

	usleep(500000);
	while ((n = read(*(int *)arg, bytes, sizeof(bytes))) > 0) {
		if (write(to, bytes, n) != n)
			abort();
		usleep(1000);
	}
	close(to);
	return NULL;
}

/* An output that has no room now and then: it goes on, and all that fits the rings is
 * there.
 */
static void test_slow_reader(void **state)
{
	pthread_t thread;
	int fd = make_fifo(O_RDONLY | O_NONBLOCK);

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	chunks_left = 3 * CHUNKS_ON_THEIR_WAY;
	lie = counters;
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &fd), 0);
	assert_int_equal(capture_two(), 0);
	pthread_join(thread, NULL);
	remove_fifo(fd);
	assert_int_equal(chunks_left, 0);
	check_trace();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_reads),
		TEST(test_waits_for_output),
		TEST(test_slow_reader),
		TEST(test_nobody_reads_socket),
		TEST(test_rewritten_while_it_hangs),
	};

	return cmocka_run_group_tests(tests, captures_setup, captures_teardown);
}
