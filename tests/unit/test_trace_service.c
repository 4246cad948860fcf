// SPDX-License-Identifier: GPL-2.0-only
/* A capture that runs is asked what it does, and told to end. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/service.h"
#include "../../xblktrace/signals.h"
#include "said.h"

static char dir[] = "/tmp/test_trace_service.XXXXXX";
static char path[64];
static struct said said;

static char *status(void *arg)
{
	(void)arg;
	return strdup("domain 3 (web): 5 records\n");
}

/* Until a signal comes, whoever connects. */
static void serve(void)
{
	static const struct service_answers answers = {.status = status};
	struct service s;
	bool snapshot;
	int fd;

	signals_block();
	fd = signals_open();
	if (service_open(&s, path))
		_exit(1);
	while (!signals_take(fd, &snapshot)) {
		struct pollfd pfd[1 + SERVICE_FDS] = {{.fd = fd, .events = POLLIN}};

		service_poll(&s, pfd + 1);
		poll(pfd, 1 + SERVICE_FDS, -1);
		service_turn(&s, &answers, NULL);
	}
	service_close(&s);
	_exit(0);
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (!pid)
		serve();
	while (access(path, F_OK))
		usleep(1000);
	return pid;
}

static int connect_to(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		assert_int_equal(errno, ECONNREFUSED);
	return fd;
}

static void test_status_and_end(void **state)
{
	pid_t pid = start();
	struct stat st;
	int wstatus, silent = connect_to();

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Somebody who asks nothing is in nobody's way. */
	said_begin(&said, STDOUT_FILENO);
	assert_int_equal(service_show_status(path), 0);
	assert_string_equal(said_end(&said), "domain 3 (web): 5 records\n");
	/* Nor is who asks for what there is not. */
	assert_int_equal(send(silent, "what\n", 5, 0), 5);
	assert_int_equal(recv(silent, &st, sizeof(st), 0), 0);
	close(silent);

	assert_int_equal(service_end_capture(path), 0);
	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	assert_int_equal(wstatus, 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void check_none(const char *what)
{
	said_begin(&said, STDERR_FILENO);
	assert_int_equal(service_show_status(path), -1);
	assert_int_equal(service_end_capture(path), -1);
	assert_non_null(strstr(said_end(&said), what));
}

/* Nothing, then what was left by a process that was killed, which is replaced. */
static void test_none(void **state)
{
	pid_t pid;

	(void)state;
	check_none("no xblktrace is running");
	pid = start();
	close(connect_to());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(access(path, F_OK), 0);
	check_none("no xblktrace is running");
	unlink(path);
}

static void test_left_over(void **state)
{
	struct service s;
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fclose(f);
	assert_int_equal(service_open(&s, path), 0);
	service_close(&s);
	assert_int_equal(access(path, F_OK), -1);
}

/* It is said at once, not only to who wants to ask. */
static void test_cannot_be_opened(void **state)
{
	struct service s;
	char nowhere[80];

	(void)state;
	snprintf(nowhere, sizeof(nowhere), "%s/nowhere/socket", dir);
	said_begin(&said, 2);
	assert_int_equal(service_open(&s, nowhere), -1);
	said_end(&said);
	service_close(&s);
	assert_non_null(
		strstr(said.text, "/nowhere/socket: No such file or directory: "));
	assert_non_null(strstr(said.text, "nor be tapped"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_end),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_left_over),
		cmocka_unit_test(test_cannot_be_opened),
	};
	int ret;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return ret;
}
