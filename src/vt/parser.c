/* The states. Each state's function takes bytes until the state changes or they end, and returns
 * where it stopped; vt_parser_feed() goes from one to the next. Text and UTF-8 are in
 * parser_text.c, what is collected (strings, the bytes of an open sequence) in parser_collect.c.
 */
#include "vt/parser.h"

#include <stdlib.h>

#include "vt/parser_state.h"
#include "vt/scan.h"

void vt_parser_init(struct vt_parser *p, const struct vt_parser_events *events, void *user)
{
	*p = (struct vt_parser){ .events = events, .user = user };
}

void vt_parser_done(struct vt_parser *p)
{
	free(p->string);
	free(p->pending);
	p->string = NULL;
	p->pending = NULL;
}

static void sequence_clear(struct vt_parser *p)
{
	p->sequence.final = 0;
	p->sequence.prefix = 0;
	p->sequence.intermediate_count = 0;
	p->sequence.count = 0;
	p->sequence.sub = 0;
	p->dropping = false;
}

static void enter_escape(struct vt_parser *p)
{
	sequence_clear(p);
	p->state = STATE_ESCAPE;
}

static void enter_head(struct vt_parser *p, bool dcs)
{
	sequence_clear(p);
	p->sequence.count = 1;
	p->sequence.values[0] = -1;
	p->dcs = dcs;
	p->state = STATE_HEAD;
}

static void enter_string(struct vt_parser *p, enum parser_state state)
{
	p->state = (uint8_t)state;
	p->string_length = 0;
	p->string_bad = false;
	p->string_escape = false;
	p->string_c2 = false;
}

void parser_c1(struct vt_parser *p, uint8_t control)
{
	switch (control) {
	case 0x90:
		enter_head(p, true);
		break;
	case 0x9b:
		enter_head(p, false);
		break;
	case 0x9d:
		enter_string(p, STATE_OSC);
		break;
	case 0x98: /* SOS, PM, APC */
	case 0x9e:
	case 0x9f:
		enter_string(p, STATE_IGNORED);
		break;
	case 0x9c: /* ST without a string */
		break;
	default:
		p->events->execute(p->user, control);
		break;
	}
}

/* A byte below 0x20 or DEL within a sequence. False: it ended or restarted the sequence. */
static bool control_within(struct vt_parser *p, const uint8_t *b)
{
	switch (*b) {
	case BYTE_ESC:
		parser_open(p, b);
		enter_escape(p);
		return false;
	case BYTE_CAN:
	case BYTE_SUB:
		p->state = STATE_GROUND;
		return false;
	default:
		parser_skip(p, b);
		if (!p->dcs && *b != 0 && *b != BYTE_DEL) {
			p->events->execute(p->user, *b);
		}
		return true;
	}
}

static void escape_final(struct vt_parser *p, uint8_t c)
{
	p->state = STATE_GROUND;
	if (p->sequence.intermediate_count == 0) {
		switch (c) {
		case '[':
			enter_head(p, false);
			return;
		case 'P':
			enter_head(p, true);
			return;
		case ']':
			enter_string(p, STATE_OSC);
			return;
		case 'X':
		case '^':
		case '_':
			enter_string(p, STATE_IGNORED);
			return;
		default:
			break;
		}
	}
	if (p->sequence.intermediate_count <= VT_INTERMEDIATES_MAX) {
		p->sequence.final = c;
		p->events->esc(p->user, &p->sequence);
	}
}

static void collect(struct vt_parser *p, uint8_t c)
{
	struct vt_sequence *q = &p->sequence;
	if (q->intermediate_count < VT_INTERMEDIATES_MAX) {
		q->intermediates[q->intermediate_count] = c;
	}
	if (q->intermediate_count <= VT_INTERMEDIATES_MAX) {
		q->intermediate_count++; /* one beyond the limit marks the sequence as too long */
	}
}

static const uint8_t *escape(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	p->dcs = false;
	while (b < end) {
		uint8_t c = *b;
		if (c >= 0x80) {
			p->state = STATE_GROUND;
			return b;
		}
		if (c < 0x20 || c == BYTE_DEL) {
			if (!control_within(p, b++)) {
				return b;
			}
		} else if (c < 0x30) {
			collect(p, c);
			b++;
		} else {
			escape_final(p, c);
			return b + 1;
		}
	}
	return b;
}

