/* Random walks through everything a program can send: sequences with meaning rather than random
 * bytes, on small screens, where borders meet. Each walk is cut at one place and painted elsewhere
 * (replay.h). The same walks each time; other ones with a first number and a count as arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "replay.h"

#define WALKS 600

static uint64_t seed;

static unsigned roll(unsigned sides)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % sides;
}

/* In each: %r a row, %c a column, %n a small number, %m a private mode, %d a digit 0-9. */
static const char *const tokens[] = {
	"a",
	"word ",
	"x",
	"0123456789",
	"\r\n",
	"\n",
	"\r",
	"\b",
	"\t",
	"漢",
	"字x",
	"e\xcc\x81",
	"\xcc\x88",
	"👩\u200d",
	"👘",
	"🇩",
	"🇪",
	"☺\ufe0f",
	"\ufe0f",
	"가",
	"\u1100\u1161",
	"\u06001", /* a sign that joins what follows it */
	"न\u0940",
	"\xff",
	"\xe6\xbc",
	"\u00ad",
	"\033[%r;%cH",
	"\033[%r;%cH",
	"\033[%nA",
	"\033[%nB",
	"\033[%nC",
	"\033[%nD",
	"\033[99C",
	"\033[%cG",
	"\033[%rd",
	"\033[%r;%c;%r;%c;1;%r;%c;1$v",
	"\033[65;%r;%c;%r;%c$x",
	"\033[%r;%c;%r;%c$z",
	"\033[%r;%c;%r;%c;%d$r",
	"\033[%r;%c;%r;%c;2%d$r",
	"\033[%r;%c;%r;%c;%d$t",
	"\033[%n*x",
	"\033#6",
	"\033#3",
	"\033#5",
	"\033[%r;%c;%r;%c${",
	"\033[%nZ",
	"\033[%nI",
	"\033D",
	"\033M",
	"\033E",
	"\0336",
	"\0339",
	"\033[%nL",
	"\033[%nM",
	"\033[%n@",
	"\033[%nP",
	"\033[%nX",
	"\033[%nS",
	"\033[%nT",
	"\033[%nb",
	"\033[J",
	"\033[1J",
	"\033[2J",
	"\033[K",
	"\033[1K",
	"\033[2K",
	"\033[?K",
	"\033[?2J",
	"\033[%n'}",
	"\033[%n'~",
	"\033[%n @",
	"\033[%n A",
	"\033#8",
	"\033[%r;%rr",
	"\033[r",
	"\033[?69h",
	"\033[?69l",
	"\033[%c;%cs",
	"\033[s",
	"\033[u",
	"\0337",
	"\0338",
	"\033[?1049h",
	"\033[?1049l",
	"\033[?47h",
	"\033[?47l",
	"\033[?1047h",
	"\033[?1047l",
	"\033[?1048h",
	"\033[?1048l",
	"\033[4h",
	"\033[4l",
	"\033[20h",
	"\033[20l",
	"\033[?%mh",
	"\033[?%ml",
	"\033[?%mh",
	"\033[?%ml",
	"\033[?%ms",
	"\033[?%mr",
	"\033[?7l",
	"\033[?7h",
	"\033[?6h",
	"\033[?6l",
	"\033[?45h",
	"\033(0",
	"\033(B",
	"\033)0",
	"\033*A",
	"\033+0",
	"\016",
	"\017",
	"\033n",
	"\033o",
	"\033~",
	"\033|",
	"\033}",
	"\033N",
	"\033O",
	"\033[m",
	"\033[1m",
	"\033[3%dm",
	"\033[4%dm",
	"\033[38;5;1%d%dm",
	"\033[48;2;%d;%d;%dm",
	"\033[4:3m",
	"\033[58:5:%dm",
	"\033[7m",
	"\033[8m",
	"\033[9;53m",
	"\033[1\"q",
	"\033[0\"q",
	"\033]8;;http://%d\033\\",
	"\033]8;id=%d;http://x\033\\",
	"\033]8;;\033\\",
	"\033]2;t%d\a",
	"\033]0;%d\a",
	"\033]1;i%d\a",
	"\033[22;%dt",
	"\033[23;%dt",
	"\033]4;%d;#0%d0%d0%d\a",
	"\033]104\a",
	"\033]1%d;#%d%d%d\a",
	"\033]11%d\a",
	"\033[>%du",
	"\033[<u",
	"\033[=%du",
	"\033[>%d;%dm",
	"\033[>%d;%df",
	"\033[>%dn",
	"\033[>m",
	"\033[%d q",
	"\033H",
	"\033[g",
	"\033[3g",
	"\033[!p",
	"\033[?5W",
	"\033=",
	"\033>",
	"\033[?u",
	"\033[6n",
	"\033[?%m$p",
	"\033[c",
	"\033]2;half",
	"\033[38;5",
	"\033P$qm\033\\",
	"\033c",
};

