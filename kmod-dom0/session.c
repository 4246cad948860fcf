// SPDX-License-Identifier: GPL-2.0-only
/*
 * One capture in the backend domain, and the relay files that its records go to.
 * Its commands are those of include/xblk/control.h.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/poll.h>
#include <linux/relay.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include "../kmod-common/blk-probes.h"
#include "../kmod-common/clock.h"
#include "../kmod-common/emit.h"
#include "../ring/consumer.h"
#include "../ring/producer.h"
#include "probes.h"
#include "session.h"
#include "traced.h"
#include "xblk/control.h"

#define RECORD_SIZE  sizeof(struct xblk_record)
#define STAGE_LENGTH 1024 /* records that read() takes from the ring at a time */
/*
 * What wakes a reader that has looked: a buffer with as much more in it as there was, but
 * these parts of a buffer at least and at most.
 */
#define WAKE_LEAST 48
#define WAKE_MOST  24

/**
 * struct session_stream - how the records of one CPU are read
 * @producer:	what the producer's end of its ring tells the reader
 * @losses:	likewise
 * @consumer:	what the reader tells it
 * @reader:	its reading end, under the lock of the file's inode, as all below
 * @last:	time up to which it has been read
 * @looked_at:	the producer's position when session_level() told how full it is
 * @waited:	records that waited to be read then
 * @marks:	LOST records that were put among the records
 * @staged:	records in @stage.  They have left the ring, so that a fault of
 *		read()'s loses none.
 * @taken:	how many of them read() has delivered
 * @stage:	room for a LOST record and STAGE_LENGTH of the ring's
 */
struct session_stream {
	union xenrelay_producer_line producer ____cacheline_aligned;
	struct xenrelay_loss_line losses;
	union xenrelay_consumer_line consumer;
	struct xr_ring reader;
	u64 last;
	u64 looked_at;
	u64 waited;
	u64 marks;
	size_t staged;
	size_t taken;
	struct xblk_record *stage;
};

static DECLARE_WAIT_QUEUE_HEAD(session_wait);
static DEFINE_MUTEX(session_lock); /* start, stop, end and show, against each other */
static struct rchan *relay;
static bool tracing;
static bool overwrite;
static DEFINE_PER_CPU_ALIGNED(struct session_stream, streams);
DEFINE_PER_CPU_ALIGNED(struct session_ring, session_rings);

/* Once in a lap, and where there is no room.  Return: whether there is; else it is lost. */
unsigned long session_sink_at_stop(struct xenrelay_ring *ring, u64 now)
{
	if (likely(xenrelay_ring_find_room(ring)))
		return 1;
	xenrelay_ring_lose(ring, now);
	return 0;
}
XBLK_RARE(session_sink_at_stop);

unsigned long session_wake(struct session_ring *to)
{
	WRITE_ONCE(to->ring.tell_at, U64_MAX);
	irq_work_queue(&to->wake);
	return 0;
}
XBLK_RARE(session_wake);

/*
 * Where the times of a loss are not known, because its records were overwritten, it
 * lies between what was read before and the record behind.
 */
static struct xblk_record lost_record(const struct session_stream *stream,
				      const struct xenrelay_span *loss, u64 behind)
{
	return (struct xblk_record){
		.time = loss->first_ns ?: stream->last,
		.lost = {.until = loss->last_ns ?: behind, .count = loss->count},
		.disk = XBLK_NO_DISK,
		.event = XBLK_EV_LOST,
	};
}

/* Move the next records from the ring to the empty stage. */
static int refill(struct session_stream *stream)
{
	struct xblk_record *records = stream->stage + 1;
	u64 now = xblk_clock_now();
	struct xenrelay_span loss;
	ssize_t n;

	/* Pairs with session_stop()'s store-release: its last record is seen then. */
	stream->reader.stopped = !smp_load_acquire(&tracing);
	n = xr_ring_read(&stream->reader, records, STAGE_LENGTH, &loss);
	if (n < 0)
		return n;
	WRITE_ONCE(stream->taken, 1);
	WRITE_ONCE(stream->staged, 1 + n);
	if (loss.count) {
		stream->stage[0] = lost_record(stream, &loss, n ? records[0].time : now);
		WRITE_ONCE(stream->taken, 0);
		stream->marks++;
	}
	if (n)
		stream->last = records[n - 1].time;
	/* It was emptied: what is lost next comes after that. */
	if (n < STAGE_LENGTH)
		stream->last = max(stream->last, now);
	return 0;
}