static void head_final(struct vt_parser *p, uint8_t c)
{
	bool good = p->state != STATE_HEAD_BAD &&
		    p->sequence.intermediate_count <= VT_INTERMEDIATES_MAX;
	p->sequence.final = c;
	p->state = STATE_GROUND;
	if (p->dcs) {
		enter_string(p, good ? STATE_DCS : STATE_IGNORED);
	} else if (good) {
		p->events->csi(p->user, &p->sequence);
	}
}

static void next_parameter(struct vt_parser *p, bool sub)
{
	struct vt_sequence *q = &p->sequence;
	if (q->count == VT_PARAMETERS_MAX) {
		p->dropping = true;
		return;
	}
	q->sub |= (uint32_t)sub << q->count;
	q->values[q->count++] = -1;
}

static inline void digit(struct vt_parser *p, uint8_t c)
{
	int32_t *value = &p->sequence.values[p->sequence.count - 1];
	if (p->dropping) {
		return;
	}
	int32_t v = (*value < 0 ? 0 : *value * 10) + (c - '0');
	*value = v > VT_PARAMETER_MAX ? VT_PARAMETER_MAX : v;
}

/* A byte 0x20..0x3f of the head of a CSI or DCS. */
static void head_byte(struct vt_parser *p, uint8_t c)
{
	if (p->state == STATE_HEAD_BAD) {
		return;
	}
	if (c < 0x30) {
		collect(p, c);
		p->state = STATE_HEAD_INTERMEDIATE;
	} else if (p->state == STATE_HEAD_INTERMEDIATE) {
		p->state = STATE_HEAD_BAD;
	} else if (c <= '9') {
		digit(p, c);
		p->state = STATE_HEAD_PARAMETER;
	} else if (c <= ';') {
		next_parameter(p, c == ':');
		p->state = STATE_HEAD_PARAMETER;
	} else if (p->state == STATE_HEAD) {
		p->sequence.prefix = c;
		p->state = STATE_HEAD_PARAMETER;
	} else {
		p->state = STATE_HEAD_BAD;
	}
}

/* The number at b: up to three digits without a branch on how many there are (its length cannot be
 * foretold), more by the loop. NULL: the bytes end behind it. At least four can be read. */
static inline const uint8_t *number(const uint8_t *b, const uint8_t *end, int32_t *ret)
{
	uint32_t v = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
		     (uint32_t)b[3] << 24;
	uint32_t digits = v ^ 0x30303030u; /* 0..9 in each byte that is a digit */
	uint32_t other = ((digits + 0x76767676u) | digits) &
			 0x80808080u; /* right up to the first */
	if (other != 0) {
		unsigned bit = (unsigned)__builtin_ctz(other); /* 7, 15, 23, 31: 0 to 3 digits */
		digits = (uint32_t)((uint64_t)digits << (39 - bit)); /* zeros in front */
		uint32_t pairs = digits * (10 << 8 | 1) >> 8 & 0x00ff00ffu;
		*ret = (int32_t)(pairs * (100 << 16 | 1) >> 16) - (bit == 7);
		return b + bit / 8;
	}
	int32_t value = 0;
	for (; b < end && *b >= '0' && *b <= '9'; b++) {
		value = value * 10 + (*b - '0');
		value = value > VT_PARAMETER_MAX ? VT_PARAMETER_MAX : value;
	}
	*ret = value;
	return b == end ? NULL : b;
}

/* The usual sequence behind CSI in one go, in ground state: numbers, separators, final byte, all
 * there. NULL: it is another kind, and nothing but the unused sequence has changed. */
static inline const uint8_t *usual(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	struct vt_sequence *q = &p->sequence;
	unsigned count = 0;
	uint32_t sub = 0;
	q->prefix = 0;
	if (*b >= '<' && *b <= '?') {
		q->prefix = *b++;
	}
	while (end - b >= 4 && count < VT_PARAMETERS_MAX) {
		b = number(b, end, &q->values[count++]);
		if (b == NULL) {
			return NULL;
		}
		uint8_t c = *b++;
		if (c == ';') {
			continue;
		}
		if (c >= 0x40 && c <= 0x7e) {
			q->count = (uint8_t)count;
			q->sub = sub;
			q->final = c;
			q->intermediate_count = 0;
			p->events->csi(p->user, q);
			return b;
		}
		if (c != ':' || count == VT_PARAMETERS_MAX) {
			return NULL;
		}
		sub |= 1u << count;
	}
	return NULL;
}

static const uint8_t *head(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	while (b < end) {
		uint8_t c = *b;
		if (c >= '0' && c <= '9' && p->state == STATE_HEAD_PARAMETER) {
			digit(p, c);
			b++;
		} else if (c >= 0x80) {
			p->state = STATE_GROUND;
			return b;
		} else if (c < 0x20 || c == BYTE_DEL) {
			if (!control_within(p, b++)) {
				return b;
			}
		} else if (c < 0x40) {
			head_byte(p, c);
			b++;
		} else {
			head_final(p, c);
			return b + 1;
		}
	}
	return b;
}

