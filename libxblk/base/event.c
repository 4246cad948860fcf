// SPDX-License-Identifier: GPL-2.0-only
#include "base/event.h"

#include "xblk.h"

const struct event_kind event_kinds[256] = {
#define XBLK_EVENT(number, name, letter, by, fields, id, aux, text) \
	[number] = {letter, by, fields},
#include <xblk/events.def>
};

char event_letter(unsigned int event)
{
	/* What is missing is lost, too. */
	char letter =
		event_kinds[event == XBLK_EVENT_GAP ? XBLK_EV_LOST : event & 0xff].letter;

	return letter ? letter : '?';
}
