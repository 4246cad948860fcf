// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "chunk.h"
#include "clock.h"
#include "pack.h"
#include "sink.h"
#include "xenrelay/ordering.h"

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MS  1000000ull
/* So that a slow output is seen to go on. */
#define STEP (128 * 1024)
/* For a thread that was told to end and does not. */
#define END_MS	1000
#define LOOK_NS NSEC_PER_SEC

/**
 * struct sink - counts of blocks, each of which is in @order at count % @nr_blocks
 * @lock:	for all that follows
 * @changed:	one for all sides, each of which looks whether it is meant
 * @given:	handed over
 * @taken:	taken by packers, or in no need of them
 * @written:	out
 * @told:	of those that sink_written() has returned
 * @packing:	packers at work
 * @writing:	the output is being written to, or @what is being done with it
 * @what, @what_arg, @what_out, @result: see sink_do(); NULL: nothing, or it is done
 * @wanted:	somebody waits for sink_fd()
 * @spare:	@nr_spare blocks that are filled next, from the last one on: what was
 *		written last is in the processor's cache; theirs who fills
 * @looked_at:	when the output's name was looked after; the writing thread's
 * @error, @bytes, @given_up, @name: written under the lock or by one thread, read without
 */
struct sink {
	struct output out;
	unsigned int nr_blocks;
	unsigned char *memory, *pack_memory;
	pthread_t writer;
	pthread_t packers[SINK_MAX_PACKERS];
	ZSTD_CCtx *zstd[SINK_MAX_PACKERS];
	unsigned int nr_packers;
	int give_up_fd;
	int ready_fd;
	int error;
	int given_up;
	uint64_t bytes;
	uint64_t looked_at;
	enum output_name name;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t given, taken, written, told;
	unsigned int packing;
	bool writing;
	int (*what)(struct output *out, unsigned int arg);
	unsigned int what_arg;
	struct output what_out;
	int result;
	bool wanted;
	bool ends;
	struct sink_block *order[SINK_BLOCKS];
	struct sink_block *spare[SINK_BLOCKS];
	unsigned int nr_spare;
	struct sink_block blocks[SINK_BLOCKS];
};

struct packer {
	struct sink *sink;
	ZSTD_CCtx *zstd;
};

/* There are some blocks, which a checker does not know. */
static unsigned int place(const struct sink *s, uint64_t count)
{
	return s->nr_blocks ? count % s->nr_blocks : 0;
}

static void next_block(struct sink *s)
{
	struct sink_block *b = s->spare[--s->nr_spare];

	b->used = b->chunks = b->done = b->packed_len = 0;
	b->flags = 0;
	b->ready = false;
	b->pack = s->nr_packers;
	s->order[place(s, s->given)] = b;
}

/* None has been handed over. */
static void spare_all(struct sink *s)
{
	for (s->nr_spare = 0; s->nr_spare < s->nr_blocks; s->nr_spare++)
		s->spare[s->nr_spare] = &s->blocks[s->nr_spare];
	next_block(s);
}

static struct sink_block *block_at(struct sink *s, uint64_t count)
{
	return s->order[place(s, count)];
}