/*
 * Relay has the buffers and the files; the positions are our own.  With
 * relay's, a reader that comes while a full sub-buffer is left, or finds none
 * free, skips or repeats records without anybody's counting them:
 * relay_file_read_avail() is not made for a reader beside a writer that stops.
 */
static ssize_t trace_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	struct rchan_buf *buf = file->private_data;
	struct session_stream *stream = per_cpu_ptr(&streams, buf->cpu);
	size_t done = 0, n;
	int err = 0;

	inode_lock(file_inode(file));
	for (len /= RECORD_SIZE; done < len; done += n) {
		if (stream->taken == stream->staged)
			err = refill(stream);
		n = min(stream->staged - stream->taken, len - done);
		if (err || !n)
			break;
		if (copy_to_user(to + done * RECORD_SIZE, stream->stage + stream->taken,
				 n * RECORD_SIZE)) {
			err = -EFAULT;
			break;
		}
		WRITE_ONCE(stream->taken, stream->taken + n);
	}
	inode_unlock(file_inode(file));
	return done ? done * RECORD_SIZE : err;
}

static int trace_open(struct inode *inode, struct file *file)
{
	struct rchan_buf *buf = inode->i_private;

	/* Of a CPU that came up during the session, whose records are all lost. */
	if (!per_cpu_ptr(&streams, buf->cpu)->stage)
		return -ENXIO;
	return relay_file_operations.open(inode, file);
}

static int trace_release(struct inode *inode, struct file *file)
{
	return relay_file_operations.release(inode, file);
}

static const struct file_operations trace_fops = {
	.owner = THIS_MODULE,
	.open = trace_open,
	.release = trace_release,
	.read = trace_read,
};

static struct dentry *create_buf_file(const char *filename, struct dentry *parent,
				      umode_t mode, struct rchan_buf *buf, int *is_global)
{
	return debugfs_create_file(filename, mode, parent, buf, &trace_fops);
}

static int remove_buf_file(struct dentry *dentry)
{
	debugfs_remove(dentry);
	return 0;
}

static const struct rchan_callbacks relay_callbacks = {
	.create_buf_file = create_buf_file,
	.remove_buf_file = remove_buf_file,
};

static int parse_mode(const char *mode)
{
	overwrite = !strcmp(mode, XBLK_CONTROL_MODE_OVERWRITE);
	return overwrite || !strcmp(mode, XBLK_CONTROL_MODE_DISCARD) ? 0 : -EINVAL;
}

/* A ring that holds nothing: it counts its losses. */
static void shut_ring(int cpu)
{
	struct session_stream *stream = per_cpu_ptr(&streams, cpu);

	xenrelay_ring_init(&per_cpu(session_rings, cpu).ring, NULL, 0, RECORD_SIZE, false,
			   &stream->producer, &stream->losses, &stream->consumer);
}

/* A probe that could not be taken off may still write, with interrupts off. */
static void buffers_free(void)
{
	int cpu;

	for_each_possible_cpu (cpu)
		shut_ring(cpu);
	synchronize_rcu();
	if (relay)
		relay_close(relay);
	relay = NULL;
	for_each_possible_cpu (cpu) {
		irq_work_sync(&per_cpu(session_rings, cpu).wake);
		kvfree(per_cpu(streams, cpu).stage);
		per_cpu(streams, cpu).stage = NULL;
	}
}

static void wake_reader(struct irq_work *work)
{
	wake_up_interruptible(&session_wait);
}

static int streams_init(size_t bytes)
{
	struct session_stream *stream;
	struct session_ring *to;
	struct rchan_buf *buf;
	int cpu;

	for_each_possible_cpu (cpu) {
		stream = per_cpu_ptr(&streams, cpu);
		*stream = (struct session_stream){
			.last = xblk_clock_now(),
		};
		to = per_cpu_ptr(&session_rings, cpu);
		init_irq_work(&to->wake, wake_reader);
		buf = *per_cpu_ptr(relay->buf, cpu);
		if (!buf) {
			shut_ring(cpu);
			continue;
		}
		xenrelay_ring_init(&to->ring, buf->start, bytes, RECORD_SIZE, overwrite,
				   &stream->producer, &stream->losses, &stream->consumer);
		xr_ring_init(&stream->reader, buf->start, bytes / RECORD_SIZE,
			     RECORD_SIZE, overwrite, &stream->producer, &stream->losses,
			     &stream->consumer);
		stream->stage = kvmalloc_array(1 + STAGE_LENGTH, RECORD_SIZE, GFP_KERNEL);
		if (!stream->stage)
			return -ENOMEM;
	}
	return 0;
}

