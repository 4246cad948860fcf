// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt that came before what it would have to tell of was for earlier
 * requests: the other side was awake already and found this one by itself, so
 * no time was spent on notification.
 */
#include "analyse/substages.h"

const char *const substage_names[SUB_MAX] = {
	[SUB_NOTIFY] = "notify",      [SUB_WAKE] = "wake",   [SUB_MAP] = "map",
	[SUB_LAYERS] = "layers",      [SUB_QUEUE] = "queue", [SUB_DEVICE] = "device",
	[SUB_LAYERS_BACK] = "layers", [SUB_UNMAP] = "unmap", [SUB_NOTIFY_BACK] = "notify",
	[SUB_FINISH] = "finish",
};

const enum stage substage_of[SUB_MAX] = {
	[SUB_NOTIFY] = STAGE_U_T,	 [SUB_WAKE] = STAGE_U_T,
	[SUB_MAP] = STAGE_U_T,		 [SUB_LAYERS] = STAGE_0_Q2D,
	[SUB_QUEUE] = STAGE_0_Q2D,	 [SUB_DEVICE] = STAGE_0_D2C,
	[SUB_LAYERS_BACK] = STAGE_0_D2C, [SUB_UNMAP] = STAGE_0_T,
	[SUB_NOTIFY_BACK] = STAGE_0_T,	 [SUB_FINISH] = STAGE_0_T,
};

static uint64_t clamp(uint64_t ns, uint64_t from, uint64_t to)
{
	return ns < from ? from : ns > to ? to : ns;
}

void substages_add(struct hist *hists[SUB_MAX], const struct xblk_request *r,
		   struct room *room)
{
	uint64_t thread, interrupt, response;

	/* Without the interrupt, how much of it was notification is not known. */
	if (r->backend_thread_ns && r->backend_interrupt_ns) {
		thread = clamp(r->backend_thread_ns, r->d_ns, r->backend_q_ns);
		interrupt = clamp(r->backend_interrupt_ns, r->d_ns, thread);
		hist_add(&hists[SUB_NOTIFY], interrupt - r->d_ns, room);
		hist_add(&hists[SUB_WAKE], thread - interrupt, room);
		hist_add(&hists[SUB_MAP], r->backend_q_ns - thread, room);
	}
	/* Of a device with nothing below it this would be the stage once more. */
	if (r->lowest_q_ns > r->backend_q_ns && r->lowest_q_ns <= r->backend_d_ns) {
		hist_add(&hists[SUB_LAYERS], r->lowest_q_ns - r->backend_q_ns, room);
		hist_add(&hists[SUB_QUEUE],
			 r->backend_d_ns - r->lowest_q_ns + r->lowest_requeued_ns, room);
		hist_add(&hists[SUB_DEVICE],
			 r->lowest_c_ns - r->backend_d_ns - r->lowest_requeued_ns, room);
		hist_add(&hists[SUB_LAYERS_BACK], r->backend_c_ns - r->lowest_c_ns, room);
	}
	if (r->response_ns && r->interrupt_ns) {
		response = clamp(r->response_ns, r->backend_c_ns, r->c_ns);
		interrupt = clamp(r->interrupt_ns, response, r->c_ns);
		hist_add(&hists[SUB_UNMAP], response - r->backend_c_ns, room);
		hist_add(&hists[SUB_NOTIFY_BACK], interrupt - response, room);
		hist_add(&hists[SUB_FINISH], r->c_ns - interrupt, room);
	}
}
