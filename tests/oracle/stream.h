/* The conversation of a dump program. It reads orders and prints facts, so that any emulator that
 * has such a program can be compared with the model; test_oracle.py writes the orders and reads the
 * facts.
 *
 *   stream ROWS COLUMNS      a fresh screen                 end            of the stream
 *   feed N, newline, N bytes the program's output
 *   ask N, newline, N bytes  a query; prints `reply HEX`, all that was answered
 *   resize ROWS COLUMNS
 *   dump                     prints the facts of now, and then `.`
 *
 *   cell Y X WIDTH POINTS LOOKS FG BG UNDERLINE UL    points in hex with + between; `-` = nothing;
 * looks with commas; colours default, N or #RRGGBB. Cells that show nothing at all are left out
 *   cursor Y X               history I POINTS...          title HEX       alternate 0|1
 *
 * Rows and columns count from 0. For tests only: a bad order ends the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_POINTS 16

struct stream_cell {
	unsigned width; /* 0 = right half */
	uint32_t points[STREAM_POINTS];
	size_t count;	       /* 0 = empty */
	char looks[128];       /* "bold,dim"; "" = none */
	char foreground[16];   /* "" = default */
	char background[16];   /* "" = default */
	const char *underline; /* "none", "single", ... */
	char underline_color[16];
};

/* An emulator. All are called with what `start` returned. */
struct stream_emulator {
	void *(*start)(unsigned rows, unsigned columns);
	void (*feed)(void *emulator, const uint8_t *bytes, size_t length);
	void (*resize)(void *emulator, unsigned rows, unsigned columns);
	void (*dump)(void *emulator);
	void (*end)(void *emulator);
};

/* Runs all orders of standard input. Returns the exit status. */
int stream_run(const struct stream_emulator *e);

/* For `feed`: the answers that the emulator gives while it reads. */
void stream_reply(const void *bytes, size_t length);

/* For `dump`. */
void stream_cell(unsigned y, unsigned x, const struct stream_cell *cell);
void stream_points(const uint32_t *points, size_t count);
void stream_hex(const char *name, const void *bytes, size_t length);
void stream_look(struct stream_cell *cell, const char *name, bool on);
