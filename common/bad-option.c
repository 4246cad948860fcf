// SPDX-License-Identifier: GPL-2.0-only
#include "bad-option.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>

void describe_bad_option(char *to, size_t size, int c, char **argv)
{
	const char *typed = argv[optind - 1];
	char letter[3] = {'-', (char)optopt};

	/* optopt is 0 for a long option that there is not, a number of ours for other
	 * long ones. */
	if (optopt > 0 && optopt <= UCHAR_MAX && (typed[0] != '-' || typed[1] != '-'))
		typed = letter;
	if (c == ':')
		snprintf(to, size, "%s needs an argument", typed);
	else
		snprintf(to, size, "no such option, or not with an argument: %s", typed);
}
