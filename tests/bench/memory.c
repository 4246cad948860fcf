// SPDX-License-Identifier: GPL-2.0-only
/* How fast one core reads memory that no cache holds: MiB/s, a line a run. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB  256
#define RUNS 5

int main(void)
{
	size_t nr = ((size_t)MIB << 20) / sizeof(uint64_t);
	uint64_t *words = malloc(nr * sizeof(*words));
	volatile uint64_t sink;

	if (!words)
		return 1;
	memset(words, 1, nr * sizeof(*words));
	for (int run = 0; run < RUNS; run++) {
		uint64_t sums[8] = {0}, sum = 0;
		struct timespec a, b;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		for (size_t i = 0; i < nr; i += 8) {
			for (size_t k = 0; k < 8; k++)
				sums[k] += words[i + k];
		}
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		for (size_t k = 0; k < 8; k++)
			sum += sums[k];
		sink = sum;
		(void)sink;
		printf("%.0f\n",
		       MIB / (b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9));
	}
	free(words);
	return 0;
}
