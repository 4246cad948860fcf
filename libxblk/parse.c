// SPDX-License-Identifier: GPL-2.0-only
#include "parse.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static void tell_and_join(void *ctx, struct stream *s, const struct xblk_record *r)
{
	struct parse *p = ctx;

	p->on_event(p->ctx, s, r);
	s->sequence += r->event == EV_GAP ? r->lost.count : 1;
	join_emit[r->event][s->dom->backend](&p->join, s, r);
}

static const merge_emit_pair tell_and_join_emit[EVENTS] = {
	[0 ... EVENTS - 1] = {tell_and_join, tell_and_join},
};

void parse_init(struct parse *p, reader_read_fn read, void *ctx)
{
	memset(p, 0, sizeof(*p));
	reader_init(&p->reader, read, ctx);
	p->reader.tell = &p->tell;
	model_init(&p->model, sizeof(struct tally_disk));
	p->model.tell = &p->tell;
	merge_init(&p->merge, &p->model);
	join_init(&p->join, &p->model);
	tally_init(&p->tally);
}

void parse_deinit(struct parse *p)
{
	tally_deinit(&p->tally);
	join_deinit(&p->join);
	merge_deinit(&p->merge);
	model_deinit(&p->model);
	reader_deinit(&p->reader);
	free(p->before_cut);
}

/* Two that were put together must not be taken for one: nothing compares. */
static void another(struct parse *p, const char *why)
{
	if (!p->foreign)
		tell(&p->tell,
		     "input: another trace begins at byte %" PRIu64
		     ", and is not used: %s",
		     p->reader.another ? p->reader.another : p->reader.offset, why);
	p->foreign = p->problems = true;
}

/* As reader_next(). */
static int next(struct parse *p, const struct xblk_chunk **c)
{
	int ret = reader_next(&p->reader, c);

	if (p->reader.another)
		another(p, "a header of its own is there");
	return ret;
}

static bool skims(const struct parse *p)
{
	return p->index && (p->row < p->full_row || p->rest);
}

static void data(struct parse *p, const struct xblk_chunk *c)
{
	const struct xblk_record *records = (const void *)(c + 1);
	size_t nr = c->payload / XBLK_RECORD_SIZE;
	struct stream *s = merge_stream(&p->merge, c->domid, c->cpu);

	if (!s) {
		tell(&p->tell,
		     "domain %u, cpu %u: too many streams; its records are not used",
		     c->domid, c->cpu);
		p->problems = true;
		return;
	}
	if (c->payload % XBLK_RECORD_SIZE) {
		tell(&p->tell, "domain %u, cpu %u: a chunk does not hold whole records",
		     c->domid, c->cpu);
		p->problems = true;
	}
	if (s->found && !c->sequence) {
		another(p, "a stream begins again");
		return;
	}
	if (skims(p)) {
		merge_skim(&p->merge, s, c, records, nr);
		join_skim(s, records, nr);
	} else {
		merge_data(&p->merge, s, c, records, nr);
	}
}

/* What a chunk's text says, or NULL after a message. */
static json_t *load(struct parse *p, const struct xblk_chunk *c, const char *of)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)(c + 1), c->payload, 0, &error);

	if (!root)
		tell(&p->tell, "%s: %s (line %d)", of, error.text, error.line);
	return root;
}

static void meta(struct parse *p, const struct xblk_chunk *c)
{
	json_t *root;

	p->model.meta_ns = c->time;
	if (c->time < p->merge.round_ns) {
		another(p, "time goes back");
		return;
	}
	root = load(p, c, "metadata");
	if (!root || model_meta(&p->model, root) < 0 || parse_ended(p, root) < 0 ||
	    parse_counters(p, root) < 0)
		p->problems = true;
	json_decref(root);
	if (p->model.other_host)
		another(p, "it is of another host");
}

static void end(struct parse *p, const struct xblk_chunk *c)
{
	json_t *root = load(p, c, "end of the capture");

	if (!root || parse_end(p, root) < 0)
		p->problems = true;
	json_decref(root);
	p->ended = true;
}

/* What is in flight is as old as it is now. */
static void advance(struct parse *p, uint64_t ns)
{
	p->now_ns = max_u64(p->now_ns, ns);
	p->tally.now_ns = p->now_ns;
}

static void chunk(struct parse *p, const struct xblk_chunk *c)
{
	p->chunks++;
	if (p->foreign)
		return;
	if (p->ended) {
		another(p, "it is behind the end of the capture");
		return;
	}
	if (c->type <= XBLK_CHUNK_END)
		advance(p, c->time);
	if (c->type == XBLK_CHUNK_DATA) {
		data(p, c);
		return;
	}
	switch (c->type) {
	case XBLK_CHUNK_META:
		meta(p, c);
		break;
	case XBLK_CHUNK_ROUND:
		merge_round(&p->merge, c->time);
		join_advance(&p->join, p->merge.processed_ns);
		break;
	case XBLK_CHUNK_END:
		end(p, c);
		break;
	default:
		/* Of a later version that says old readers may skip it. */
		break;
	}
}

static void lost_at_the_end(struct parse *p)
{
	struct stream *s;
	unsigned int at = 0;

	while ((s = merge_next(&p->merge, &at)))
		parse_lost_behind(p, s);
}

void parse_rest(struct parse *p)
{
	if (!p->index || p->rest)
		return;
	p->rest = true;
	p->rest_ns = p->merge.processed_ns;
}

