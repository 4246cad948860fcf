// SPDX-License-Identifier: GPL-2.0-only
/* What xblktrace does before there is a capture: the lock, and a XenStore that is silent.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "../../xblktrace/host.h"
#include "../../xblktrace/output.h"
#include "../../xblktrace/service.h"
#include "fake_xen.h"
#include "said.h"
#include "xenrelay-reader.h"

static char dir[] = "/tmp/test_trace_host.XXXXXX";
static char path[64];
static char socket_path[64];

/* What the process that waits has set last, by its word; the time is the test's. */
static unsigned char alarm_s;

unsigned int alarm(unsigned int seconds)
{
	alarm_s = seconds;
	return 0;
}

static void check_said(struct said *s, const char *word)
{
	const char *text = said_end(s), *line = strchr(text, '\n');

	if (!strstr(text, word))
		fail_msg("\"%s\" does not say \"%s\"", text, word);
	if (!line || line[1])
		fail_msg("\"%s\" is not one line", text);
}

/* The second one at once does not get it, and the first one's number is in the file. */
static void test_two(void **state)
{
	char text[32] = "";
	int one, two;
	FILE *f;

	(void)state;
	assert_int_equal(host_lock(path, &one), 0);
	assert_true(one >= 0);
	assert_int_equal(host_lock(path, &two), -1);
	assert_int_equal(two, -1);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_int_equal(atoi(text), getpid());
	host_unlock(one);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(host_lock(path, &two), 0);
	assert_true(two >= 0);
	host_unlock(two);
}

/* It is no lock of ours: said in a line, and left as it is. */
static void expect_none(const char *file, const char *word)
{
	struct said said;
	int lock, ret;

	said_begin(&said, 2);
	ret = host_lock(file, &lock);
	check_said(&said, word);
	assert_int_equal(ret, 0);
	assert_int_equal(lock, -1);
	host_unlock(lock);
}

static void test_no_folder(void **state)
{
	char file[80];

	(void)state;
	snprintf(file, sizeof(file), "%s/none/pid", dir);
	expect_none(file, "/none/pid: No such file or directory: ");
}

/* What it leads to is not written to. */
static void test_link(void **state)
{
	char target[80];
	struct stat st;
	int fd;

	(void)state;
	snprintf(target, sizeof(target), "%s/target", dir);
	fd = open(target, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "kept", 4), 4);
	assert_int_equal(symlink(target, path), 0);
	expect_none(path, "/pid: ");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4);
	close(fd);
	unlink(target);
	unlink(path);
}

/* Who holds it for ever does not keep captures from beginning. */
static void test_other_owner(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	if (geteuid())
		skip();
	fd = open(path, O_RDWR | O_CREAT, 0666);
	assert_int_equal(write(fd, "1\n", 2), 2);
	assert_int_equal(fchown(fd, 1000, 1000), 0);
	expect_none(path, "/pid: is another user's");
	assert_int_equal(flock(fd, LOCK_EX), 0);
	expect_none(path, "/pid: is another user's");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 2);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	unlink(path);
}

static void test_no_file(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_none(path, "no file");
	unlink(path);
}

static int hung[2];
static bool opens; /* it hangs when the reader is open */
static bool hurries;

static void hang(void)
{
	if (write(hung[1], &alarm_s, 1) != 1)
		abort();
	for (;;)
		pause();
}

/* What waits with an end waits for less. */
int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
			   const struct timespec *until)
{
	if (!hurries)
		return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, until);
	pthread_mutex_unlock(lock);
	usleep(5000);
	pthread_mutex_lock(lock);
	return ETIMEDOUT;
}

/* A process that waits for XenStore gets @sig.  Return: as waitpid() has it. */
static int end_waiting(int sig)
{
	struct xenrelay_reader *reader;
	int lock, wstatus;
	pid_t pid;

	assert_int_equal(pipe(hung), 0);
	pid = fork();
	if (!pid) {
		fake_begin();
		if (!opens)
			fake.called = hang;
		if (host_lock(path, &lock) || host_open_reader(&reader))
			_exit(99);
		fake.called = hang;
		xenrelay_domain_exists(reader, 1);
		_exit(99);
	}
	close(hung[1]);
	assert_int_equal(read(hung[0], &alarm_s, 1), 1);
	close(hung[0]);
	if (!hurries)
		assert_int_equal(access(path, F_OK), 0);
	if (sig)
		kill(pid, sig);
	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	assert_int_equal(access(path, F_OK), -1);
	return wstatus;
}

/* Its time is up: one line, and nothing is left behind. */
static void test_silent_xenstore(void **state)
{
	struct said said;
	int wstatus;

	(void)state;
	said_begin(&said, 2);
	wstatus = end_waiting(SIGALRM);
	/* It would have come by itself. */
	assert_int_equal(alarm_s, 10);
	check_said(&said, "XenStore does not answer: is xenstored running?");
	assert_true(WIFEXITED(wstatus));
	assert_int_equal(WEXITSTATUS(wstatus), 1);
}

/* Likewise when it has answered at first. */
static void test_silent_later(void **state)
{
	struct said said;
	int wstatus;

	(void)state;
	opens = hurries = true;
	said_begin(&said, 2);
	wstatus = end_waiting(0);
	check_said(&said, "XenStore does not answer: is xenstored running?");
	assert_true(WIFEXITED(wstatus));
	assert_int_equal(WEXITSTATUS(wstatus), 1);
	hurries = false;
}

/* Ctrl-C ends it at once, as it ends what has not begun, and leaves nothing either. */
static void test_interrupted(void **state)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP};
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * sizeof(sigs) / sizeof(*sigs); i++) {
		int wstatus;

		opens = i % 2;
		wstatus = end_waiting(sigs[i / 2]);

		assert_true(WIFSIGNALED(wstatus));
		assert_int_equal(WTERMSIG(wstatus), sigs[i / 2]);
	}
}

/* All that there is just before a capture: lock, socket, and an output of either kind. */
static void prepare(const char *output)
{
	struct service service;
	struct output out;
	int lock;

	if (host_lock(path, &lock) || service_open(&service, socket_path) ||
	    output_open(&out, output))
		_exit(99);
	hang();
}

static void test_nothing_left(void **state)
{
	char output[80], pattern[80], byte;
	unsigned int i;
	glob_t g;

	(void)state;
	snprintf(output, sizeof(output), "%s/trace", dir);
	snprintf(pattern, sizeof(pattern), "%s/*", dir);
	for (i = 0; i < 2; i++) {
		int wstatus;
		pid_t pid;

		assert_int_equal(pipe(hung), 0);
		pid = fork();
		if (!pid)
			prepare(output);
		close(hung[1]);
		assert_int_equal(read(hung[0], &byte, 1), 1);
		close(hung[0]);
		assert_int_equal(glob(pattern, 0, NULL, &g), 0);
		assert_int_equal(g.gl_pathc, 3 + i);
		globfree(&g);
		kill(pid, SIGINT);
		assert_int_equal(waitpid(pid, &wstatus, 0), pid);
		assert_true(WIFSIGNALED(wstatus));
		assert_int_equal(glob(pattern, 0, NULL, &g), i ? 0 : GLOB_NOMATCH);
		/* An earlier trace stays. */
		if (i)
			assert_int_equal(g.gl_pathc, 1);
		globfree(&g);
		close(open(output, O_WRONLY | O_CREAT, 0600));
	}
	assert_int_equal(unlink(output), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_other_owner),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_silent_xenstore),
		cmocka_unit_test(test_silent_later),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_nothing_left),
	};
	int ret;

	/* They are ignored in what a shell starts in the background. */
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/pid", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return ret;
}
