// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Which domains offer which channels.
 *
 * What is known of a domain is compared with what has been told of it, so
 * nothing piles up while nobody asks, however fast the guest changes it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover.h"
#include "ask.h"
#include "channel.h"
#include "domains.h"
#include "events.h"
#include "fail.h"
#include "objects.h"
#include "sized.h"

#define INTRODUCE_TOKEN "introduce"

/* Of one domain's list: each look reads up to XENRELAY_MAX_CHANNELS nodes. */
#define LOOK_PERIOD_MS 250
/*
 * Of a driver domain's backends, to whose nodes its guests write: that lists the domains
 * anew and looks at each channel.
 */
#define BACKENDS_PERIOD_MS 250
/*
 * Domains looked at in a turn, and of each so many channels: a look at one that has many
 * goes on in the next turns, as the caller may have other things to do.
 */
#define MAX_LOOKS    8
#define MAX_CHANNELS 4

struct offer {
	char name[XENRELAY_NAME_SIZE];
	bool present;
	bool told; /* to be present */
	uint64_t generation;
	uint64_t generation_told;
};

/**
 * struct xr_domain - a domain that is watched for channels
 * @next:	in the list of all, @in_bucket: in the table by @domid
 * @listed:	it is there, or the caller named it
 * @named:	by the caller, so it stays
 * @there:	it was at the last look
 * @changed:	its channels are to be looked at, not before @look_at
 * @nodes:	of its directory, while a look at them is under way, and NULL else
 * @next_node:	the first that was not looked at yet
 * @seen:	those that were, and may be channels
 */
struct xr_domain {
	struct xr_domain *next;
	struct xr_domain *in_bucket;
	struct xr_watch watch;
	unsigned int domid;
	bool listed;
	bool named;
	bool there;
	bool changed;
	uint64_t look_at;
	char **nodes;
	unsigned int nr_nodes;
	unsigned int next_node;
	unsigned int seen;
	unsigned int nr;
	struct offer offers[XENRELAY_MAX_CHANNELS];
};

static void channels_path(char path[XR_PATH_MAX], unsigned int domid)
{
	snprintf(path, XR_PATH_MAX, "/local/domain/%u/" XENRELAY_XS_DIR, domid);
}

/*
 * A domain's directory of channels.
 * Return: its nodes, to be freed; NULL if there are none, or with *@err set.
 */
static char **read_channels(struct xenrelay_reader *reader, unsigned int domid,
			    unsigned int *nr, int *err)
{
	char path[XR_PATH_MAX];
	char **nodes;

	channels_path(path, domid);
	*err = 0;
	nodes = xr_xs_directory(reader, XBT_NULL, path, nr);
	if (!nodes) {
		*nr = 0;
		if (errno == EACCES)
			*err = xr_fail_access(reader, domid);
		else if (errno != ENOENT)
			*err = xr_fail(reader, -errno, "XenStore: %s: %s", path,
				       strerror(errno));
	}
	return nodes;
}

int xenrelay_list(struct xenrelay_reader *reader, unsigned int domid, char ***names)
{
	unsigned int i, nr;
	char **nodes;
	int n = 0, err = xr_check_reader(reader);

	if (names)
		*names = NULL;
	if (err)
		return err;
	if (!names || domid > XR_MAX_DOMID)
		return -EINVAL;
	nodes = read_channels(reader, domid, &nr, &err);
	if (!nodes)
		return err;

	*names = calloc(XENRELAY_MAX_CHANNELS, sizeof(**names));
	for (i = 0; *names && i < nr && n < XENRELAY_MAX_CHANNELS; i++) {
		if (!xr_name_ok(nodes[i]))
			continue;
		(*names)[n] = strdup(nodes[i]);
		if (!(*names)[n]) {
			xenrelay_list_free(*names, n);
			*names = NULL;
			break;
		}
		n++;
	}
	free(nodes);
	if (!*names)
		return xr_fail(reader, -ENOMEM, "out of memory");
	return n;
}

void xenrelay_list_free(char **names, int nr)
{
	while (names && nr-- > 0)
		free(names[nr]);
	free(names);
}