/* Return: 0 when something may be written, or negative errno. */
static int wait_writable(const struct sink *s)
{
	struct pollfd pfd[] = {{.fd = s->out.fd, .events = POLLOUT},
			       {.fd = s->give_up_fd, .events = POLLIN}};

	if (poll(pfd, 2, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

/* Return: 0 or negative errno; *@done bytes are out in either case. */
static int write_out(struct sink *s, const unsigned char *buf, size_t len, size_t *done)
{
	*done = 0;
	while (*done < len) {
		size_t step = len - *done < STEP ? len - *done : STEP;
		ssize_t n;
		int err = 0;

		if (xblk_load_once(&s->given_up))
			return -EINTR;
		n = output_write(&s->out, buf + *done, step);
		if (n > 0) {
			*done += n;
			xblk_store_once(&s->bytes, s->bytes + n);
		} else if (n < 0 && errno == EAGAIN) {
			err = wait_writable(s);
		} else if (!n) {
			err = -EIO;
		} else if (errno != EINTR) {
			err = -errno;
		}
		if (err)
			return err;
	}
	return 0;
}

/* Within a pack its checksum is its chunks'; one each would not get any smaller. */
static int write_block(struct sink *s, struct sink_block *b)
{
	b->offset = s->bytes;
	if (!b->pack) {
		chunk_seal_all(b->buf + b->chunks, b->used - b->chunks);
		return write_out(s, b->buf, b->used, &b->done);
	}
	b->done = 0;
	return b->packed_len ? write_out(s, b->packed, b->packed_len, &b->done) : -ENOMEM;
}

static void ring(struct sink *s)
{
	if (!s->wanted)
		return;
	s->wanted = false;
	eventfd_write(s->ready_fd, 1);
}

static bool may_write(struct sink *s)
{
	return !s->error && s->written != s->given && block_at(s, s->written)->ready;
}

static void look_after_name(struct sink *s)
{
	uint64_t now = monotonic_ns();

	if (now - s->looked_at < LOOK_NS)
		return;
	s->looked_at = now;
	sink_set_name(s, output_look(&s->out));
}

/* With the lock, but for the writing itself; what follows likewise. */
static void write_next(struct sink *s)
{
	int err;

	s->writing = true;
	pthread_mutex_unlock(&s->lock);
	err = write_block(s, block_at(s, s->written));
	look_after_name(s);
	pthread_mutex_lock(&s->lock);
	s->writing = false;
	if (err)
		xblk_store_release(&s->error, err);
	else
		s->written++;
	ring(s);
	pthread_cond_broadcast(&s->changed);
}

static void do_what(struct sink *s)
{
	int result;

	s->writing = true;
	s->out = s->what_out;
	pthread_mutex_unlock(&s->lock);
	result = s->what(&s->out, s->what_arg);
	pthread_mutex_lock(&s->lock);
	s->writing = false;
	s->result = result;
	s->what = NULL;
	pthread_cond_broadcast(&s->changed);
}

static void *write_blocks(void *arg)
{
	struct sink *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->ends) {
		if (s->what)
			do_what(s);
		else if (may_write(s))
			write_next(s);
		else
			pthread_cond_wait(&s->changed, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static struct sink_block *next_to_pack(struct sink *s)
{
	/* Packers may have slept while what is not for them went out. */
	if (s->taken < s->written)
		s->taken = s->written;
	while (!s->error && s->taken != s->given) {
		struct sink_block *b = block_at(s, s->taken++);

		if (b->pack)
			return b;
	}
	return NULL;
}

static void *pack_blocks(void *arg)
{
	struct packer packer = *(struct packer *)arg;
	struct sink *s = packer.sink;

	free(arg);
	pthread_mutex_lock(&s->lock);
	while (!s->ends) {
		struct sink_block *b = next_to_pack(s);

		if (!b) {
			pthread_cond_wait(&s->changed, &s->lock);
			continue;
		}
		s->packing++;
		pthread_mutex_unlock(&s->lock);
		b->packed_len = pack_chunks(packer.zstd, b->buf, b->used, b->packed);
		pthread_mutex_lock(&s->lock);
		s->packing--;
		b->ready = true;
		pthread_cond_broadcast(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Signals are for the thread that captures. */
static int start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/* Pages are to be there before anything is traced.  Return: NULL if there are none. */
static unsigned char *allocate(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static void free_all(struct sink *s)
{
	if (s->memory)
		munmap(s->memory, s->nr_blocks * SINK_BLOCK_SIZE);
	if (s->pack_memory)
		munmap(s->pack_memory, s->nr_blocks * PACK_ROOM);
	for (int i = 0; i < SINK_MAX_PACKERS; i++)
		ZSTD_freeCCtx(s->zstd[i]);
	if (s->give_up_fd >= 0)
		close(s->give_up_fd);
	if (s->ready_fd >= 0)
		close(s->ready_fd);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void init_locks(struct sink *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
}

struct sink *sink_new(const struct output *out, unsigned int nr_blocks)
{
	struct sink *s = calloc(1, sizeof(*s));
	bool complete;

	if (!s)
		return NULL;
	s->out = *out;
	s->nr_blocks = nr_blocks;
	init_locks(s);
	s->give_up_fd = eventfd(0, EFD_CLOEXEC);
	s->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->memory = allocate(nr_blocks * SINK_BLOCK_SIZE);
	complete = s->give_up_fd >= 0 && s->ready_fd >= 0 && s->memory;
	for (unsigned int i = 0; complete && i < nr_blocks; i++)
		s->blocks[i].buf = s->memory + i * SINK_BLOCK_SIZE;
	spare_all(s);
	if (complete && !start(&s->writer, write_blocks, s))
		return s;
	free_all(s);
	return NULL;
}

static unsigned int nr_processors(void)
{
	cpu_set_t set;

	/* Of more than it has room for it says none. */
	if (sched_getaffinity(0, sizeof(set), &set))
		return SINK_MAX_PACKERS;
	return CPU_COUNT(&set);
}

static int add_packer(struct sink *s, int level)
{
	struct packer *packer = malloc(sizeof(*packer));
	unsigned int i = s->nr_packers;

	if (!packer)
		return -ENOMEM;
	s->zstd[i] = pack_new(level);
	*packer = (struct packer){s, s->zstd[i]};
	if (!s->zstd[i] || start(&s->packers[i], pack_blocks, packer)) {
		free(packer);
		return -ENOMEM;
	}
	s->nr_packers++;
	return 0;
}

int sink_pack(struct sink *s, int level, unsigned int nr)
{
	if (!nr)
		nr = nr_processors();
	if (nr > SINK_MAX_PACKERS)
		nr = SINK_MAX_PACKERS;
	s->pack_memory = allocate(s->nr_blocks * PACK_ROOM);
	if (!s->pack_memory)
		return -ENOMEM;
	for (unsigned int i = 0; i < s->nr_blocks; i++)
		s->blocks[i].packed = s->pack_memory + i * PACK_ROOM;
	sink_block(s)->pack = true;
	/* Fewer than there could be will do. */
	while (s->nr_packers < nr && !add_packer(s, level))
		;
	return s->nr_packers ? 0 : -ENOMEM;
}

/* Return: after @ms, by the clock of @changed. */
static struct timespec after(int ms)
{
	uint64_t ns = monotonic_ns() + ms * NSEC_PER_MS;

	return (struct timespec){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
}

/* With the lock.  Return: 0, or -ETIMEDOUT when nothing has gone out for @ms. */
static int wait_for_change(struct sink *s, int ms)
{
	uint64_t bytes = sink_bytes(s), written = s->written;
	struct timespec until;
	int err = 0;

	if (ms < 0)
		return -pthread_cond_wait(&s->changed, &s->lock);
	until = after(ms);
	while (!err && s->written == written && !s->error)
		err = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	return err == ETIMEDOUT && sink_bytes(s) == bytes ? -ETIMEDOUT : 0;
}

/* With the lock. */
static bool waits_for(const struct sink *s, unsigned int left)
{
	if (s->what)
		return true;
	if (s->error)
		return s->writing || s->packing;
	return s->given - s->written > left;
}

int sink_wait(struct sink *s, unsigned int left, int ms)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	while (!err && waits_for(s, left))
		err = wait_for_change(s, s->error && !s->what ? -1 : ms);
	if (!err)
		err = s->error;
	pthread_mutex_unlock(&s->lock);
	return err;
}

void sink_do(struct sink *s, const struct output *out,
	     int (*what)(struct output *out, unsigned int arg), unsigned int arg)
{
	pthread_mutex_lock(&s->lock);
	s->what_out = *out;
	s->what = what;
	s->what_arg = arg;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

int sink_did(struct sink *s, int ms, struct output *out, int *result)
{
	struct timespec until = after(ms);
	int err = 0;

	pthread_mutex_lock(&s->lock);
	while (s->what && !err)
		err = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	err = s->what ? -ETIMEDOUT : 0;
	if (!err) {
		*out = s->out;
		*result = s->result;
	}
	pthread_mutex_unlock(&s->lock);
	return err;
}

/* Return: whether it has no more to write, and its thread will see that it is to end. */
static bool end_writer(struct sink *s)
{
	struct timespec until = after(END_MS);
	bool ended;
	int err = 0;

	pthread_mutex_lock(&s->lock);
	s->ends = true;
	pthread_cond_broadcast(&s->changed);
	while (s->writing && !err)
		err = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	ended = !s->writing;
	pthread_mutex_unlock(&s->lock);
	return ended;
}

bool sink_free(struct sink *s)
{
	sink_give_up(s);
	if (!end_writer(s)) {
		pthread_detach(s->writer);
		return false;
	}
	pthread_join(s->writer, NULL);
	for (unsigned int i = 0; i < s->nr_packers; i++)
		pthread_join(s->packers[i], NULL);
	free_all(s);
	return true;
}

struct sink_block *sink_block(struct sink *s)
{
	return block_at(s, s->given);
}

unsigned int sink_nr_blocks(const struct sink *s)
{
	return s->nr_blocks;
}

unsigned int sink_nr_free(struct sink *s)
{
	unsigned int nr;

	pthread_mutex_lock(&s->lock);
	nr = s->nr_blocks - 1 - (s->given - s->written);
	pthread_mutex_unlock(&s->lock);
	return nr;
}

void sink_hand_over(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	sink_block(s)->ready = !sink_block(s)->pack;
	s->given++;
	next_block(s);
	pthread_mutex_unlock(&s->lock);
	/* Whom it wakes is not to wait for the lock at once. */
	pthread_cond_broadcast(&s->changed);
}

const struct sink_block *sink_written(struct sink *s)
{
	struct sink_block *b = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->told != s->written) {
		b = block_at(s, s->told++);
		s->spare[s->nr_spare++] = b;
	}
	pthread_mutex_unlock(&s->lock);
	return b;
}

const struct sink_block *sink_not_written(struct sink *s)
{
	const struct sink_block *b = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->written <= s->given) {
		b = block_at(s, s->written++);
	} else {
		s->taken = s->told = s->given = s->written;
		spare_all(s);
	}
	pthread_mutex_unlock(&s->lock);
	return b;
}

int sink_error(const struct sink *s)
{
	return xblk_load_acquire(&s->error);
}

void sink_set_error(struct sink *s, int err)
{
	pthread_mutex_lock(&s->lock);
	xblk_store_release(&s->error, err);
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

enum output_name sink_name(const struct sink *s)
{
	return xblk_load_once(&s->name);
}

void sink_set_name(struct sink *s, enum output_name name)
{
	xblk_store_once(&s->name, name);
}

uint64_t sink_bytes(const struct sink *s)
{
	return xblk_load_once(&s->bytes);
}

uint64_t sink_pending(struct sink *s)
{
	uint64_t sum = 0;

	pthread_mutex_lock(&s->lock);
	for (uint64_t count = s->written; count < s->given; count++)
		sum += block_at(s, count)->used;
	pthread_mutex_unlock(&s->lock);
	return sum;
}

void sink_set_bytes(struct sink *s, uint64_t bytes)
{
	xblk_store_once(&s->bytes, bytes);
}

void sink_give_up(struct sink *s)
{
	xblk_store_once(&s->given_up, 1);
	eventfd_write(s->give_up_fd, 1);
}

bool sink_ready(struct sink *s)
{
	bool ready;

	pthread_mutex_lock(&s->lock);
	ready = s->error || s->given - s->written < s->nr_blocks - 1;
	s->wanted |= !ready;
	pthread_mutex_unlock(&s->lock);
	return ready;
}

int sink_fd(const struct sink *s)
{
	return s->ready_fd;
}
