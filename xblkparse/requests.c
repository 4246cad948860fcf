// SPDX-License-Identifier: GPL-2.0-only
/* --requests: a line a guest request, as it ends. */
#include "output.h"

#include <inttypes.h>

void request_titles(FILE *out)
{
	fprintf(out, "#%11s %4s %12s %6s %14s %5s %3s %3s %-13s", "disk", "op", "sector",
		"nr", "queued_s", "bios", "0-b", "rq", "bin");
	for (int i = 0; i < STAGE_MAX; i++)
		fprintf(out, " %7s_us", stage_names[i]);
	fputc('\n', out);
}

static void print_us(FILE *out, int64_t ns)
{
	uint64_t abs_ns = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char text[32];

	snprintf(text, sizeof(text), "%s%" PRIu64 ".%03u", ns < 0 ? "-" : "",
		 abs_ns / 1000, (unsigned int)(abs_ns % 1000));
	fprintf(out, " %10s", text);
}

void request_print(FILE *out, const struct parse *p, const struct filter *f,
		   const struct rq *rq, enum bin bin, const int64_t stages[STAGE_MAX])
{
	bool known = !(rq->flags & RQ_NO_Q);
	char name[LABEL_LEN + 16], op[16];

	if (!filter_disk(f, rq->disk))
		return;
	snprintf(name, sizeof(name), "%u:%s", rq->disk->dom->domid, rq->disk->label);
	op_letters(op, rq->op, rq->nr_sectors);
	fprintf(out, "%12s %4s %12" PRIu64 " %6u ", name, op, rq->sector, rq->nr_sectors);
	if (known)
		fprintf(out, "%14.9f",
			(double)(int64_t)(rq->q_ns - p->merge.start_ns) / 1e9);
	else
		fprintf(out, "%14s", "-");
	fprintf(out, " %5u %3u %3u %-13s", rq->nr_bios, rq->nr_backend_bios, rq->requeues,
		bin_names[bin]);
	for (int i = 0; i < STAGE_MAX; i++) {
		if (stages)
			print_us(out, stages[i]);
		else
			fprintf(out, " %10s", "-");
	}
	fputc('\n', out);
}
