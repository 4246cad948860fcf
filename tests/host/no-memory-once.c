// SPDX-License-Identifier: GPL-2.0-only
/* To be loaded before a program: its allocation number FAILING, from 1 on, fails. */
#include <stdlib.h>

static int fails(void)
{
	static unsigned long nr, failing;

	if (!nr++)
		failing = strtoul(getenv("FAILING") ?: "0", NULL, 10);
	return nr == failing;
}

#include "failing-malloc.h"
