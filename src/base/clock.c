#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t clock_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

char *clock_text(char text[static CLOCK_TEXT_SIZE], uint64_t microseconds)
{
	time_t seconds = (time_t)(microseconds / 1000000);
	struct tm tm = { 0 };
	(void)localtime_r(&seconds, &tm);
	long offset = labs(tm.tm_gmtoff) / 60;
	(void)snprintf(text, CLOCK_TEXT_SIZE, "%04d-%02u-%02uT%02u:%02u:%02u.%03u%c%02u:%02u",
		(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100u,
		(unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
		(unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u,
		(unsigned)(microseconds / 1000 % 1000), tm.tm_gmtoff < 0 ? '-' : '+',
		(unsigned)(offset / 60) % 100u, (unsigned)(offset % 60));
	return text;
}
