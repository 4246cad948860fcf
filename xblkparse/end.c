// SPDX-License-Identifier: GPL-2.0-only
/* The capture's own account of its streams, and whether it holds. */
#include "parse.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "msg.h"
#include "util.h"

static bool get_u64(uint64_t *to, const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*to = json_integer_value(v);
	return true;
}

static int end_stream(struct parse *p, const json_t *j)
{
	uint64_t domid, cpu;
	struct stream *s;

	if (!get_u64(&domid, j, "domid") || domid > UINT16_MAX ||
	    !get_u64(&cpu, j, "cpu") || cpu > UINT32_MAX)
		return -1;
	s = merge_stream(&p->merge, domid, cpu);
	if (!s || !get_u64(&s->end_produced, j, "produced") ||
	    !get_u64(&s->end_written, j, "written") || !get_u64(&s->end_lost, j, "lost"))
		return -1;
	/* LOST records that no producer wrote; early captures had none. */
	s->end_marks = 0;
	get_u64(&s->end_marks, j, "marks");
	s->has_end = true;
	return 0;
}

int parse_end(struct parse *p, const char *text, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, 0, &error);
	const json_t *j;
	const char *reason;
	uint64_t n;
	size_t i;
	int ret = 0;

	if (!root)
		return msg_error("end of the capture: %s (line %d)", error.text,
				 error.line);
	reason = json_string_value(json_object_get(root, "reason"));
	if (reason)
		copy_printable(p->reason, sizeof(p->reason), reason, strlen(reason));
	get_u64(&p->duration_ns, root, "duration_ns");
	json_array_foreach (json_object_get(root, "streams"), i, j) {
		if (end_stream(p, j)) {
			msg_say("end of the capture: a stream's account makes no sense");
			ret = -1;
		}
	}
	json_array_foreach (json_object_get(root, "events_sent"), i, j) {
		if (get_u64(&n, j, "events"))
			p->events_sent = add_sat(p->events_sent, n);
	}
	json_decref(root);
	return ret;
}

bool parse_conserved(const struct parse *p)
{
	bool good = true;

	for (unsigned int i = 0; i < p->merge.nr_streams; i++) {
		const struct stream *s = p->merge.streams[i];

		if (!s->has_end)
			continue;
		if (s->end_produced == add_sat(s->end_written, s->end_lost) &&
		    add_sat(s->end_written, s->end_marks) == s->found)
			continue;
		msg_say("conservation: violated: domain %u, cpu %u: %" PRIu64
			" produced, %" PRIu64 " written, %" PRIu64 " lost, %" PRIu64
			" marks of a loss, %" PRIu64 " found",
			s->dom->domid, s->cpu, s->end_produced, s->end_written,
			s->end_lost, s->end_marks, s->found);
		good = false;
	}
	return good;
}

/* Records of it, or the capture's word that it made none. */
static bool accounted_for(const struct parse *p, const struct domain *dom)
{
	for (unsigned int i = 0; i < p->merge.nr_streams; i++) {
		const struct stream *s = p->merge.streams[i];

		if (s->dom == dom && (s->found || s->has_end))
			return true;
	}
	return false;
}

bool parse_sides(const struct parse *p)
{
	const struct domain *backend = p->model.backend;
	bool issued = false, good = true;

	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		if (d->dom->backend)
			continue;
		issued |= d->backing && d->stats.guest.issued;
		if (!d->stats.backend.bios || accounted_for(p, d->dom))
			continue;
		msg_say("domain %u: dom0 served its %s, but the trace has no record of it",
			d->dom->domid, d->label);
		good = false;
	}
	if (issued && backend && !accounted_for(p, backend)) {
		msg_say("dom0: the trace has no record of it, so no request can be followed");
		good = false;
	}
	return good;
}
