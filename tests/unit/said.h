/* SPDX-License-Identifier: GPL-2.0-only */
/* What is written to standard error, or to standard output, for a test to look at. */
#ifndef SAID_H
#define SAID_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct said {
	char text[8192];
	int fd, saved;
	FILE *file;
};

static inline void said_begin(struct said *s, int fd)
{
	fflush(NULL);
	s->fd = fd;
	s->saved = dup(fd);
	s->file = tmpfile();
	dup2(fileno(s->file), fd);
}

static inline const char *said_end(struct said *s)
{
	size_t n;

	fflush(NULL);
	dup2(s->saved, s->fd);
	close(s->saved);
	rewind(s->file);
	n = fread(s->text, 1, sizeof(s->text) - 1, s->file);
	s->text[n] = '\0';
	fclose(s->file);
	return s->text;
}

#endif /* SAID_H */