int xenrelay_get_versions(struct xenrelay_reader *reader, unsigned int domid,
			  const char *channel, uint32_t *oldest, uint32_t *newest)
{
	int err = xr_check_reader(reader);
	char path[XR_PATH_MAX];
	unsigned int len;
	char *s;

	if (oldest && newest)
		*oldest = *newest = 0;
	if (err)
		return err;
	if (!channel || !xr_name_ok(channel) || !oldest || !newest ||
	    domid > XR_MAX_DOMID)
		return -EINVAL;
	snprintf(path, sizeof(path), "/local/domain/%u/" XENRELAY_XS_DIR "/%s/version",
		 domid, channel);
	s = xr_xs_read(reader, XBT_NULL, path, &len);
	if (!s && errno == EACCES)
		return xr_fail_access(reader, domid);
	if (!s)
		return xr_fail(reader, -errno, "XenStore: %s: %s", path, strerror(errno));
	err = xr_parse_versions(s, len, oldest, newest);
	free(s);
	if (err)
		return xr_fail(reader, err,
			       "domain %u, channel %s: its version in XenStore makes no "
			       "sense",
			       domid, channel);
	if (!xr_speaks_version(*oldest, *newest))
		return xr_fail(reader, -EPROTONOSUPPORT,
			       "domain %u, channel %s: no common version of the protocol",
			       domid, channel);
	return 0;
}

static struct offer *find_offer(struct xr_domain *domain, const char *name)
{
	unsigned int i;

	for (i = 0; i < domain->nr; i++)
		if (!strcmp(domain->offers[i].name, name))
			return &domain->offers[i];
	return NULL;
}

static char *read_node(struct xenrelay_reader *reader, unsigned int domid,
		       const char *name, const char *node)
{
	char path[XR_PATH_MAX];

	snprintf(path, sizeof(path), "/local/domain/%u/" XENRELAY_XS_DIR "/%s/%s", domid,
		 name, node);
	return xr_xs_read(reader, XBT_NULL, path, NULL);
}

/* A channel is there as soon as it has a state, the last node that its guest writes. */
static bool has_state(struct xenrelay_reader *reader, unsigned int domid,
		      const char *name)
{
	char *s = read_node(reader, domid, name, "state");

	free(s);
	return s != NULL;
}

/* 0 of an older guest, which does not write it. */
static uint64_t read_generation(struct xenrelay_reader *reader, unsigned int domid,
				const char *name)
{
	char *s = read_node(reader, domid, name, "generation");
	uint64_t generation = 0;
	const char *end = s ? xr_parse_number(s, UINT64_MAX, &generation) : NULL;

	if (!end || *end)
		generation = 0;
	free(s);
	return generation;
}

/* Whether there is something to tell: it came, went, or is another one than was told. */
static bool is_news(const struct offer *offer)
{
	return offer->present != offer->told ||
	       (offer->told && offer->generation != offer->generation_told);
}

/* Those that are gone and known to be are no more. */
static void forget(struct xr_domain *domain)
{
	unsigned int i, n = 0;

	for (i = 0; i < domain->nr; i++)
		if (domain->offers[i].present || domain->offers[i].told)
			domain->offers[n++] = domain->offers[i];
	domain->nr = n;
}

static void add_offer(struct xenrelay_reader *reader, struct xr_domain *domain,
		      const char *name)
{
	struct offer *offer = find_offer(domain, name);

	if (!has_state(reader, domain->domid, name))
		return;
	if (!offer) {
		offer = &domain->offers[domain->nr++];
		*offer = (struct offer){0};
		memcpy(offer->name, name, strlen(name));
	}
	offer->present = true;
	offer->generation = read_generation(reader, domain->domid, name);
}

static void list_again(struct xenrelay_reader *reader)
{
	reader->new_domains = true;
	xr_timer(reader, xr_now_ms());
}

/* Return: 0, or what XenStore says. */
static int begin_look(struct xenrelay_reader *reader, struct xr_domain *domain)
{
	unsigned int i;
	int err = 0;

	reader->stats.looks++;
	domain->changed = false;
	domain->nr_nodes = domain->next_node = domain->seen = 0;
	domain->there = xenrelay_domain_exists(reader, domain->domid);
	if (domain->there)
		domain->nodes =
			read_channels(reader, domain->domid, &domain->nr_nodes, &err);
	else if (domain->listed && reader->every_domain)
		list_again(reader);
	for (i = 0; i < domain->nr; i++)
		domain->offers[i].present = false;
	forget(domain);
	/* Closed since it was asked whether the domain is there. */
	return err == -EACCES ? 0 : err;
}

static void end_look(struct xenrelay_reader *reader, struct xr_domain *domain)
{
	unsigned int i;

	free(domain->nodes);
	domain->nodes = NULL;
	domain->look_at = xr_now_ms() + LOOK_PERIOD_MS;
	for (i = 0; i < domain->nr; i++)
		if (is_news(&domain->offers[i]))
			reader->changed |= XENRELAY_CHANGED_OFFERS;
}

/* Return: whether XenStore was asked. */
static bool look_at_node(struct xenrelay_reader *reader, struct xr_domain *domain,
			 const char *name)
{
	if (!xr_name_ok(name)) {
		reader->stats.bad_names++;
		return false;
	}
	if (domain->seen == XENRELAY_MAX_CHANNELS ||
	    (domain->nr == XENRELAY_MAX_CHANNELS && !find_offer(domain, name))) {
		reader->stats.left_out++;
		return false;
	}
	domain->seen++;
	add_offer(reader, domain, name);
	return true;
}

