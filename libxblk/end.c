// SPDX-License-Identifier: GPL-2.0-only
/* The capture's own account of its streams, and whether it holds. */
#include "parse.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/util.h"
#include "join/disk.h"
#include "join/verdict.h"

static bool get_u64(uint64_t *to, const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*to = json_integer_value(v);
	return true;
}

/* A stream's account; @marks: LOST records that no producer wrote. */
struct counters {
	uint64_t domid, cpu;
	uint64_t produced, written, lost, marks;
};

/*
 * When writing fails, END tells once more of a guest that may have ended behind what is
 * in the file.
 */
static bool is_known(const struct parse *p, const struct counters *c)
{
	const struct stream *s;
	unsigned int at = 0;

	if (merge_find(&p->merge, c->domid, c->cpu))
		return false;
	while ((s = merge_next(&p->merge, &at))) {
		if (s->dom->domid == c->domid && s->cpu == c->cpu &&
		    s->end_produced == c->produced && s->end_written == c->written &&
		    s->end_lost == c->lost && s->end_marks == c->marks)
			return true;
	}
	return false;
}

static int end_stream(struct parse *p, const json_t *j)
{
	struct counters c = {0};
	struct stream *s;

	if (!get_u64(&c.domid, j, "domid") || c.domid > UINT16_MAX ||
	    !get_u64(&c.cpu, j, "cpu") || c.cpu > UINT32_MAX ||
	    !get_u64(&c.produced, j, "produced") || !get_u64(&c.written, j, "written") ||
	    !get_u64(&c.lost, j, "lost"))
		return -1;
	/* Early captures had none. */
	get_u64(&c.marks, j, "marks");
	if (is_known(p, &c))
		return 0;
	s = merge_stream(&p->merge, c.domid, c.cpu);
	if (!s)
		return -1;
	s->end_produced = c.produced;
	s->end_written = c.written;
	s->end_lost = c.lost;
	s->end_marks = c.marks;
	s->has_end = true;
	return 0;
}

/* The counters of streams, of all or of those that have ended. */
static int take_accounts(struct parse *p, const json_t *of)
{
	const json_t *j;
	uint64_t n;
	size_t i;
	int ret = 0;

	json_array_foreach (json_object_get(of, "streams"), i, j) {
		if (end_stream(p, j)) {
			tell(&p->tell,
			     "end of the capture: a stream's account makes no sense");
			ret = -1;
		}
	}
	json_array_foreach (json_object_get(of, "events_sent"), i, j) {
		if (get_u64(&n, j, "events"))
			p->events_sent = add_sat(p->events_sent, n);
	}
	return ret;
}

void parse_lost_behind(struct parse *p, struct stream *s)
{
	uint64_t in_file = add_sat(s->end_written, s->end_marks), from = s->last_ns;
	/* Of a stream that had none in what was read it is not known where it ends. */
	bool behind = s->has_end && (s->reached || !p->merge.partial) &&
		      s->next_sequence < in_file;
	bool untold = s->has_end && s->end_lost > s->lost;

	/* Where its last record has been left out, and was of later. */
	if (behind && p->rest)
		from = max_u64(from, p->rest_ns);
	else if (behind)
		s->missing = add_sat(s->missing, in_file - s->next_sequence);
	/* What tells of a loss may come late, and is missing. */
	if (behind && !p->rest && untold)
		from = sub_sat(from, JOIN_TOLD_NS);
	if ((behind && !p->rest) || untold)
		join_gap(&p->join, s->dom, from, UINT64_MAX);
}

static void lost_at_cut(struct parse *p)
{
	for (unsigned int i = 0; i < p->model.nr_domains; i++) {
		struct domain *dom = p->model.domains[i];

		if (!dom->ended)
			join_gap(&p->join, dom, p->merge.round_ns, UINT64_MAX);
	}
}

void parse_begin_cut(struct parse *p)
{
	p->before_cut = xcalloc(p->model.nr_domains + 1, sizeof(*p->before_cut));
	for (unsigned int i = 0; i < p->model.nr_domains; i++)
		p->before_cut[i] = p->model.domains[i]->gaps;
	lost_at_cut(p);
}

