/* SPDX-License-Identifier: GPL-2.0-only */
/* Disks and guests that come and go while a capture runs. */
#ifndef XBLKTRACE_HOTPLUG_H
#define XBLKTRACE_HOTPLUG_H

struct capture;
struct guest;

/* To be told of them from now on.  Return: 0, or -1 after an error message. */
int hotplug_watch(struct capture *c);

/* A guest could not be connected to: it is tried again, but not soon. */
void hotplug_failed(struct guest *guest);

/* What xenrelay_dispatch() has reported. */
void hotplug_changed(struct capture *c, int changed);

/*
 * If something may have come or gone, and the last look was long enough ago: look,
 * and trace what is new.  May wait for new guests to answer; what is traced already
 * is read meanwhile.
 */
void hotplug_look(struct capture *c);

/*
 * Once a second, and for a hundredth of the time at most: look whether a stacked device
 * that is traced lies on other devices than before, and trace these as well.  The kernel
 * tells of no hidden path that comes, so that waiting for its events would not do.
 */
void hotplug_look_below(struct capture *c);

#endif /* XBLKTRACE_HOTPLUG_H */