static const unsigned modes[] = { 1, 4, 5, 6, 7, 8, 9, 12, 25, 45, 66, 67, 69, 1000, 1002, 1003,
	1004, 1005, 1006, 1007, 1015, 1016, 1034, 1036, 1039, 2004, 2026, 2027, 2031, 2048, 9001 };

static void put_token(struct buf *out, const char *token, unsigned rows, unsigned columns)
{
	for (; *token != '\0'; token++) {
		if (*token != '%') {
			(void)buf_put_byte(out, (uint8_t)*token);
			continue;
		}
		token++;
		unsigned value = *token == 'r'	 ? 1 + roll(rows)
				 : *token == 'c' ? 1 + roll(columns)
				 : *token == 'n' ? 1 + roll(4)
				 : *token == 'd' ? roll(10)
						 : modes[roll(sizeof(modes) / sizeof(modes[0]))];
		(void)buf_printf(out, "%u", value);
	}
}

static void put_tokens(struct buf *out, unsigned count, unsigned rows, unsigned columns)
{
	for (unsigned i = 0; i < count; i++) {
		put_token(out, tokens[roll(sizeof(tokens) / sizeof(tokens[0]))], rows, columns);
	}
}

static void tell(
	const struct replay *r, size_t step, size_t offset, const char *why, unsigned long walk)
{
	fprintf(stderr, "walk %lu, %ux%u: %s\n", walk, r->rows, r->columns, why);
	for (size_t i = 0; i < r->count; i++) {
		const struct replay_step *t = &r->steps[i];
		if (t->resize) {
			fprintf(stderr, "[resize %u %u]", t->rows, t->columns);
		}
		for (size_t k = 0; k < t->length; k++) {
			if (i == step && k == offset) {
				fprintf(stderr, "<CUT>");
			}
			bool printable = t->bytes[k] >= 0x20 && t->bytes[k] != 0x7f;
			fprintf(stderr, printable ? "%c" : "\\x%02x", t->bytes[k]);
		}
	}
	fprintf(stderr, "\n");
}

static bool walk(unsigned long number)
{
	seed = number * UINT64_C(2654435761) + 1;
	unsigned rows = 1 + roll(7);
	unsigned columns = roll(12) == 0 ? 1 + roll(2) : 2 + roll(12);
	AUTO(buf_done) struct buf first = BUF_INIT(65536);
	AUTO(buf_done) struct buf second = BUF_INIT(65536);
	put_tokens(&first, 1 + roll(40), rows, columns);
	put_tokens(&second, 1 + roll(30), rows, columns);
	struct replay_step steps[] = {
		{ .bytes = first.data, .length = first.length },
		{ .resize = true, .rows = 1 + roll(7), .columns = 1 + roll(14) },
		{ .bytes = second.data, .length = second.length },
	};
	bool resizes = roll(4) == 0;
	struct replay r = { .rows = rows, .columns = columns, .steps = steps, .count = 3 };
	if (!resizes) {
		steps[1].rows = rows;
		steps[1].columns = columns;
	}
	r.junk = replay_junk(&r.junk_length);
	r.junk_length = roll(2) == 0 ? r.junk_length : 0;
	size_t step = roll(4) == 0 ? 0 : 2;
	size_t offset = roll(3) == 0 ? 0 : roll((unsigned)steps[step].length + 1);
	char why[700];
	if (replay_cut(&r, step, offset, why, sizeof(why)) && replay_reset(&r, why, sizeof(why)) &&
		(roll(4) != 0 || replay_update(&r, 1 + roll(20), why, sizeof(why)))) {
		return true;
	}
	tell(&r, step, offset, why, number);
	return false;
}

int main(int argc, char **argv)
{
	unsigned long first = argc > 2 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : WALKS;
	unsigned long failures = 0;
	for (unsigned long i = first; i < first + count && failures < 3; i++) {
		failures += !walk(i);
	}
	printf("%lu walks, %lu failures\n", count, failures);
	return failures == 0 ? 0 : 1;
}
