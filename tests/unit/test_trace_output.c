// SPDX-License-Identifier: GPL-2.0-only
/* The name, the mode and the end of what a trace is written to. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../xblktrace/output.h"

static char dir[] = "/tmp/test_trace_output.XXXXXX";

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect(const char *name, const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_int_equal(fread(buf, 1, sizeof(buf) - 1, f), strlen(text));
	fclose(f);
	assert_string_equal(buf, text);
}

static size_t nr_files(void)
{
	glob_t g;
	size_t n;

	n = glob("*", 0, NULL, &g) ? 0 : g.gl_pathc;
	globfree(&g);
	return n;
}

static mode_t mode(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode;
}

static int empty_dir(void **state)
{
	(void)state;
	umask(0);
	return system("rm -f -- *") || nr_files();
}

static void begin(struct output *o, const char *path)
{
	assert_int_equal(output_open(o, path), 0);
	assert_int_equal(write(o->fd, "new", 3), 3);
}

/* A capture that does not begin has not cost the one before. */
static void test_earlier_stays(void **state)
{
	static const char *const paths[] = {NULL, "trace.xblk"};
	struct output o;
	unsigned int i;

	(void)state;
	put("trace.xblk", "earlier");
	for (i = 0; i < 2; i++) {
		begin(&o, paths[i]);
		expect("trace.xblk", "earlier");
		assert_int_equal(output_close(&o), 0);
		expect("trace.xblk", "earlier");
		assert_int_equal(nr_files(), 1);
	}
	begin(&o, "trace.xblk");
	assert_int_equal(output_take_name(&o), 0);
	expect("trace.xblk", "new");
	assert_int_equal(output_take_name(&o), 0);
	assert_int_equal(output_close(&o), 0);
	expect("trace.xblk", "new");
	assert_int_equal(nr_files(), 1);
}

/* Only an own choice of name may meet a capture that is still wanted. */
static void test_default_keeps_old(void **state)
{
	struct output o;

	(void)state;
	begin(&o, NULL);
	assert_string_equal(o.path, "trace.xblk");
	assert_int_equal(output_take_name(&o), 0);
	output_close(&o);
	put("trace.xblk", "earlier");
	begin(&o, NULL);
	assert_int_equal(output_take_name(&o), 1);
	output_close(&o);
	expect("trace.xblk", "new");
	expect("trace.xblk.old", "earlier");
	assert_int_equal(nr_files(), 2);
}

static void test_mode(void **state)
{
	struct output o;

	(void)state;
	put("mine", "earlier");
	chmod("mine", 0644);
	begin(&o, "mine");
	assert_int_equal(output_take_name(&o), 0);
	output_close(&o);
	assert_int_equal(mode("mine"), S_IFREG | 0600);
	begin(&o, NULL);
	assert_int_equal(output_take_name(&o), 0);
	output_close(&o);
	assert_int_equal(mode("trace.xblk"), S_IFREG | 0600);
}

/* Whoever may write to a folder must not choose what root writes to. */
static void test_default_opens_nothing(void **state)
{
	struct output o;

	(void)state;
	put("target", "theirs");
	assert_int_equal(symlink("target", "trace.xblk"), 0);
	begin(&o, NULL);
	assert_int_equal(output_take_name(&o), 1);
	output_close(&o);
	expect("target", "theirs");
	assert_int_equal(mode("trace.xblk"), S_IFREG | 0600);
	assert_true(S_ISLNK(mode("trace.xblk.old")));

	/* It would wait for a reader. */
	unlink("trace.xblk");
	assert_int_equal(mkfifo("trace.xblk", 0666), 0);
	begin(&o, NULL);
	assert_int_equal(output_take_name(&o), 1);
	output_close(&o);
	expect("trace.xblk", "new");
	assert_true(S_ISFIFO(mode("trace.xblk.old")));
}

/* A link that was named is meant, and stays, as /dev/stdout has to. */
static void test_links(void **state)
{
	char name[32], buf[8];
	struct output o;
	int fds[2];

	(void)state;
	put("target", "earlier");
	assert_int_equal(symlink("target", "link"), 0);
	begin(&o, "link");
	assert_int_equal(output_take_name(&o), 0);
	output_close(&o);
	assert_true(S_ISLNK(mode("link")));
	expect("target", "new");

	unlink("target");
	begin(&o, "link");
	assert_int_equal(output_take_name(&o), 0);
	output_close(&o);
	assert_true(S_ISLNK(mode("link")));
	expect("target", "new");

	assert_int_equal(pipe(fds), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[1]);
	assert_int_equal(symlink(name, "stdout"), 0);
	begin(&o, "stdout");
	assert_false(o.regular);
	assert_int_equal(output_take_name(&o), 0);
	output_close(&o);
	assert_int_equal(read(fds[0], buf, sizeof(buf)), 3);
	assert_true(S_ISLNK(mode("stdout")));
	close(fds[0]);
	close(fds[1]);
}

/* There can be no other name beside it. */
static void test_long_name(void **state)
{
	char name[256] = "";
	struct output o;
	int i;

	(void)state;
	memset(name, 'n', 255);
	for (i = 0; i < 2; i++) {
		begin(&o, name);
		assert_int_equal(output_take_name(&o), 0);
		output_close(&o);
		expect(name, "new");
	}
	assert_int_equal(nr_files(), 1);
}

