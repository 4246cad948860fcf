/* SPDX-License-Identifier: GPL-2.0-only */
/* Why and when a capture ends: as it is told to, or for want of something. */
#ifndef XBLKTRACE_ENDING_H
#define XBLKTRACE_ENDING_H

#include <stdbool.h>
#include <stdint.h>

struct capture;

/* End, for the first of several reasons: guests are asked to stop, and waited for. */
void capture_stop(struct capture *c, const char *reason);

/*
 * Whether it ends, or has been told to and does not know yet: asked between the steps of
 * whatever takes many requests to XenStore, the rest of which is not wanted then.
 */
bool capture_is_to_end(const struct capture *c);

/* A guest has done so: those that have not are not waited for much longer. */
void capture_guest_stopped(struct capture *c);

/* How long that took, once it is over, for who wants to know. */
void capture_tell_wait(const struct capture *c);

/* An error that has been told: end as soon as possible. */
void capture_fail(struct capture *c, const char *reason);

/* Likewise if writing has failed, which is told once. */
void capture_check_output(struct capture *c);

/* Likewise told, once of each file, if its name is not its own any more; it goes on. */
void capture_check_name(struct capture *c);

/* See how the output takes what is there for it; in each turn. */
void capture_watch_output(struct capture *c);

/* Whether it has taken nothing for a second, though there is something for it. */
bool capture_output_stalls(const struct capture *c);

/* Whether it has taken nothing for so long that it will not; a disk may just be slow. */
bool capture_output_is_stuck(const struct capture *c);

#endif /* XBLKTRACE_ENDING_H */