/**
 * struct start_args - what a start command says
 * @version:	of the protocol
 * @subbuf_kb:	a part of a CPU's buffer
 * @nr_subbufs:	parts of it
 * @ops:	operations that are recorded, by enum xblk_op; 0: all
 * @merges:	merges are recorded
 */
struct start_args {
	unsigned int version;
	unsigned int subbuf_kb;
	unsigned int nr_subbufs;
	u8 ops;
	bool merges;
};

static int parse_start_arg(struct start_args *start, const char *key, const char *value)
{
	if (!strcmp(key, XBLK_CONTROL_KEY_VERSION))
		return kstrtouint(value, 10, &start->version);
	if (!strcmp(key, XBLK_CONTROL_KEY_SUBBUF_KB))
		return kstrtouint(value, 10, &start->subbuf_kb);
	if (!strcmp(key, XBLK_CONTROL_KEY_NR_SUBBUFS))
		return kstrtouint(value, 10, &start->nr_subbufs);
	if (!strcmp(key, XBLK_CONTROL_KEY_MODE))
		return parse_mode(value);
	if (!strcmp(key, XBLK_CONTROL_KEY_OPS))
		return kstrtou8(value, 10, &start->ops);
	if (!strcmp(key, XBLK_CONTROL_KEY_MERGES))
		return kstrtobool(value, &start->merges);
	return -EINVAL;
}

/* What comes behind another version may mean anything. */
static int parse_start(struct start_args *start, char *args)
{
	int err = 0;
	char *arg;

	while (!err && (arg = strsep(&args, " "))) {
		char *value = arg;
		char *key = strsep(&value, "=");

		err = value ? parse_start_arg(start, key, value) : -EINVAL;
		if (!err && start->version != XBLK_CONTROL_VERSION) {
			pr_warn("a program wants version %u of the control protocol, this module has %u\n",
				start->version, XBLK_CONTROL_VERSION);
			return -EPROTO;
		}
	}
	return err;
}

static int session_start(char *args, struct dentry *dir)
{
	struct start_args start = {
		.subbuf_kb = XBLK_CONTROL_DEFAULT_SUBBUF_KB,
		.nr_subbufs = XBLK_CONTROL_DEFAULT_NR_SUBBUFS,
		.merges = true,
	};
	size_t bytes;
	int err;

	if (relay)
		return -EBUSY;
	overwrite = false;
	err = parse_start(&start, args);
	if (err)
		return err;
	if (!start.subbuf_kb || start.nr_subbufs < 2 ||
	    start.subbuf_kb > XBLK_CONTROL_MAX_BUFFER_KB / start.nr_subbufs)
		return -EINVAL;
	/* Relay's allocation would rather kill processes than fail. */
	if ((u64)start.subbuf_kb * start.nr_subbufs * num_online_cpus() >
	    (u64)si_mem_available() << (PAGE_SHIFT - 10) >> 1)
		return -ENOMEM;

	bytes = (size_t)start.subbuf_kb * 1024 * start.nr_subbufs;
	/* A CPU that comes up in between would have no buffer. */
	cpus_read_lock();
	relay = relay_open(XBLK_CONTROL_TRACE, dir, start.subbuf_kb * 1024,
			   start.nr_subbufs, &relay_callbacks, NULL);
	cpus_read_unlock();
	if (!relay)
		return -ENOMEM;
	err = streams_init(bytes);
	if (err)
		goto err_buffers;
	xblk_emit_reset(overwrite ? bytes / RECORD_SIZE / 4 : 0);
	xblk_choose_ops(start.ops);
	xblk_choose_merges(start.merges);
	tracing = true;
	err = probes_attach();
	if (err)
		goto err_buffers;
	traced_show();
	return 0;

err_buffers:
	tracing = false;
	buffers_free();
	return err;
}

static void session_stop(void)
{
	if (!tracing)
		return;
	/* Detaching from a function takes up to a second, in which nobody reads. */
	traced_hide();
	probes_forget();
	probes_detach();
	/* Pairs with refill()'s load-acquire. */
	smp_store_release(&tracing, false);
}

