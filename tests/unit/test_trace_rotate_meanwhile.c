// SPDX-License-Identifier: GPL-2.0-only
/* What ends a capture while it goes on in its next file: those before are whole. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/clock.h"
#include "../../xblktrace/signals.h"
#include "busy_day.h"
#include "fake_xen.h"
#include "recording_module.h"
#include "trace_content.h"

#define GUEST_READER "/local/domain/3/data/xenrelay/xblk/reader"

/* While the control goes on in the third file. */
static bool third(void)
{
	return day.running->writer->nr_ended == 2;
}

static void end_it(void)
{
	if (third() && !day.running->reason)
		kill(getpid(), SIGTERM);
}

static void test_ended_meanwhile(void **state)
{
	(void)state;
	module.at_read_stats = end_it;
	assert_int_equal(capture_day(NR_FILES, 0), 0);
	assert_in_range(count_files(), 3, 4);
	for (unsigned int nr = count_files(); nr--;)
		verify_file(nr);
}

static void kill_it(void)
{
	if (third())
		kill(getpid(), SIGKILL);
}

/* Nothing ends what was under way, but what was ended is whole. */
static void test_killed_meanwhile(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		module.at_read_stats = kill_it;
		capture_day(NR_FILES, 0);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(count_files(), 3);
	verify_file(1);
	verify_file(2);
}

static void fill_disk(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = writer_bytes_out(day.running->writer);
	if (third())
		setrlimit(RLIMIT_FSIZE, &limit);
}

/* Neither index nor END has room. */
static void test_full_meanwhile(void **state)
{
	struct rlimit limit;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &limit);
	module.at_read_stats = fill_disk;
	assert_int_equal(capture_day(NR_FILES, 0), -1);
	setrlimit(RLIMIT_FSIZE, &limit);
	played_check_said(&played, "File too large: the capture ends here");
	assert_int_equal(count_files(), 3);
	verify_file(1);
	verify_file(2);
}

static void move_away(void)
{
	char away[sizeof(day_dir) + 5];

	snprintf(away, sizeof(away), "%s.away", day_dir);
	if (third())
		rename(day_dir, away);
}

static void test_folder_gone(void **state)
{
	char away[sizeof(day_dir) + 5];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", day_dir);
	module.at_read_stats = move_away;
	assert_int_equal(capture_day(NR_FILES, 0), -1);
	assert_int_equal(rename(away, day_dir), 0);
	played_check_said(&played, "No such file or directory: the capture ends here");
	assert_int_equal(count_files(), 3);
	for (unsigned int nr = 0; nr < 3; nr++)
		verify_file(nr);
}

static void rename_it(void)
{
	char away[sizeof(day_path) + 5];

	snprintf(away, sizeof(away), "%s.away", day_path);
	if (third())
		rename(day_path, away);
}

/* What is in none of the files is told of, once. */
static void loses_its_name(void (*how)(void), const char *word)
{
	const char *at;

	module.at_read_stats = how;
	assert_int_equal(capture_day(NR_FILES, 0), -1);
	played_check_said(&played, word);
	at = strstr(played.said.text, word);
	assert_null(strstr(at + 1, word));
	/* The one before it, and the next one. */
	assert_in_range(count_files(), 1, NR_FILES);
	for (unsigned int nr = count_files(); nr--;)
		verify_file(nr);
	/* There is a gap between them. */
	for (unsigned int nr = 0; nr < NR_FILES; nr++)
		unlink(name_of(nr));
}

static void test_renamed(void **state)
{
	char away[sizeof(day_path) + 5];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", day_path);
	loses_its_name(rename_it, "was renamed or replaced");
	assert_int_equal(unlink(away), 0);
}

static void remove_it(void)
{
	if (third())
		unlink(day_path);
}

static void test_removed(void **state)
{
	(void)state;
	loses_its_name(remove_it, "was removed: what is written to it is lost");
}

/* What hangs, as a network file system does. */
static enum {
	NOTHING,
	WRITE,
	RENAME,
} hung;

static bool hangs(int what)
{
	return __atomic_load_n(&hung, __ATOMIC_RELAXED) == (unsigned int)what;
}

