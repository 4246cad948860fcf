// SPDX-License-Identifier: GPL-2.0-only
#include "changes.h"

void changes_add(struct changes *changes, unsigned int domid)
{
	uint64_t bit = 1ull << domid % 64;

	changes->nr += !(changes->bits[domid / 64] & bit);
	changes->bits[domid / 64] |= bit;
}

/* The first from @domid on in its word of 64; false if there is none. */
static bool find_in_word(const struct changes *changes, unsigned int *domid)
{
	uint64_t word = changes->bits[*domid / 64] >> *domid % 64;

	if (word)
		*domid += __builtin_ctzll(word);
	return word;
}

bool changes_take(struct changes *changes, unsigned int *domid)
{
	unsigned int at = changes->next;

	if (!changes->nr)
		return false;
	while (!find_in_word(changes, &at))
		at = (at / 64 + 1) * 64 % CHANGES_DOMIDS;
	changes->bits[at / 64] &= ~(1ull << at % 64);
	changes->nr--;
	changes->next = (at + 1) % CHANGES_DOMIDS;
	*domid = at;
	return true;
}
