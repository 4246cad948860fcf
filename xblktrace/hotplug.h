/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks and guests that come and go while a capture runs. */
#ifndef XBLKTRACE_HOTPLUG_H
#define XBLKTRACE_HOTPLUG_H

struct capture;
struct guest;

/* To be told of them from now on.  Return: 0, or -1 after an error message. */
int hotplug_watch(struct capture *c);

/* What xenrelay_dispatch() has reported. */
void hotplug_changed(struct capture *c, int changed);

/*
 * One turn, which waits for nothing; whatever takes longer goes on in the next one.
 *
 * Where something may have come or gone, and the last look was long enough ago, looks.
 * Once a second, and for a hundredth of the time at most, also whether a stacked device
 * that is traced lies on other devices than before: the kernel tells nobody of that.
 * What is new is described in the trace, then traced here, then in the guests.
 */
void hotplug_turn(struct capture *c);

#endif /* XBLKTRACE_HOTPLUG_H */
