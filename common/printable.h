/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from elsewhere on its way to a terminal. */
#ifndef XBLK_PRINTABLE_H
#define XBLK_PRINTABLE_H

/**
 * make_printable() - turn what a terminal would obey into '?'
 * @line:	NUL-terminated; changed in place, and never longer than before
 *
 * Control characters (a newline is one), and what the locale (LC_CTYPE) takes for no
 * character at all.  A guest, a trace or a file name decides what is in a message's
 * names, so every message goes through here as a whole.
 */
void make_printable(char *line);

#endif /* XBLK_PRINTABLE_H */
