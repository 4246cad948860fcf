// SPDX-License-Identifier: GPL-2.0-only
/* cpu-time DOMID...: ns of CPU time that Xen counts for each; xl tells tenths of a
 * second. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv)
{
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);
	int i;

	if (!xen)
		err(1, "xc_interface_open");
	for (i = 1; i < argc; i++) {
		uint32_t domid = strtoul(argv[i], NULL, 0);
		xc_dominfo_t info;

		if (xc_domain_getinfo(xen, domid, 1, &info) != 1 || info.domid != domid)
			errx(1, "no domain %u", domid);
		printf("%lu%c", info.cpu_time, i + 1 < argc ? ' ' : '\n');
	}
	return 0;
}