static void set_hung(int what)
{
	__atomic_store_n(&hung, what, __ATOMIC_RELAXED);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	struct stat st;

	while (hangs(WRITE) && !fstat(fd, &st) && S_ISREG(st.st_mode) && fd > 2)
		usleep(1000);
	return syscall(SYS_write, fd, buf, len);
}

int rename(const char *from, const char *to)
{
	while (hangs(RENAME))
		usleep(1000);
	return syscall(SYS_rename, from, to);
}

static pthread_t watcher;
static bool told, answered, begun;
static struct service service;
static char service_path[80];

/* Return: whether it says what is asked, at once. */
static bool ask_for_status(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval second = {.tv_sec = 1};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char text[4096];
	ssize_t n = -1;

	strcpy(address.sun_path, service_path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    send(fd, "status\n", 7, 0) == 7)
		n = recv(fd, text, sizeof(text) - 1, 0);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "traces since") && strstr(text, day_path);
}

/* When the time of -w is over, and the file system still hangs. */
static void *watch(void *unused)
{
	(void)unused;
	usleep(1500000);
	fake_hold();
	told = !strncmp(fake_read(GUEST_READER), "disconnect", 10);
	fake_release();
	answered = ask_for_status();
	set_hung(NOTHING);
	return NULL;
}

static void hang(int what)
{
	if (!third() || begun)
		return;
	begun = true;
	day.running->end_at = monotonic_ns() + 300000000;
	day.running->service = &service;
	set_hung(what);
	if (pthread_create(&watcher, NULL, watch, NULL))
		abort();
}

static void hang_write(void)
{
	hang(WRITE);
}

static void hang_rename(void)
{
	hang(RENAME);
}

/*
 * The guest is told to stop in time, and what there is goes into the next file.  Who asks
 * for the status is answered meanwhile.
 */
static void ends_in_time(void (*hang)(void))
{
	struct content content;

	told = answered = begun = false;
	snprintf(service_path, sizeof(service_path), "%s.socket", day_dir);
	assert_int_equal(service_open(&service, service_path), 0);
	module.at_read_stats = hang;
	assert_int_equal(capture_day(NR_FILES, 0), 0);
	pthread_join(watcher, NULL);
	service_close(&service);
	assert_true(told);
	assert_true(answered);
	assert_int_equal(count_files(), 4);
	for (unsigned int nr = 0; nr < 4; nr++)
		verify_file(nr);
	content_of_file(&content, name_of(0));
	assert_string_equal(content_reason(&content), "timeout");
	content_forget(&content);
}

static void test_write_hangs(void **state)
{
	(void)state;
	ends_in_time(hang_write);
}

static void test_rename_hangs(void **state)
{
	(void)state;
	ends_in_time(hang_rename);
}

static void *interrupt(void *unused)
{
	(void)unused;
	usleep(300000);
	kill(getpid(), SIGINT);
	usleep(300000);
	kill(getpid(), SIGINT);
	return NULL;
}

static void hang_for_good(void)
{
	if (!third() || begun)
		return;
	begun = true;
	set_hung(RENAME);
	if (pthread_create(&watcher, NULL, interrupt, NULL))
		abort();
}

/* The files that are whole are there.  The last test: a thread is left hanging. */
static void test_rename_hangs_for_good(void **state)
{
	uint64_t since = monotonic_ns();

	(void)state;
	begun = false;
	signals_block();
	module.at_read_stats = hang_for_good;
	assert_int_equal(capture_day(NR_FILES, 0), -1);
	pthread_join(watcher, NULL);
	assert_in_range(monotonic_ns() - since, 0, 20000000000);
	played_check_said(&played, "takes nothing: given up");
	played_check_said(&played, "how many of these are in it is not known: it hangs");
	assert_int_equal(count_files(), 3);
	for (unsigned int nr = 0; nr < 3; nr++)
		verify_file(nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROTATION(test_ended_meanwhile),
		ROTATION(test_killed_meanwhile),
		ROTATION(test_full_meanwhile),
		ROTATION(test_renamed),
		ROTATION(test_removed),
		ROTATION(test_folder_gone),
		ROTATION(test_write_hangs),
		ROTATION(test_rename_hangs),
		ROTATION(test_rename_hangs_for_good),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