/* Of what is left out, what may change a verdict. */
#define REST_FLAGS (XBLK_INDEX_LOSSES | XBLK_INDEX_META)

/* Behind what is wanted: on to the next row that tells of a loss, or to the end. */
static void next_of_rest(struct parse *p)
{
	const struct index *x = p->index;
	uint64_t offset;
	size_t row;

	if (!reader_where(&p->reader, &offset))
		return;
	row = index_row_at(x, offset);
	/* What is left of the row in which it became the rest may tell of one, too. */
	if (row == x->nr || x->rows[row].flags & REST_FLAGS)
		return;
	while (row < x->nr && !(x->rows[row].flags & REST_FLAGS))
		row++;
	reader_seek(&p->reader, row < x->nr ? x->rows[row].offset : x->end);
}

/* Which row the next chunk is of; at its beginning, rather the next one of use. */
static void next_row(struct parse *p)
{
	const struct index *x = p->index;
	uint64_t offset;
	size_t row;

	if (p->rest) {
		next_of_rest(p);
		return;
	}
	if (!x || p->row >= p->full_row || !reader_where(&p->reader, &offset))
		return;
	while (p->row + 1 < x->nr && x->rows[p->row + 1].offset <= offset)
		p->row++;
	if (x->rows[p->row].offset != offset)
		return;
	for (row = p->row; row < p->full_row && !x->rows[row].flags; row++)
		;
	if (row != p->row)
		reader_seek(&p->reader, x->rows[row].offset);
	p->row = row;
}

/* False: it has not come so far, or is none. */
static bool begin(struct parse *p)
{
	if (reader_open(&p->reader)) {
		p->problems |= !p->reader.waits;
		return false;
	}
	p->began = true;
	if (p->on_event)
		merge_to(&p->merge, tell_and_join_emit, p);
	else
		merge_to(&p->merge, join_emit, &p->join);
	p->merge.start_ns = p->reader.header.xen_ns;
	p->join.now_ns = p->join.start_ns = p->merge.start_ns;
	p->merge.partial = skims(p);
	tally_begin(&p->tally, &p->join);
	next_row(p);
	return true;
}

/* At each round, and where there are none, each MiB: chunks may have one record. */
static inline bool is_progress(const struct parse *p)
{
	return p->told_round_ns != p->merge.round_ns ||
	       p->reader.offset - p->told_offset >= 1 << 20;
}

/* False: it is to stop. */
static bool progress(struct parse *p)
{
	p->told_round_ns = p->merge.round_ns;
	p->told_offset = p->reader.offset;
	return !p->on_progress || p->on_progress(p->ctx, p);
}

bool parse_some(struct parse *p)
{
	const struct xblk_chunk *c;
	int ret;

	if (p->stopped)
		return false;
	if (!p->began && !begin(p))
		return p->reader.waits;
	while ((ret = next(p, &c)) > 0) {
		chunk(p, c);
		if ((p->stop && *p->stop) || (is_progress(p) && !progress(p))) {
			p->stopped = true;
			break;
		}
		next_row(p);
	}
	if (ret == -1) {
		tell(&p->tell, "input: %s", strerror(p->reader.error));
		p->problems = true;
	}
	return ret == -EAGAIN;
}

void parse_finish(struct parse *p)
{
	if (!p->began)
		return;
	lost_at_the_end(p);
	if (!p->ended)
		parse_begin_cut(p);
	merge_finish(&p->merge);
	advance(p, p->join.now_ns);
	if (p->on_end)
		p->on_end(p->ctx, p);
	if (p->before_cut)
		parse_finish_cut(p);
	else
		join_finish(&p->join);
	tally_finish(&p->tally);
	p->problems |= p->reader.damaged > 0;
	/* What it ends before has been told of where another one begins. */
	p->problems |= !p->ended && !p->stopped;
	if (!p->ended && !p->stopped && !p->foreign)
		tell(&p->tell,
		     "input: capture did not end in good order; %" PRIu64
		     " records usable",
		     p->join.records);
	/* Of a part of the trace its counters say nothing, nor what is not in it. */
	p->conserved = true;
	if (p->stopped || p->rest || p->merge.partial)
		return;
	p->conserved = parse_conserved(p);
	p->problems |= !p->conserved || !parse_sides(p);
}

void parse_run(struct parse *p)
{
	parse_some(p);
	parse_finish(p);
}

uint64_t parse_from_ns(const struct parse *p)
{
	return p->merge.partial ? p->index->rows[p->full_row].time : p->join.start_ns;
}

uint64_t stream_lost(const struct stream *s)
{
	uint64_t lost = s->lost > s->end_lost ? s->lost : s->end_lost;

	return add_sat(lost, s->missing);
}

static void add_account(struct account *a, const struct stream *s)
{
	a->found += s->found;
	a->invalid += s->invalid;
	a->late += s->late;
	a->lost = add_sat(a->lost, stream_lost(s));
}

void parse_account(const struct parse *p, const struct domain *dom, struct account *a)
{
	const struct stream *s;
	unsigned int at = 0;

	memset(a, 0, sizeof(*a));
	if (dom) {
		for (s = dom->streams; s; s = s->sibling)
			add_account(a, s);
		return;
	}
	while ((s = merge_next(&p->merge, &at)))
		add_account(a, s);
}