void parse_finish_cut(struct parse *p)
{
	join_advance(&p->join, UINT64_MAX);
	/* What has not come back by now is in flight, for all that the trace tells. */
	for (unsigned int i = 0; i < p->model.nr_domains; i++)
		p->model.domains[i]->gaps = p->before_cut[i];
	join_finish(&p->join);
	/* What else is not joined may be so for what is missing. */
	lost_at_cut(p);
}

/* Nothing more comes of the guest; what is known of it stays. */
static void end_guest(struct parse *p, struct domain *guest)
{
	struct merge *m = &p->merge;

	for (unsigned int i = 0; i < m->nr_streams; i++) {
		struct stream *s = m->streams[i];

		if (s->dom != guest)
			continue;
		merge_end_stream(m, s);
		parse_lost_behind(p, s);
	}
	join_end_guest(&p->join, guest);
	model_end_guest(&p->model, guest);
}

int parse_ended(struct parse *p, const json_t *root)
{
	const json_t *ended = json_object_get(root, "ended"), *j;
	int ret = take_accounts(p, ended);
	size_t i;

	json_array_foreach (json_object_get(ended, "streams"), i, j) {
		struct domain *dom = NULL;
		uint64_t domid;

		if (get_u64(&domid, j, "domid") && domid <= UINT16_MAX)
			dom = model_find(&p->model, domid);
		if (dom && !dom->backend)
			end_guest(p, dom);
	}
	return ret;
}

int parse_counters(struct parse *p, const json_t *root)
{
	return take_accounts(p, json_object_get(root, "counters"));
}

int parse_end(struct parse *p, const json_t *root)
{
	const char *reason = json_string_value(json_object_get(root, "reason"));

	if (reason)
		copy_printable(p->reason, sizeof(p->reason), reason, strlen(reason));
	get_u64(&p->duration_ns, root, "duration_ns");
	return take_accounts(p, root);
}

bool parse_conserved(const struct parse *p)
{
	const struct stream *s;
	unsigned int at = 0;
	bool good = true;

	while ((s = merge_next(&p->merge, &at))) {
		if (!s->has_end)
			continue;
		if (s->end_produced == add_sat(s->end_written, s->end_lost) &&
		    add_sat(s->end_written, s->end_marks) == s->found)
			continue;
		tell(&p->tell,
		     "conservation: violated: domain %u, cpu %u: %" PRIu64
		     " produced, %" PRIu64 " written, %" PRIu64 " lost, %" PRIu64
		     " marks of a loss, %" PRIu64 " found",
		     s->dom->domid, s->cpu, s->end_produced, s->end_written, s->end_lost,
		     s->end_marks, s->found);
		good = false;
	}
	return good;
}

/* Records of it, or the capture's word that it made none. */
static bool accounted_for(const struct domain *dom)
{
	for (const struct stream *s = dom->streams; s; s = s->sibling) {
		if (s->found || s->has_end)
			return true;
	}
	return false;
}

bool parse_sides(const struct parse *p)
{
	const struct domain *backend = p->model.backend;
	bool issued = false, good = true;

	if (backend && p->model.nr_domains == 1 && accounted_for(backend) &&
	    !p->problems) {
		tell(&p->tell, "metadata: there is no guest in them, and dom0's records "
			       "alone tell of no request");
		return false;
	}
	/* Of metadata that make no sense it has been told. */
	if (!backend && !p->problems) {
		tell(&p->tell,
		     "metadata: there are none that say which domain serves the "
		     "disks: no record can be used");
		return false;
	}
	for (size_t i = 0; i < p->model.nr_disks; i++) {
		const struct disk *d = p->model.all_disks[i];

		if (d->dom->backend)
			continue;
		issued |= d->backing && counts_of(d)->guest.issued;
		if (!counts_of(d)->backend.bios || accounted_for(d->dom))
			continue;
		tell(&p->tell,
		     "domain %u: dom0 served its %s, but the trace has no record of it",
		     d->dom->domid, d->label);
		good = false;
	}
	if (issued && backend && !accounted_for(backend)) {
		tell(&p->tell,
		     "dom0: the trace has no record of it, so no request can be followed");
		good = false;
	}
	return good;
}
