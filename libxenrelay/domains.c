// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Which domains there are.
 *
 * XenStore tells a privileged domain.  A driver domain has to go by what is its own,
 * the directory of its backends, and by what it has been let into.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "ask.h"
#include "fail.h"
#include "objects.h"

static bool may_read_channels(struct xenrelay_reader *reader, unsigned int domid)
{
	char path[XR_PATH_MAX];
	bool may;
	char *s;

	snprintf(path, sizeof(path), "/local/domain/%u/" XENRELAY_XS_DIR, domid);
	s = xr_xs_read(reader, XBT_NULL, path, NULL);
	may = s;
	free(s);
	return may;
}

bool xr_domain_introduced(struct xenrelay_reader *reader, unsigned int domid)
{
	errno = 0;
	return xr_xs_is_domain_introduced(reader, domid) || errno == ETIMEDOUT ||
	       (errno == EACCES && may_read_channels(reader, domid));
}

bool xenrelay_domain_exists(struct xenrelay_reader *reader, unsigned int domid)
{
	char path[XR_PATH_MAX];
	char *s;

	if (xr_check_reader(reader) || domid > XR_MAX_DOMID)
		return false;
	/* Both: the toolstack removes the directory of one that has gone for good. */
	if (!xr_domain_introduced(reader, domid))
		return false;
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	s = xr_xs_read(reader, XBT_NULL, path, NULL);
	if (!s)
		return errno != ENOENT;
	free(s);
	return true;
}

/* Domains, each once: @has says of each number whether it is in the @array. */
struct domids {
	unsigned int *array;
	unsigned int nr;
	bool has[XR_MAX_DOMID + 1];
};

/* Those of a directory's nodes that are numbers of other domains.  Frees @nodes. */
static int add_nodes(struct xenrelay_reader *reader, struct domids *domids, char **nodes,
		     unsigned int nr)
{
	unsigned int *array;
	unsigned int i;
	uint64_t domid;

	array = reallocarray(domids->array, domids->nr + nr + 1, sizeof(*array));
	if (!array) {
		free(nodes);
		return xr_fail(reader, -ENOMEM, "out of memory");
	}
	domids->array = array;
	for (i = 0; i < nr; i++) {
		const char *end = xr_parse_number(nodes[i], XR_MAX_DOMID, &domid);

		if (!end || *end || domid == reader->own_domid || domids->has[domid])
			continue;
		domids->has[domid] = true;
		array[domids->nr++] = domid;
	}
	free(nodes);
	return 0;
}

void xr_backend_path(const struct xenrelay_reader *reader, char path[XR_PATH_MAX])
{
	snprintf(path, XR_PATH_MAX, "/local/domain/%u/backend", reader->own_domid);
}

/* Those that have a backend here, of whatever type. */
static int add_served(struct xenrelay_reader *reader, struct domids *domids)
{
	unsigned int i, nr, nr_types;
	char path[XR_PATH_MAX];
	char **types, **nodes;
	int err = 0;

	xr_backend_path(reader, path);
	types = xr_xs_directory(reader, XBT_NULL, path, &nr_types);
	for (i = 0; types && !err && i < nr_types; i++) {
		snprintf(path, sizeof(path), "/local/domain/%u/backend/%s",
			 reader->own_domid, types[i]);
		nodes = xr_xs_directory(reader, XBT_NULL, path, &nr);
		if (nodes)
			err = add_nodes(reader, domids, nodes, nr);
	}
	free(types);
	return err;
}

int xenrelay_list_domains(struct xenrelay_reader *reader, unsigned int **out)
{
	struct domids domids = {0};
	int err = xr_check_reader(reader);
	unsigned int nr;
	char **nodes;

	if (out)
		*out = NULL;
	if (err)
		return err;
	if (!out)
		return -EINVAL;
	nodes = xr_xs_directory(reader, XBT_NULL, "/local/domain", &nr);
	reader->unprivileged = !nodes && errno == EACCES;
	if (nodes)
		err = add_nodes(reader, &domids, nodes, nr);
	else if (reader->unprivileged)
		err = add_served(reader, &domids);
	else if (errno != ENOENT)
		err = xr_fail(reader, -errno, "XenStore: listing domains: %s",
			      strerror(errno));
	if (err) {
		free(domids.array);
		return err;
	}
	*out = domids.array;
	return domids.nr;
}

int xr_fail_access(struct xenrelay_reader *reader, unsigned int domid)
{
	return xr_fail(reader, -EACCES,
		       "domain %u: its channels are closed to this domain: run "
		       "'xblk-allow %u %u' in domain 0",
		       domid, domid, reader->own_domid);
}
