// SPDX-License-Identifier: GPL-2.0-only
/* The metadata's JSON -> the model. */
#include "input/model.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "input/devid.h"

static void get_name(char *to, const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	if (s && *s)
		copy_printable(to, NAME_LEN, s, strlen(s));
}

static bool get_u64(uint64_t *to, const json_t *object, const char *key, uint64_t max)
{
	const json_t *v = json_object_get(object, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > max)
		return false;
	*to = json_integer_value(v);
	return true;
}

/* How many of the domain's disks had the name so far. */
static unsigned int namesakes(const struct domain *dom, const char *name)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < dom->nr_disks; i++) {
		const struct disk *d = dom->disks[i];

		if (d && d->namesake > nr && !strcmp(d->name, name))
			nr = d->namesake;
	}
	return nr;
}

static void set_name(struct disk *d, const char *name)
{
	strcpy(d->name, name);
	d->namesake = namesakes(d->dom, name) + 1;
	if (d->namesake == 1)
		strcpy(d->label, name);
	else
		snprintf(d->label, sizeof(d->label), "%s#%u", name, d->namesake);
}

/*
 * The disk at @index.  Another one than a former metadata had there becomes
 * a disk of its own, so that what was counted stays with its disk.  NULL if
 * there are too many.
 */
static struct disk *set_disk(struct model *m, struct domain *dom, unsigned int index,
			     unsigned int devid, const char *name, const char *dev)
{
	struct disk *d = domain_disk(dom, index);

	if (d) {
		if (d->devid == devid && !strcmp(d->name, name) && !strcmp(d->dev, dev))
			return d;
		d->gone = true;
	}
	if (m->nr_disks == MAX_ALL_DISKS)
		return NULL;
	if (index >= dom->nr_disks) {
		dom->disks = xrealloc(dom->disks, (index + 1) * sizeof(*dom->disks));
		memset(dom->disks + dom->nr_disks, 0,
		       (index + 1 - dom->nr_disks) * sizeof(*dom->disks));
		dom->nr_disks = index + 1;
	}
	d = xcalloc(1, m->disk_size);
	d->dom = dom;
	d->older = dom->newest;
	dom->newest = d;
	d->nr = m->nr_disks;
	d->index = index;
	d->devid = devid;
	set_name(d, name);
	strcpy(d->dev, dev);
	m->all_disks = xrealloc(m->all_disks, (m->nr_disks + 1) * sizeof(*m->all_disks));
	m->all_disks[m->nr_disks++] = d;
	dom->disks[index] = d;
	return d;
}

static int bad(const struct model *m, const char *what)
{
	return tell(m->tell, "metadata: %s", what);
}

static struct disk *meta_disk(struct model *m, struct domain *dom, const json_t *j)
{
	char name[NAME_LEN] = "?", dev[NAME_LEN] = "";
	uint64_t index, devid = 0;

	if (!get_u64(&index, j, "index", MAX_DISKS - 1))
		return NULL;
	get_name(name, j, "name");
	get_name(dev, j, "dev");
	get_u64(&devid, j, "devid", UINT32_MAX);
	return set_disk(m, dom, index, devid, name, dev);
}

/* A guest's module may be another one in a later connection: then some are missing. */
static void meta_merges(struct domain *dom, const json_t *of)
{
	dom->no_merges |= json_is_false(json_object_get(of, "merges"));
}

/* The backend's are not known yet where the list is empty: others are always there. */
static void meta_probes(struct domain *dom, const json_t *of)
{
	const json_t *names = json_object_get(of, "probes"), *j;
	size_t i;

	if (!json_is_array(names) || (dom->backend && !json_array_size(names)))
		return;
	dom->probes_told = true;
	dom->probes = 0;
	json_array_foreach (names, i, j) {
		for (int p = 0; p < PROBE_MAX; p++) {
			if (json_is_string(j) &&
			    !strcmp(json_string_value(j), probe_names[p]))
				dom->probes |= 1u << p;
		}
	}
}