/* Begin a look, or go on with it, at up to @max channels.  Return: as begin_look(). */
static int look(struct xenrelay_reader *reader, struct xr_domain *domain,
		unsigned int max)
{
	int err = domain->nodes ? 0 : begin_look(reader, domain);

	while (max && domain->next_node < domain->nr_nodes)
		max -= look_at_node(reader, domain, domain->nodes[domain->next_node++]);
	if (domain->next_node == domain->nr_nodes)
		end_look(reader, domain);
	return err;
}

static void domain_changed(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	struct xr_domain *domain =
		(struct xr_domain *)((char *)watch - offsetof(struct xr_domain, watch));

	(void)reader;
	domain->changed = true;
}

static struct xr_domain **bucket_of(struct xenrelay_reader *reader, unsigned int domid)
{
	return &reader->by_domid[domid % XR_BUCKETS];
}

static struct xr_domain *find_domain(struct xenrelay_reader *reader, unsigned int domid)
{
	struct xr_domain *domain = *bucket_of(reader, domid);

	while (domain && domain->domid != domid)
		domain = domain->in_bucket;
	return domain;
}

static int add_domain(struct xenrelay_reader *reader, unsigned int domid,
		      struct xr_domain **out)
{
	struct xr_domain *domain = find_domain(reader, domid), **bucket;
	int err;

	*out = domain;
	if (domain)
		return 0;
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return xr_fail(reader, -ENOMEM, "out of memory");
	domain->domid = domid;
	channels_path(domain->watch.path, domid);
	domain->watch.fired = domain_changed;
	err = xr_watch_start(reader, &domain->watch);
	if (err) {
		free(domain);
		return err;
	}
	domain->changed = true;
	domain->next = reader->domains;
	reader->domains = domain;
	bucket = bucket_of(reader, domid);
	domain->in_bucket = *bucket;
	*bucket = domain;
	*out = domain;
	return 0;
}

static void drop_domain(struct xenrelay_reader *reader, struct xr_domain **link)
{
	struct xr_domain *domain = *link;
	struct xr_domain **bucket = bucket_of(reader, domain->domid);

	xr_watch_stop(reader, &domain->watch);
	*link = domain->next;
	while (*bucket != domain)
		bucket = &(*bucket)->in_bucket;
	*bucket = domain->in_bucket;
	free(domain->nodes);
	free(domain);
}

/* Only the toolstack adds and removes domains there. */
static int list_domains(struct xenrelay_reader *reader)
{
	struct xr_domain *domain;
	unsigned int *domids;
	int i, nr, err = 0;

	reader->new_domains = false;
	nr = xenrelay_list_domains(reader, &domids);
	if (nr < 0)
		return nr;
	for (domain = reader->domains; domain; domain = domain->next)
		domain->listed = domain->named;
	for (i = 0; !err && i < nr; i++) {
		err = add_domain(reader, domids[i], &domain);
		if (!err)
			domain->listed = true;
		/* A driver domain with more guests than XenStore allows it watches. */
		if (err == -ENOSPC)
			err = 0;
	}
	free(domids);
	/* One that has gone may still have to be told of: look() finds that. */
	for (domain = reader->domains; domain; domain = domain->next)
		domain->changed |= !domain->listed;
	return err;
}

void xr_discover_new(struct xenrelay_reader *reader)
{
	struct xr_domain *domain;

	reader->new_domains = reader->every_domain;
	/* One whose nodes were there before it was. */
	for (domain = reader->domains; domain; domain = domain->next)
		domain->changed |= !domain->there;
}

void xr_discover_domains(struct xenrelay_reader *reader)
{
	struct xr_domain *domain;

	/* Those that are no longer in the list are looked at. */
	reader->new_domains = reader->every_domain;
	for (domain = reader->domains; domain; domain = domain->next)
		domain->changed |= domain->named || !reader->every_domain;
}

/* When it is to be looked at; XR_NEVER: not at all. */
static uint64_t time_of_look(const struct xr_domain *domain)
{
	if (domain->nodes)
		return 0;
	return domain->changed ? domain->look_at : XR_NEVER;
}

/*
 * Look at up to @max domains that have changed, and @channels of each, and drop those
 * that are done with.
 */
static int look_at_some(struct xenrelay_reader *reader, unsigned int max,
			unsigned int channels)
{
	struct xr_domain **link = &reader->domains;
	uint64_t at, now = xr_now_ms();
	int err = 0;

	while (*link) {
		struct xr_domain *domain = *link;

		if (now >= time_of_look(domain) && max && !err) {
			max--;
			err = look(reader, domain, channels);
		}
		at = time_of_look(domain);
		if (at != XR_NEVER)
			xr_timer(reader, at > now ? at : now);
		if (!domain->listed && at == XR_NEVER && !domain->nr)
			drop_domain(reader, link);
		else
			link = &domain->next;
	}
	return err;
}

