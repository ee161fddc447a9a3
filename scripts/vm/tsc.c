// SPDX-License-Identifier: GPL-2.0
/*
 * Prints how fast this machine's time stamp counter runs, in kHz: an emulated
 * processor's runs as fast. Intel SDM vol. 3, 18.17 "Time-Stamp Counter".
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

/* A moment by both clocks. */
struct moment {
	uint64_t ticks;
	uint64_t ns;
};

/* Of several tries the one that took the least time, so that nothing came between. */
static struct moment now(void)
{
	struct moment best = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		struct timespec time;
		uint64_t begin = __rdtsc();

		clock_gettime(CLOCK_MONOTONIC_RAW, &time);
		uint64_t took = __rdtsc() - begin;

		if (took < shortest) {
			shortest = took;
			best.ticks = begin + took / 2;
			best.ns = time.tv_sec * 1000000000ULL + time.tv_nsec;
		}
	}
	return best;
}

int main(void)
{
	struct moment begin = now();

	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	struct moment end = now();

	printf("%.0f\n", (double)(end.ticks - begin.ticks) * 1e6 / (double)(end.ns - begin.ns));
	return 0;
}
