// SPDX-License-Identifier: GPL-2.0-only
#include "recording_module.h"

#include <stdlib.h>
#include <string.h>

#include "../../xblktrace/pace.h"
#include "fake_xen.h"
#include "played_module.h"

struct module module;

void module_begin(uint64_t (*clock)(void))
{
	module.nr = 0;
	module.produced = module.lost = module.marks = 0;
	module.clock = clock;
	module.at_drain = module.at_read_stats = NULL;
}

void module_put(struct xblk_record rec)
{
	/* No assertion in here, by a thread of the capture. */
	if (module.nr == MODULE_ROOM)
		abort();
	module.records[module.nr++] = rec;
	module.produced += rec.event != XBLK_EV_LOST;
}

/* A sleep ends as soon as there is anything. */
unsigned int dom0_fullness(const struct dom0 *dom0, uint64_t level)
{
	(void)dom0, (void)level;
	return PACE_AIM_PERMILLE;
}

int dom0_now(struct dom0 *dom0, uint64_t *ns)
{
	(void)dom0;
	fake_hold();
	*ns = module.clock();
	fake_release();
	return 0;
}

int64_t dom0_drain(struct dom0 *dom0, struct writer *w, uint64_t time,
		   unsigned int *permille)
{
	struct writer_stream *stream = &dom0->cpus[0].stream;
	size_t max, done = 0;
	void *room;

	(void)permille;
	fake_hold();
	if (module.at_drain)
		module.at_drain();
	while (done < module.nr && (room = writer_reserve(w, &max))) {
		if (max > module.nr - done)
			max = module.nr - done;
		memcpy(room, module.records + done, max * XBLK_RECORD_SIZE);
		names_note(&dom0->names, room, max);
		writer_commit(w, stream, max, time);
		done += max;
	}
	module.nr -= done;
	memmove(module.records, module.records + done, module.nr * XBLK_RECORD_SIZE);
	fake_release();
	return writer_error(w) ? -1 : (int64_t)done;
}

int dom0_read_stats(struct dom0 *dom0)
{
	struct dom0_cpu *cpu = &dom0->cpus[0];

	if (module.at_read_stats)
		module.at_read_stats();
	fake_hold();
	cpu->produced = module.produced;
	cpu->lost = module.lost;
	cpu->stream.marks += module.marks - cpu->marks;
	cpu->marks = module.marks;
	fake_release();
	return 0;
}
