// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for a guest that has no network, by XenStore:
 *
 *	agent serve				in the guest: run what is asked for
 *	agent run DOMID SECONDS DISK COMMAND	in dom0: its output, its exit status
 *	agent tick				wake up 25 times a second
 *	agent turns N				two processes take turns, N times
 *
 * <guest>/data/lab/cmd is "ID SECONDS COMMAND", .../out is "ID STATUS SIZE\n" and the
 * output; output too long for XenStore is at the start of the scratch disk, dom0's DISK
 * and the guest's /dev/xvdz.
 *
 * One process a command on each side, because a fork and exec in a PV domain under
 * emulation costs 50 to 150 ms; the same in shell with xenstore-watch and friends took 1
 * to 3 s a command.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define OUTPUT	"/run/lab.out"
#define SCRATCH "/dev/xvdz"

enum {
	MESSAGE_MAX =
		3500, /* XenStore takes 4096 bytes, its header and the path included, */
	ANSWER_MAX = 1900, /* but from a guest no node of more than 2048 */
	CHUNK = 1 << 20,
	TIMED_OUT = 124,
	GUEST_GONE = 255,
};

static int die(const char *what)
{
	fprintf(stderr, "agent: ");
	perror(what);
	return GUEST_GONE;
}

/* Copy @size bytes; O_DIRECT reads come in whole chunks, so the last one is cut. */
static int copy(int from, int to, size_t size)
{
	static char chunk[CHUNK] __attribute__((aligned(4096)));

	while (size) {
		ssize_t n = read(from, chunk, CHUNK);

		if (n <= 0)
			return -1;
		if ((size_t)n > size)
			n = size;
		if (write(to, chunk, n) != n)
			return -1;
		size -= n;
	}
	return 0;
}

/* Run @command with its output in OUTPUT; its exit status as a shell tells it. */
static int run_command(const char *command, long seconds)
{
	struct timespec limit = {.tv_sec = seconds};
	sigset_t child;
	int status;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	pid = fork();
	if (!pid) {
		setsid();
		sigprocmask(SIG_UNBLOCK, &child, NULL);
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
		dup2(1, 2);
		execl("/bin/bash", "bash", "-c", command, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (sigtimedwait(&child, NULL, &limit) < 0)
			kill(-pid, SIGKILL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void answer(struct xs_handle *xs, const char *id, int status)
{
	char message[ANSWER_MAX + 100];
	int out = open(OUTPUT, O_RDONLY), disk, n;
	struct stat st;

	fstat(out, &st);
	n = snprintf(message, 100, "%s %d %lld\n", id, status, (long long)st.st_size);
	if (st.st_size <= ANSWER_MAX) {
		n += read(out, message + n, st.st_size);
	} else {
		disk = open(SCRATCH, O_WRONLY);
		if (copy(out, disk, st.st_size) || fsync(disk))
			die(SCRATCH);
		close(disk);
	}
	close(out);
	if (!xs_write(xs, XBT_NULL, "data/lab/out", message, n))
		die("data/lab/out");
}

static int serve(void)
{
	struct xs_handle *xs = xs_open(0);
	char last[32] = "", id[32], *command, **event;
	sigset_t child;
	unsigned int n;
	int offset;
	long limit;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (!xs || !xs_watch(xs, "data/lab/cmd", "cmd"))
		return die("XenStore");
	while ((event = xs_read_watch(xs, &n))) {
		free(event);
		command = xs_read(xs, XBT_NULL, "data/lab/cmd", &n);
		if (command && sscanf(command, "%31s %ld %n", id, &limit, &offset) == 2 &&
		    strcmp(id, last)) {
			strcpy(last, id);
			answer(xs, id, run_command(command + offset, limit));
		}
		free(command);
	}
	return die("XenStore");
}

/* Print the output of an answer; -1 when it is not the answer to @id. */
static int take(const char *text, unsigned int len, const char *id, const char *disk)
{
	int status, offset, fd;
	size_t size;
	char got[32];

	if (sscanf(text, "%31s %d %zu%n", got, &status, &size, &offset) != 3 ||
	    strcmp(got, id))
		return -1;
	if (size <= ANSWER_MAX) {
		fwrite(text + offset + 1, 1, len - offset - 1, stdout);
		return status;
	}
	/* Round dom0's page cache, which does not see what blkback writes. */
	fd = open(disk, O_RDONLY | O_DIRECT);
	return fd < 0 || copy(fd, 1, size) ? die(disk) : status;
}

static int exists(struct xs_handle *xs, const char *path)
{
	unsigned int len;
	char *text = xs_read(xs, XBT_NULL, path, &len);

	free(text);
	return !!text;
}

static int run(const char *domid, long seconds, const char *disk, const char *command)
{
	time_t end = time(NULL) + seconds + 20;
	char base[64], path[128], message[4096], id[32], *text;
	struct xs_handle *xs = xs_open(0);
	int n, status, lock;
	unsigned int len;

	snprintf(path, sizeof(path), "/run/lab/domain-%s.lock", domid);
	lock = open(path, O_RDWR | O_CREAT, 0600);
	snprintf(base, sizeof(base), "/local/domain/%s", domid);
	snprintf(path, sizeof(path), "%s/data/lab/out", base);
	if (!xs || flock(lock, LOCK_EX) || !xs_watch(xs, path, "out"))
		return die("XenStore");

	snprintf(id, sizeof(id), "%d-%ld", getpid(), (long)time(NULL));
	n = snprintf(message, sizeof(message), "%s %ld %s", id, seconds, command);
	if (n > MESSAGE_MAX) {
		fprintf(stderr, "agent: a command of %d bytes is too long\n", n);
		return GUEST_GONE;
	}
	snprintf(path, sizeof(path), "%s/data/lab/cmd", base);
	if (!exists(xs, base) || !xs_write(xs, XBT_NULL, path, message, n))
		return GUEST_GONE;

	snprintf(path, sizeof(path), "%s/data/lab/out", base);
	while (time(NULL) < end) {
		struct pollfd fd = {.fd = xs_fileno(xs), .events = POLLIN};

		if (poll(&fd, 1, 1000) > 0)
			free(xs_read_watch(xs, &len));
		text = xs_read(xs, XBT_NULL, path, &len);
		status = text ? take(text, len, id, disk) : -1;
		if (status >= 0)
			return status;
		if (!text && !exists(xs, base))
			return GUEST_GONE;
		free(text);
	}
	return TIMED_OUT;
}

/* 25 times a second, for nothing: what processor time is worth on this machine. */
static _Noreturn void tick(void)
{
	for (;;)
		poll(NULL, 0, 40);
}

/* At least two switches of context a turn. */
static int turns(long n)
{
	int there[2], back[2], status;
	char byte = 0;
	pid_t pid;

	if (pipe(there) || pipe(back) || (pid = fork()) < 0)
		return die("turns");
	if (!pid) {
		close(there[1]);
		while (read(there[0], &byte, 1) == 1)
			if (write(back[1], &byte, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(back[1]);
	while (n-- > 0)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			return die("turns");
	close(there[1]);
	return waitpid(pid, &status, 0) != pid || status;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "tick"))
		tick();
	if (argc == 3 && !strcmp(argv[1], "turns"))
		return turns(atol(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 6 && !strcmp(argv[1], "run"))
		return run(argv[2], atol(argv[3]), argv[4], argv[5]);
	fprintf(stderr,
		"usage: agent serve | agent tick | agent turns N | agent run DOMID SECONDS DISK COMMAND\n");
	return 2;
}
