/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XBLK_BAD_OPTION_H
#define XBLK_BAD_OPTION_H

#include <stddef.h>

/**
 * describe_bad_option() - what getopt_long() would say of an option that it refuses
 * @to:		the words, not made printable yet
 * @size:	of @to
 * @c:		what it returned: '?', or ':' (opterr is 0 and the short options begin
 * with ':')
 * @argv:	the program's
 *
 * getopt's own message prints what was typed as it is, control characters and all.
 */
void describe_bad_option(char *to, size_t size, int c, char **argv);

#endif /* XBLK_BAD_OPTION_H */