int xr_discover_dispatch(struct xenrelay_reader *reader)
{
	int err;

	if (reader->winding_down)
		return 0;
	err = reader->new_domains ? list_domains(reader) : 0;
	return err ? err : look_at_some(reader, MAX_LOOKS, MAX_CHANNELS);
}

void xr_discover_wind_down(struct xenrelay_reader *reader)
{
	struct xr_domain *domain;

	for (domain = reader->domains; domain; domain = domain->next)
		domain->watch.over = true;
}

/* In a driver domain also what "@releaseDomain" would tell: a guest may have gone. */
static void backends_changed(struct xenrelay_reader *reader, struct xr_watch *watch)
{
	(void)watch;
	xr_domains_changed(reader);
	list_again(reader);
}

static int watch_backends(struct xenrelay_reader *reader)
{
	struct xr_watch *watch = &reader->backends;
	int err;

	if (*watch->path)
		return 0;
	xr_backend_path(reader, watch->path);
	watch->fired = backends_changed;
	watch->period_ms = BACKENDS_PERIOD_MS;
	err = xr_watch_start(reader, watch);
	if (err)
		*watch->path = '\0';
	return err;
}

static int watch_every_domain(struct xenrelay_reader *reader)
{
	int err;

	if (!reader->introduce_watched &&
	    !xr_xs_watch(reader, XR_INTRODUCE_PATH, INTRODUCE_TOKEN))
		return xr_fail(reader, -errno,
			       "XenStore: watching for domains that come: %s",
			       strerror(errno));
	reader->introduce_watched = true;
	reader->every_domain = true;
	err = list_domains(reader);
	return err || !reader->unprivileged ? err : watch_backends(reader);
}

int xenrelay_watch_channels(struct xenrelay_reader *reader, unsigned int domid)
{
	struct xr_domain *domain;
	int err = xr_check_reader(reader);

	if (err)
		return err;
	if (domid == XENRELAY_EVERY_DOMAIN) {
		err = watch_every_domain(reader);
	} else {
		if (domid > XR_MAX_DOMID)
			return -EINVAL;
		err = add_domain(reader, domid, &domain);
		if (!err)
			domain->named = domain->listed = true;
	}
	return err ? err : look_at_some(reader, UINT32_MAX, UINT32_MAX);
}

int xenrelay_unwatch_channels(struct xenrelay_reader *reader)
{
	int err = xr_check_reader(reader);

	if (err)
		return err;
	xr_discover_end(reader);
	if (reader->introduce_watched)
		xr_xs_unwatch(reader, XR_INTRODUCE_PATH, INTRODUCE_TOKEN);
	reader->introduce_watched = false;
	reader->changed &= ~XENRELAY_CHANGED_OFFERS;
	return 0;
}

void xr_discover_end(struct xenrelay_reader *reader)
{
	while (reader->domains)
		drop_domain(reader, &reader->domains);
	if (*reader->backends.path)
		xr_watch_stop(reader, &reader->backends);
	*reader->backends.path = '\0';
	reader->every_domain = reader->new_domains = false;
}

int xenrelay_next_offer(struct xenrelay_reader *reader, struct xenrelay_offer *out)
{
	struct xenrelay_offer now;
	struct xr_domain *domain;
	unsigned int i;
	int err = xr_check_reader(reader);

	if (!err)
		err = xr_check_size(out);
	if (err)
		return err;
	for (domain = reader->domains; domain; domain = domain->next) {
		/* In the middle of a look it is not known what has gone. */
		for (i = 0; !domain->nodes && i < domain->nr; i++) {
			struct offer *offer = &domain->offers[i];

			if (!is_news(offer))
				continue;
			/* Another one in its place: first the one that is known goes. */
			offer->told = !offer->told;
			if (offer->told)
				offer->generation_told = offer->generation;
			now = (struct xenrelay_offer){
				.domid = domain->domid,
				.present = offer->told,
				.generation = offer->generation_told,
			};
			memcpy(now.channel, offer->name, sizeof(now.channel));
			if (!offer->present) {
				/* There may have been no room for another. */
				domain->changed |= domain->nr == XENRELAY_MAX_CHANNELS;
				forget(domain);
				xr_timer(reader, domain->look_at);
			}
			xr_give(out, &now, sizeof(now));
			return 1;
		}
	}
	return 0;
}

int xenrelay_get_watch_stats(const struct xenrelay_reader *reader,
			     struct xenrelay_watch_stats *stats)
{
	int err = xr_check_reader(reader);

	return err ? err : xr_give(stats, &reader->stats, sizeof(reader->stats));
}
