/* Points in time: microseconds since 1970 (CLOCK_REALTIME) to show, milliseconds of CLOCK_MONOTONIC
 * to wait. */
#pragma once

#include <stdint.h>

#define CLOCK_TEXT_SIZE 40

uint64_t clock_now(void);	   /* microseconds since 1970, UTC */
uint64_t clock_monotonic_ms(void); /* for waits and limits; never jumps */

/* RFC 3339 with the local offset and milliseconds, as `2026-11-22T10:54:59.123+01:00`. Writes into
 * text; returns it. */
char *clock_text(char text[static CLOCK_TEXT_SIZE], uint64_t microseconds);