/* A name that there was not is not there afterwards either. */
static void test_nothing_is_left(void **state)
{
	static const char *const paths[] = {NULL, "mine"};
	struct output o;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&o, paths[i]);
		output_close(&o);
		assert_int_equal(nr_files(), 0);
	}
}

static void test_not_a_file(void **state)
{
	struct output o;
	char buf[8];
	int fd;

	(void)state;
	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = open("pipe", O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	begin(&o, "pipe");
	assert_false(o.regular);
	assert_int_equal(output_take_name(&o), 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	assert_true(fcntl(o.fd, F_GETFL) & O_NONBLOCK);
	output_close(&o);
	close(fd);
	assert_true(S_ISFIFO(mode("pipe")));
	assert_int_equal(nr_files(), 1);

	assert_int_equal(output_open(&o, "."), -EISDIR);
	output_close(&o);
	assert_int_equal(output_open(&o, "nowhere/file"), -ENOENT);
	output_close(&o);
	assert_int_equal(nr_files(), 1);
}

/* What has the name, or is to make room, cannot be moved. */
static void test_name_fails(void **state)
{
	struct output o;

	(void)state;
	put("name", "earlier");
	begin(&o, "name");
	unlink("name");
	assert_int_equal(mkdir("name", 0700), 0);
	assert_int_equal(output_take_name(&o), -EISDIR);
	output_close(&o);
	assert_int_equal(nr_files(), 1);
	rmdir("name");

	put("trace.xblk", "earlier");
	assert_int_equal(mkdir("trace.xblk.old", 0700), 0);
	begin(&o, NULL);
	assert_int_equal(output_take_name(&o), -EISDIR);
	output_close(&o);
	expect("trace.xblk", "earlier");
	assert_int_equal(nr_files(), 2);
	rmdir("trace.xblk.old");
}

/* Somebody else's doing, while it is written. */
static void test_name_lost(void **state)
{
	struct output o;
	int fds[2];

	(void)state;
	put("name", "earlier");
	begin(&o, "name");
	/* It is not its name yet. */
	unlink("name");
	assert_int_equal(output_look(&o), OUTPUT_NAMED);
	assert_int_equal(output_take_name(&o), 0);
	assert_int_equal(output_look(&o), OUTPUT_NAMED);
	assert_int_equal(rename("name", "other"), 0);
	assert_int_equal(output_look(&o), OUTPUT_RENAMED);
	put("name", "another one");
	assert_int_equal(output_look(&o), OUTPUT_RENAMED);
	unlink("other");
	assert_int_equal(output_look(&o), OUTPUT_REMOVED);
	assert_int_equal(output_next(&o, 2), 0);
	assert_int_equal(output_look(&o), OUTPUT_NAMED);
	output_close(&o);
	expect("name.1", "another one");
	unlink("name");
	unlink("name.1");

	/* Through a link. */
	put("target", "earlier");
	assert_int_equal(symlink("target", "link"), 0);
	begin(&o, "link");
	assert_int_equal(output_look(&o), OUTPUT_NAMED);
	unlink("target");
	assert_int_equal(output_look(&o), OUTPUT_REMOVED);
	output_close(&o);
	unlink("link");

	/* What is no file is not looked for. */
	assert_int_equal(mkfifo("pipe", 0600), 0);
	fds[0] = open("pipe", O_RDONLY | O_NONBLOCK);
	begin(&o, "pipe");
	unlink("pipe");
	assert_int_equal(output_look(&o), OUTPUT_NAMED);
	output_close(&o);
	close(fds[0]);
	fds[1] = dup(STDOUT_FILENO);
	fds[0] = open("stdout", O_WRONLY | O_CREAT, 0600);
	dup2(fds[0], STDOUT_FILENO);
	assert_int_equal(output_open(&o, "-"), 0);
	dup2(fds[1], STDOUT_FILENO);
	assert_true(o.regular);
	unlink("stdout");
	assert_int_equal(output_look(&o), OUTPUT_NAMED);
	output_close(&o);
	close(fds[0]);
	close(fds[1]);
}

/* Never waits, whoever else has the descriptor, which stays as it is. */
static void fill(struct output *o, int peer)
{
	static char bytes[100000];
	ssize_t n;

	while ((n = output_write(o, bytes, sizeof(bytes))) > 0)
		;
	assert_int_equal(n, -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(o->fd, F_GETFL) & O_NONBLOCK, 0);
	close(peer);
	assert_int_equal(output_write(o, bytes, 1), -1);
	assert_int_equal(errno, EPIPE);
	close(o->fd);
}

static void test_never_waits(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	fill(&(struct output){.fd = fds[1], .shared = true}, fds[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fill(&(struct output){.fd = fds[1], .socket = true}, fds[0]);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup(t, empty_dir)
	const struct CMUnitTest tests[] = {
		TEST(test_earlier_stays),
		TEST(test_default_keeps_old),
		TEST(test_mode),
		TEST(test_links),
		TEST(test_default_opens_nothing),
		TEST(test_long_name),
		TEST(test_nothing_is_left),
		TEST(test_not_a_file),
		TEST(test_name_fails),
		TEST(test_name_lost),
		TEST(test_never_waits),
	};
	int ret;

	if (!mkdtemp(dir) || chdir(dir))
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	empty_dir(NULL);
	if (rmdir(dir))
		return 1;
	return ret;
}