static int meta_backend(struct model *m, const json_t *backend)
{
	struct domain *dom;
	uint64_t domid = 0;
	size_t i;
	const json_t *j;

	if (!json_is_object(backend) || !get_u64(&domid, backend, "domid", UINT16_MAX))
		return bad(m, "it does not say which domain the backend is");
	dom = model_domain(m, domid);
	if (!dom)
		return bad(m, "too many domains");
	if ((m->backend && m->backend != dom) || (!dom->backend && dom->nr_disks))
		return bad(m, "the backend domain changes");
	m->backend = dom;
	dom->backend = true;
	dom->described = true;
	get_u64(&dom->uncertainty_ns, backend, "clock_uncertainty_ns", UINT64_MAX);
	meta_probes(dom, backend);
	meta_merges(dom, backend);
	json_array_foreach (json_object_get(backend, "disks"), i, j) {
		struct disk *d = meta_disk(m, dom, j);
		uint64_t of;

		if (!d)
			return bad(
				m,
				"a disk of the backend has no usable index, or there are "
				"too many");
		get_name(d->scheduler, j, "scheduler");
		d->whole = d->index;
		if (get_u64(&of, j, "part_of", MAX_DISKS - 1))
			d->whole = of;
	}
	return 0;
}

/* Records name the whole disk, so a partition stands for the disk it is on. */
static struct disk *whole_disk(const struct model *m, uint64_t index)
{
	const struct disk *d = domain_disk(m->backend, index);

	return d ? domain_disk(m->backend, d->whole) : NULL;
}

/* A domain id that has come to another guest: its disks are others, too. */
static void other_guest(const struct model *m, struct domain *dom, const json_t *guest)
{
	char uuid[NAME_LEN] = "";

	get_name(uuid, guest, "uuid");
	if (*dom->uuid && *uuid && strcmp(dom->uuid, uuid)) {
		tell(m->tell, "metadata: domain %u is another guest from here on",
		     dom->domid);
		for (unsigned int i = 0; i < dom->nr_disks; i++) {
			if (dom->disks[i])
				dom->disks[i]->gone = true;
			dom->disks[i] = NULL;
		}
	}
	if (*uuid)
		strcpy(dom->uuid, uuid);
}

static int meta_guest(struct model *m, const json_t *guest)
{
	struct domain *dom;
	uint64_t domid;
	size_t i;
	const json_t *j;

	if (!get_u64(&domid, guest, "domid", UINT16_MAX))
		return bad(m, "a guest has no usable domid");
	dom = model_domain(m, domid);
	if (!dom)
		return bad(m, "too many domains");
	if (dom->backend)
		return bad(m, "a guest is the backend as well");
	if (!dom->described && m->nr_metas)
		dom->begins_ns = m->meta_ns;
	dom->described = true;
	other_guest(m, dom, guest);
	get_name(dom->name, guest, "name");
	get_u64(&dom->uncertainty_ns, guest, "clock_uncertainty_ns", UINT64_MAX);
	meta_probes(dom, guest);
	meta_merges(dom, guest);
	json_array_foreach (json_object_get(guest, "disks"), i, j) {
		struct disk *d = meta_disk(m, dom, j);
		uint64_t index;

		if (!d)
			return bad(m,
				   "a guest's disk has no usable index, or there are too "
				   "many");
		strcpy(d->guest, dom->name);
		strcpy(d->uuid, dom->uuid);
		devid_name(d->device, sizeof(d->device), d->devid);
		d->backing = NULL;
		d->start_sector = 0;
		get_u64(&d->start_sector, j, "start_sector", UINT64_MAX);
		if (get_u64(&index, j, "backend_disk", MAX_DISKS - 1))
			d->backing = whole_disk(m, index);
	}
	return 0;
}

static void meta_ops(struct model *m, const json_t *names)
{
	char name[NAME_LEN];
	const json_t *j;
	size_t i, used = 0;

	if (!json_array_size(names))
		return;
	m->no_writes = true;
	json_array_foreach (names, i, j) {
		if (!json_is_string(j))
			continue;
		copy_printable(name, sizeof(name), json_string_value(j),
			       json_string_length(j));
		m->no_writes &= strcmp(name, "write") != 0;
		if (used >= sizeof(m->ops))
			continue;
		used += snprintf(m->ops + used, sizeof(m->ops) - used, "%s%s",
				 used ? ", " : "", name);
	}
}

static bool other_host(const struct model *m, const json_t *root)
{
	char host[NAME_LEN] = "";

	get_name(host, root, "host");
	return *m->host && *host && strcmp(m->host, host) != 0;
}

int model_meta(struct model *m, const json_t *root)
{
	const json_t *j;
	int ret;
	size_t i;

	if (other_host(m, root)) {
		m->other_host = true;
		return -1;
	}
	get_name(m->host, root, "host");
	get_name(m->tool, root, "tool");
	meta_ops(m, json_object_get(root, "ops"));
	ret = meta_backend(m, json_object_get(root, "backend"));
	json_array_foreach (json_object_get(root, "guests"), i, j) {
		if (ret)
			break;
		ret = meta_guest(m, j);
	}
	m->nr_metas++;
	m->names++;
	return ret;
}
