/* Finds the detach key - pressed three times within a second - in what a terminal sends, however
 * the terminal is told to encode keys. Changes nothing on the way: the presses reach the program
 * too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DETACH_KEY_PRESSES 3
#define DETACH_KEY_TIME_MS 1000

struct detach_key {
	int key;    /* the byte that Ctrl and the key send; -1 = off */
	int letter; /* the key's own character, as the newer encodings name it */
	uint64_t pressed[DETACH_KEY_PRESSES]; /* times, the latest last; 0 = none */
	enum { DETACH_GROUND, DETACH_ESCAPE, DETACH_CSI } state;
	char sequence[48]; /* the parameters of a CSI that has begun */
	size_t length;	   /* in it; more than fit are counted but not kept */
};

void detach_key_init(struct detach_key *d, int key);

/* Whether no press counts any more, and no sequence is open. */
bool detach_key_rests(const struct detach_key *d, uint64_t now_ms);

/* Looks through bytes, cut anywhere. True: the key was pressed the third time, and *ret_used bytes
 * lead up to and include it. False: nothing; all were looked at. */
bool detach_key_feed(struct detach_key *d, const uint8_t *bytes, size_t length, uint64_t now_ms,
	size_t *ret_used);
