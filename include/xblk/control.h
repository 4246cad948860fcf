/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How xblktrace drives the module xblk-dom0: by lines that it writes to the device
 * XBLK_CONTROL_DEVICE, one a write().  One process at a time can have the device open;
 * closing it, or dying, ends the session.
 *
 *   add [domids=DOMID,...] [disks=MAJOR:MINOR@DISKSEQ,...]
 *	What is traced, before the start or while tracing.  A disk's index in the records
 *	is its place among all that were added; 0:0 is a disk without a device number.
 *	After an error none of the line's are.
 *   start version=N [subbuf_kb=N] [nr_subbufs=N] [mode=discard|overwrite] [ops=N]
 *	 [merges=0|1]
 *	Once; the version comes first.  The buffers are each CPU's.  N of ops has a bit
 *	for each of enum xblk_op that is to be recorded, 0 for all of them; with merges=0
 *	there are no records of merges.  An older module does not understand these two.
 *   stop
 *	No record comes after it; the files can be read until the session ends.
 *
 * Errors: EPROTO (another version), EINVAL (not understood), EBUSY (started already),
 * E2BIG (a line that is too long, or too many disks), ENOMEM (half of the free memory
 * would not do), or what attaching a probe gave.
 *
 * This file must do in the kernel, too.
 */
#ifndef XBLK_CONTROL_H
#define XBLK_CONTROL_H

/* Another one whenever an older module or program could mistake what is written or read. */
#define XBLK_CONTROL_VERSION 1

#define XBLK_CONTROL_DEVICE "xblk-dom0" /* below /dev */
#define XBLK_CONTROL_DIR    "xblk-dom0" /* below debugfs: all that is read */
#define XBLK_CONTROL_STATS  "stats"	/* clock, probes and counters, as text */
#define XBLK_CONTROL_NOW    "now"	/* Xen system time, and how full buffers are */
#define XBLK_CONTROL_TRACE  "trace"	/* and a CPU's number: its records */

#define XBLK_CONTROL_ADD   "add"
#define XBLK_CONTROL_START "start"
#define XBLK_CONTROL_STOP  "stop"

#define XBLK_CONTROL_KEY_DOMIDS	    "domids"
#define XBLK_CONTROL_KEY_DISKS	    "disks"
#define XBLK_CONTROL_KEY_VERSION    "version"
#define XBLK_CONTROL_KEY_SUBBUF_KB  "subbuf_kb"
#define XBLK_CONTROL_KEY_NR_SUBBUFS "nr_subbufs"
#define XBLK_CONTROL_KEY_MODE	    "mode"
#define XBLK_CONTROL_KEY_OPS	    "ops"
#define XBLK_CONTROL_KEY_MERGES	    "merges"

#define XBLK_CONTROL_MODE_DISCARD   "discard"
#define XBLK_CONTROL_MODE_OVERWRITE "overwrite"

#define XBLK_CONTROL_MAX_LINE		4096	     /* bytes */
#define XBLK_CONTROL_MAX_BUFFER_KB	(256 * 1024) /* of one CPU */
#define XBLK_CONTROL_DEFAULT_SUBBUF_KB	256
#define XBLK_CONTROL_DEFAULT_NR_SUBBUFS 8

/* Lines of the stats file; "cpu N produced N lost N marks N" is one for each CPU. */
#define XBLK_CONTROL_STAT_CPU		"cpu"
#define XBLK_CONTROL_STAT_VERSION	"version"
#define XBLK_CONTROL_STAT_UNCERTAINTY	"clock_uncertainty_ns"
#define XBLK_CONTROL_STAT_DRIFT		"clock_drift_ns"
#define XBLK_CONTROL_STAT_JUMPS		"clock_jumps"
#define XBLK_CONTROL_STAT_CLOCK		"clock"
#define XBLK_CONTROL_STAT_PROBES	"probes"
#define XBLK_CONTROL_STAT_MISSING	"missing"
#define XBLK_CONTROL_STAT_RINGS_DROPPED "rings_dropped"

/*
 * Disks that one domain can have traced in one capture.  A record has room for more;
 * xblkparse has not.
 */
#define XBLK_MAX_DISKS 4096

#endif /* XBLK_CONTROL_H */