static void string_end(struct vt_parser *p, bool bell)
{
	enum parser_state kind = p->state;
	p->state = STATE_GROUND;
	if (p->string_bad) {
		return;
	}
	const uint8_t *payload = p->string != NULL ? p->string : (const uint8_t *)"";
	if (kind == STATE_OSC) {
		p->events->osc(p->user, payload, p->string_length, bell);
	} else if (kind == STATE_DCS) {
		p->events->dcs(p->user, &p->sequence, payload, p->string_length);
	}
}

/* The byte that may end the string: ESC, BEL, CAN, SUB, or 0x9c behind 0xc2. */
static bool string_special(struct vt_parser *p, const uint8_t *b)
{
	switch (*b) {
	case BYTE_ESC:
		p->string_escape = true;
		return true;
	case BYTE_CAN:
	case BYTE_SUB:
		p->state = STATE_GROUND;
		return true;
	case BYTE_BEL:
		if (p->state == STATE_OSC) {
			string_end(p, true);
			return true;
		}
		break;
	default: /* 0x9c: U+009C, whose first byte is the last of the payload so far */
		if (p->string_c2) {
			if (p->string_length > 0) {
				p->string_length--;
			}
			string_end(p, false);
			return true;
		}
		break;
	}
	parser_string_put(p, b, 1);
	p->string_c2 = false;
	return false;
}

static inline bool is_special(uint8_t c)
{
	return c == BYTE_ESC || c == BYTE_BEL || c == BYTE_CAN || c == BYTE_SUB || c == 0x9c;
}

static const uint8_t *string(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	if (p->string_escape) { /* only ESC \ ends a string well; any other ESC drops it */
		if (*b == '\\') {
			string_end(p, false);
			return b + 1;
		}
		if (b > p->open) {
			parser_open(p, b - 1);
		} else {
			parser_keep_last(p);
		}
		enter_escape(p);
		return b;
	}
	while (b < end) {
		const uint8_t *from = b;
		while (b < end && !is_special(*b)) {
			b++;
		}
		if (b > from) {
			parser_string_put(p, from, (size_t)(b - from));
			p->string_c2 = b[-1] == 0xc2;
		}
		if (b < end && string_special(p, b++)) {
			break;
		}
	}
	return b;
}

static const uint8_t *ground(struct vt_parser *p, const uint8_t *b, const uint8_t *end)
{
	while (b < end) {
		size_t run = vt_scan_ascii(b, end);
		if (run > 0) {
			p->events->ascii(p->user, b, run);
			b += run;
			if (b == end) {
				break;
			}
		}
		uint8_t c = *b;
		if (c == BYTE_ESC) {
			bool csi = end - b >= 3 && b[1] == '[';
			const uint8_t *next = csi ? usual(p, b + 2, end) : NULL;
			if (next != NULL) {
				b = next;
				continue;
			}
			parser_open(p, b);
			enter_escape(p);
			if (csi) {
				enter_head(p, false);
			}
			return b + 1 + csi;
		}
		if (c >= 0x80) {
			b = parser_text(p, b, end);
			if (p->state != STATE_GROUND) {
				return b;
			}
			continue;
		}
		if (c != 0 && c != BYTE_CAN && c != BYTE_SUB && c != BYTE_DEL) {
			p->events->execute(p->user, c);
		}
		b++;
	}
	return b;
}

void vt_parser_feed(struct vt_parser *p, const uint8_t *bytes, size_t length)
{
	const uint8_t *b = bytes;
	const uint8_t *end = bytes + length;
	p->open = bytes;
	while (b < end) {
		switch (p->state) {
		case STATE_GROUND:
			b = p->utf8_need > 0 ? parser_text_resume(p, b, end) : ground(p, b, end);
			break;
		case STATE_ESCAPE:
			b = escape(p, b, end);
			break;
		case STATE_HEAD:
		case STATE_HEAD_PARAMETER:
		case STATE_HEAD_INTERMEDIATE:
		case STATE_HEAD_BAD:
			b = head(p, b, end);
			break;
		default:
			b = string(p, b, end);
			break;
		}
	}
	parser_keep(p, end);
	p->open = NULL;
}

bool vt_parser_ground(const struct vt_parser *p)
{
	return p->state == STATE_GROUND && p->utf8_need == 0;
}
