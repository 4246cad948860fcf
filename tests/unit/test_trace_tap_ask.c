// SPDX-License-Identifier: GPL-2.0-only
/* The xblktrace that taps another one, as a process: its file, its end, its words. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/tap-ask.h"
#include "said.h"
#include "tapped_capture.h"
#include "tapping.h"

static bool output_hangs; /* of the next one that asks */
static bool hangs;	  /* of this one */

/* A network file system that has lost its server. */
ssize_t write(int fd, const void *buf, size_t len)
{
	while (hangs)
		pause();
	return syscall(SYS_write, fd, buf, len);
}

/* This program as another process, whose threads are its own from the beginning. */
static int be_asker(char **argv)
{
	const char *domain = "guest1";
	struct options opts = {
		.domains = &domain,
		.nr_domains = 1,
		.output = argv[2],
		.duration_ns = strtoull(argv[3], NULL, 10),
		.compress_level = atoi(argv[4]),
		.sized = atoi(argv[5]),
	};
	sigset_t none;

	/* The tests' process has them blocked. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	hangs = atoi(argv[6]);
	return tap_ask(argv[1], &opts) ? 1 : 0;
}

/* What it says goes to a file. */
static pid_t start_child(const struct options *opts)
{
	char duration[24], level[12];
	pid_t pid;
	int fd;

	snprintf(duration, sizeof(duration), "%llu",
		 (unsigned long long)opts->duration_ns);
	snprintf(level, sizeof(level), "%d", opts->compress_level);
	pid = fork();
	if (!pid) {
		fd = open(paths.said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(fd, 2);
		execl("/proc/self/exe", "test_trace_tap", paths.socket,
		      opts->output ? opts->output : paths.tapped, duration, level,
		      opts->sized ? "1" : "0", output_hangs ? "1" : "0", NULL);
		_exit(127);
	}
	return pid;
}

/* Return: the exit status. */
static int end_child(pid_t pid)
{
	int wstatus;

	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	assert_true(WIFEXITED(wstatus));
	return WEXITSTATUS(wstatus);
}

static int tap_in_child(const struct options *opts)
{
	return end_child(start_child(opts));
}

static void check_said(const char *word)
{
	size_t len;
	char *text = slurp(paths.said, &len);

	if (!strstr(text, word))
		fail_msg("\"%s\" does not say \"%s\"", text, word);
	free(text);
}

static void test_asker(void **state)
{
	struct options opts = {.duration_ns = 300000000};
	struct content tap;
	struct said err;
	struct stat st;

	(void)state;
	close(begin_tap(TAP_3));
	assert_int_equal(tap_in_child(&opts), 0);
	check_said("domain 3: ");
	check_said(" 0 lost, ");
	check_said("(timeout)");
	assert_int_equal(stat(paths.tapped, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	opts.compress_level = 1;
	assert_int_equal(tap_in_child(&opts), 0);
	judge(paths.tapped, false);
	opts.compress_level = 0;
	assert_int_equal(tap_in_child(&opts), 0);
	opts.output = paths.trace;
	assert_int_equal(tap_in_child(&opts), 1);
	check_said("/trace: the xblktrace that is running writes to it");
	opts.output = NULL;
	opts.sized = true;
	assert_int_equal(tap_in_child(&opts), 1);
	check_said("-b and -n cannot be chosen");
	opts.sized = false;
	opts.no_merges = true;
	said_begin(&err, STDERR_FILENO);
	assert_int_equal(tap_ask(paths.said, &opts), -1);
	said_end(&err);
	assert_non_null(strstr(err.text, "--no-merges cannot be chosen"));
	end_capture();
	content_of_file(&tap, paths.tapped);
	judge(paths.tapped, false);
	check_tap(&tap, 3);
	content_forget(&tap);
}

/* Ctrl-C ends the tap in good order, and the capture goes on. */
static void test_interrupted(void **state)
{
	struct options opts = {0};
	struct content tap;
	pid_t pid;

	(void)state;
	close(begin_tap(TAP_3));
	unlink(paths.tapped);
	pid = start_child(&opts);
	wait_for_bytes(paths.tapped, 500000);
	kill(pid, SIGINT);
	assert_int_equal(end_child(pid), 0);
	check_said("(interrupted)");
	wait_without_taps();
	end_capture();
	judge(paths.tapped, false);
	content_of_file(&tap, paths.tapped);
	check_tap(&tap, 3);
	content_forget(&tap);
}

/* Return: whether it has ended by then. */
static bool ends_within(pid_t pid, unsigned int ms)
{
	siginfo_t info = {0};

	for (; ms && !info.si_pid; ms--) {
		usleep(1000);
		assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT),
				 0);
	}
	return info.si_pid;
}

/* Nothing goes out, and Ctrl-C is taken even so: twice, as a file may be slow. */
static void test_output_hangs(void **state)
{
	struct options opts = {0};
	bool ended;
	pid_t pid;

	(void)state;
	close(begin_tap(TAP_3));
	output_hangs = true;
	pid = start_child(&opts);
	output_hangs = false;
	assert_false(ends_within(pid, 1000));
	kill(pid, SIGINT);
	assert_false(ends_within(pid, 500));
	kill(pid, SIGINT);
	ended = ends_within(pid, 5000);
	if (!ended)
		kill(pid, SIGKILL);
	assert_int_equal(end_child(pid), 1);
	check_said("given up: its end is missing");
	end_capture();
	check_whole();
}

/* Nobody opens a named pipe's other end. */
static void test_output_waits(void **state)
{
	struct options opts = {.output = paths.fifo};
	int wstatus;
	pid_t pid;

	(void)state;
	close(begin_tap(TAP_3));
	assert_int_equal(mkfifo(paths.fifo, 0600), 0);
	pid = start_child(&opts);
	assert_false(ends_within(pid, 500));
	kill(pid, SIGINT);
	if (!ends_within(pid, 5000))
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	unlink(paths.fifo);
	assert_int_equal(WTERMSIG(wstatus), SIGINT);
	end_capture();
	check_whole();
}

/* A capture that dies, in the middle of a trace. */
static void *die(void *arg)
{
	int fd = accept(service.fd, NULL, NULL);
	char byte = 0, before = 0;

	(void)arg;
	while (recv(fd, &byte, 1, 0) == 1 && (byte != '\n' || before != '\n'))
		before = byte;
	send(fd, "ok 1 2\nabc", 10, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void test_capture_dies(void **state)
{
	struct options opts = {0};
	pthread_t thread;
	size_t len;

	(void)state;
	assert_int_equal(service_open(&service, paths.socket), 0);
	fcntl(service.fd, F_SETFL, 0);
	assert_int_equal(pthread_create(&thread, NULL, die, NULL), 0);
	assert_int_equal(tap_in_child(&opts), 1);
	pthread_join(thread, NULL);
	check_said("ended without a word");
	free(slurp(paths.tapped, &len));
	assert_int_equal(len, 3);
	service_close(&service);
	assert_int_equal(tap_in_child(&opts), 1);
	check_said("try again in a moment");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start_capture, stop_capture)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capture_dies),
		TEST(test_asker),
		TEST(test_interrupted),
		TEST(test_output_hangs),
		TEST(test_output_waits),
	};

	/* They are ignored in what a shell starts in the background. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (argc > 1)
		return be_asker(argv);
	return cmocka_run_group_tests(tests, begin_paths, end_paths);
}
