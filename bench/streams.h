/* The streams that all figures are made of: one line at a time, the same ones in every run. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t seed = 12345;

static inline uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static const char *const words[] = { "connection", "from", "session", "opened", "for", "user",
	"daemon", "started", "unit", "failed", "with", "result", "timeout", "retry", "kernel",
	"device", "link", "up", "down", "cache" };
static const char *const foreign[] = { "größe", "naïve", "привет", "мир", "漢字", "かな", "한국어",
	"Ελλάδα", "ação", "żółć", "שלום", "cafe\xcc\x81", "日本語", "данные", "😀" };

static inline size_t put_log(char *to, unsigned line)
{
	int n = sprintf(to, "2026-11-22T10:%02u:%02u.%03u host%u app[%u]: ", line / 60 % 60,
		line % 60, rnd(1000), rnd(9), 1000 + rnd(9000));
	for (unsigned i = 4 + rnd(8); i > 0; i--) {
		n += sprintf(to + n, "%s ", words[rnd(20)]);
	}
	return (size_t)n + (size_t)sprintf(to + n, "\r\n");
}

static inline size_t put_sgr(char *to, unsigned line)
{
	int n = 0;
	for (int i = 0; i < 10; i++) {
		n += sprintf(to + n, "\x1b[%u;38;5;%um%s\x1b[0m \x1b[48;2;%u;%u;%um%u\x1b[m ",
			rnd(2), rnd(256), words[rnd(20)], rnd(256), rnd(256), rnd(256), line % 10);
	}
	return (size_t)n + (size_t)sprintf(to + n, "\r\n");
}

static inline size_t put_utf8(char *to, unsigned line)
{
	int n = sprintf(to, "%u ", line % 1000);
	for (int i = 0; i < 9; i++) {
		n += sprintf(to + n, "%s ", foreign[rnd(15)]);
	}
	return (size_t)n + (size_t)sprintf(to + n, "\r\n");
}

static inline size_t put_redraw(char *to, unsigned line)
{
	int n = line % 24 == 0 ? sprintf(to, "\x1b[?25l\x1b[H") : 0;
	n += sprintf(to + n, "\x1b[%u;1H\x1b[7m%4u\x1b[27m \x1b[3%um", line % 24 + 1, rnd(10000),
		rnd(8));
	for (int i = 0; i < 5; i++) {
		n += sprintf(to + n, "%-10s", words[rnd(20)]);
	}
	return (size_t)n +
	       (size_t)sprintf(to + n, "\x1b[39m\x1b[K\x1b[%u;%uH*", rnd(24) + 1, rnd(80) + 1);
}

#define STREAM_LINE_MAX 4096 /* bytes of one line, at most */

typedef size_t stream_line(char *to, unsigned line);

/* The stream of this name, or NULL. */
static inline stream_line *stream_find(const char *name)
{
	static const struct {
		const char *name;
		stream_line *put;
	} streams[] = {
		{ "log", put_log },
		{ "redraw", put_redraw },
		{ "sgr", put_sgr },
		{ "utf8", put_utf8 },
	};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		if (strcmp(streams[i].name, name) == 0) {
			return streams[i].put;
		}
	}
	return NULL;
}

/* Fills `block` with whole lines until at least `least` bytes are there; bytes. There must be room
 * for STREAM_LINE_MAX more. */
static inline size_t stream_fill(stream_line *put, char *block, size_t least)
{
	size_t length = 0;
	for (unsigned line = 0; length < least; line++) {
		length += put(block + length, line);
	}
	return length;
}