/**
 * session_command() - carry out a line of the control protocol
 * @command:	the line, which is cut up
 * @dir:	where the relay files go
 *
 * Context: process.  Return: 0, or an error as the protocol has it.
 */
int session_command(char *command, struct dentry *dir)
{
	char *verb = strsep(&command, " ");
	int err = -EINVAL;

	mutex_lock(&session_lock);
	if (!strcmp(verb, XBLK_CONTROL_START) && command) {
		err = session_start(command, dir);
	} else if (!strcmp(verb, XBLK_CONTROL_ADD) && command) {
		/* Between a stop and the end nothing can be. */
		err = tracing || !relay ? traced_add(command) : -EINVAL;
	} else if (!strcmp(verb, XBLK_CONTROL_STOP) && !command) {
		session_stop();
		err = 0;
	}
	mutex_unlock(&session_lock);
	return err;
}

/**
 * session_end() - stop, and give the buffers back.  Context: process.
 */
void session_end(void)
{
	mutex_lock(&session_lock);
	session_stop();
	traced_free();
	buffers_free();
	mutex_unlock(&session_lock);
}

static u64 produced(const struct session_stream *stream)
{
	return READ_ONCE(stream->producer.ring.head);
}

/**
 * session_level() - records that wait to be read from the fullest of the buffers
 *
 * Of those that were written before the call.  Context: process.
 */
u64 session_level(void)
{
	struct session_stream *stream;
	size_t staged, taken;
	u64 most = 0;
	int cpu;

	mutex_lock(&session_lock);
	for_each_possible_cpu (cpu) {
		stream = per_cpu_ptr(&streams, cpu);
		if (!stream->stage)
			continue;
		stream->looked_at = produced(stream);
		/* Both may change at any moment, each for itself. */
		staged = READ_ONCE(stream->staged);
		taken = READ_ONCE(stream->taken);
		stream->waited = xr_ring_level(&stream->reader) +
				 (staged > taken ? staged - taken : 0);
		most = max(most, stream->waited);
	}
	mutex_unlock(&session_lock);
	return most;
}

/* Counted from where the reader looked. */
static u64 more_to_wake(const struct session_stream *stream)
{
	u64 capacity = stream->reader.capacity;

	return clamp(stream->waited, capacity / WAKE_LEAST, capacity / WAKE_MOST);
}

/**
 * session_poll() - have the caller woken when a buffer has got a part fuller
 * @file:	as for any poll()
 * @wait:	likewise
 *
 * Than when session_level() told how full they were: so a reader may look, and sleep on.
 * Of what fills in step with the buffers, whatever its size, nothing becomes more than
 * twice as full before the next look; a burst in a guest may fill its ring some twenty
 * times as fast, as when many small requests are merged.
 *
 * Return: EPOLLIN if one has already.
 */
__poll_t session_poll(struct file *file, struct poll_table_struct *wait)
{
	struct session_stream *stream;
	__poll_t ready = 0;
	u64 wake_at;
	int cpu;

	poll_wait(file, &session_wait, wait);
	mutex_lock(&session_lock);
	for_each_possible_cpu (cpu) {
		stream = per_cpu_ptr(&streams, cpu);
		if (!stream->stage)
			continue;
		wake_at = stream->looked_at + more_to_wake(stream);
		WRITE_ONCE(per_cpu(session_rings, cpu).ring.tell_at, wake_at);
		/* If the producer misses it now, its next record does not. */
		if (produced(stream) >= wake_at)
			ready = EPOLLIN | EPOLLRDNORM;
	}
	mutex_unlock(&session_lock);
	return ready;
}

/**
 * session_show() - the counters, since the start
 * @s:	where to
 *
 * Once all has been read after a stop: produced = records read, but for those
 * that mark a loss, + lost.
 */
void session_show(struct seq_file *s)
{
	const struct session_stream *stream;
	const struct xenrelay_ring *ring;
	int cpu;

	mutex_lock(&session_lock);
	for_each_possible_cpu (cpu) {
		stream = per_cpu_ptr(&streams, cpu);
		ring = &per_cpu(session_rings, cpu).ring;
		if (relay)
			seq_printf(s,
				   XBLK_CONTROL_STAT_CPU
				   " %d produced %llu lost %llu marks %llu\n",
				   cpu, ring->head + ring->lost,
				   ring->overwrite ? stream->reader.lost : ring->lost,
				   stream->marks);
	}
	mutex_unlock(&session_lock);
}
