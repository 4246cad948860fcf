// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt that came before what it would have to tell of was for earlier
 * requests: the other side was awake already and found this one by itself, so
 * no time was spent on notification.
 */
#include "substages.h"

#include "join.h"
#include "util.h"

const char *const substage_names[SUB_MAX] = {
	[SUB_NOTIFY] = "notify",      [SUB_WAKE] = "wake",     [SUB_MAP] = "map",
	[SUB_LAYERS] = "layers",      [SUB_QUEUE] = "queue",   [SUB_UNMAP] = "unmap",
	[SUB_NOTIFY_BACK] = "notify", [SUB_FINISH] = "finish",
};

const enum stage substage_of[SUB_MAX] = {
	[SUB_NOTIFY] = STAGE_U_T,      [SUB_WAKE] = STAGE_U_T,	  [SUB_MAP] = STAGE_U_T,
	[SUB_LAYERS] = STAGE_0_Q2D,    [SUB_QUEUE] = STAGE_0_Q2D, [SUB_UNMAP] = STAGE_0_T,
	[SUB_NOTIFY_BACK] = STAGE_0_T, [SUB_FINISH] = STAGE_0_T,
};

static uint64_t clamp(uint64_t ns, uint64_t from, uint64_t to)
{
	return ns < from ? from : ns > to ? to : ns;
}

static void add(struct hist *hists[SUB_MAX], enum substage s, uint64_t ns)
{
	if (!hists[s])
		hists[s] = xcalloc(1, sizeof(*hists[s]));
	hist_add(hists[s], ns);
}

void substages_add(struct hist *hists[SUB_MAX], const struct rq *rq)
{
	const struct waypoints *way = &rq->way;
	uint64_t thread, interrupt, response;

	/* Without the interrupt, how much of it was notification is not known. */
	if (way->thread_ns && way->interrupt_ns) {
		thread = clamp(way->thread_ns, rq->d_ns, rq->chain.q_ns);
		interrupt = clamp(way->interrupt_ns, rq->d_ns, thread);
		add(hists, SUB_NOTIFY, interrupt - rq->d_ns);
		add(hists, SUB_WAKE, thread - interrupt);
		add(hists, SUB_MAP, rq->chain.q_ns - thread);
	}
	/* Of a device with nothing below it this would be the stage once more. */
	if (way->lowest_q_ns > rq->chain.q_ns && way->lowest_q_ns <= rq->chain.d_ns) {
		add(hists, SUB_LAYERS, way->lowest_q_ns - rq->chain.q_ns);
		add(hists, SUB_QUEUE, rq->chain.d_ns - way->lowest_q_ns);
	}
	if (way->response_ns && way->front_interrupt_ns) {
		response = clamp(way->response_ns, rq->chain.c_ns, rq->c_ns);
		interrupt = clamp(way->front_interrupt_ns, response, rq->c_ns);
		add(hists, SUB_UNMAP, response - rq->chain.c_ns);
		add(hists, SUB_NOTIFY_BACK, interrupt - response);
		add(hists, SUB_FINISH, rq->c_ns - interrupt);
	}
}
