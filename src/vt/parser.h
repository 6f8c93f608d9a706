/* Bytes to actions: the state machine of DEC and ECMA-48 as xterm implements it (after the public
 * description by Paul Williams), in UTF-8. It knows no screen and gives no meaning to a sequence.
 *
 * Always holds: every byte string is accepted, cut anywhere; what is not understood is passed over.
 * C1 controls are the code points U+0080..U+009F (never the bare bytes). Invalid UTF-8 becomes one
 * U+FFFD for each maximal subpart. Nothing is kept beyond the caps below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_PARAMETERS_MAX 32	  /* parameters with their sub-parameters; more are dropped */
#define VT_PARAMETER_MAX 65535	  /* larger values are cut to this */
#define VT_INTERMEDIATES_MAX 2	  /* a sequence with more does nothing */
#define VT_STRING_MAX (64 * 1024) /* payload of OSC and DCS; a longer string does nothing */

/* ESC or CSI sequence, or the head of a DCS. */
struct vt_sequence {
	uint8_t final;
	uint8_t prefix; /* '<' '=' '>' '?' or 0 */
	uint8_t intermediates[VT_INTERMEDIATES_MAX];
	uint8_t intermediate_count;
	uint8_t count;			   /* parameters, at least 1 for CSI and DCS */
	uint32_t sub;			   /* bit i: parameter i came behind a colon */
	int32_t values[VT_PARAMETERS_MAX]; /* 0..VT_PARAMETER_MAX, -1 = omitted */
};

/* Parameter i; omitted, 0 or absent gives `otherwise` (the rule for counts and positions). */
static inline int vt_sequence_arg(const struct vt_sequence *q, unsigned i, int otherwise)
{
	return i < q->count && q->values[i] > 0 ? q->values[i] : otherwise;
}

/* Parameter i; omitted or absent gives `otherwise`, 0 counts. */
static inline int vt_sequence_value(const struct vt_sequence *q, unsigned i, int otherwise)
{
	return i < q->count && q->values[i] >= 0 ? q->values[i] : otherwise;
}

/* All but utf8 must be set. Strings are valid only during the call. */
struct vt_parser_events {
	/* A run of bytes 0x20..0x7e. May be one of several for one text. */
	void (*ascii)(void *user, const uint8_t *bytes, size_t length);
	/* A run of code points: none a control, U+FFFD for each that was invalid. ASCII between
	 * others may come here too, or at ascii(). */
	void (*text)(void *user, const uint32_t *points, size_t count);
	/* Bytes in ground state that begin with one >= 0x80: takes as many whole, valid, printable
	 * characters from b on as it likes, and returns where it stopped; what is there comes as
	 * text() then, or is no text. May be NULL: it would take none. */
	const uint8_t *(*utf8)(void *user, const uint8_t *b, const uint8_t *end);
	void (*execute)(void *user, uint8_t control); /* C0 but ESC, CAN, SUB and NUL; C1 0x80..0x9f
							 but those that begin or end a sequence */
	void (*csi)(void *user, const struct vt_sequence *q);
	void (*esc)(void *user, const struct vt_sequence *q); /* prefix 0, count 0 */
	/* bell: it ended with BEL, not ST. */
	void (*osc)(void *user, const uint8_t *payload, size_t length, bool bell);
	void (*dcs)(void *user, const struct vt_sequence *q, const uint8_t *payload, size_t length);
};

#define VT_PARSER_PENDING_MAX 4096

struct vt_parser {
	const struct vt_parser_events *events;
	void *user;
	uint8_t state;
	uint8_t utf8_need; /* continuation bytes still to come */
	uint8_t utf8_low;  /* least and greatest value of the next one */
	uint8_t utf8_high;
	uint32_t utf8_point;
	bool dcs;	    /* the head being read is that of a DCS, not a CSI */
	bool dropping;	    /* more than VT_PARAMETERS_MAX parameters */
	bool string_escape; /* ESC has come within the string: ST, or the end of it */
	bool string_c2;	    /* its last byte was 0xc2: U+009C (ST) may follow */
	struct vt_sequence sequence;
	bool string_bad; /* payload too long or no memory: the string will do nothing */
	uint8_t *string; /* payload so far; NULL = none */
	size_t string_length;
	size_t string_size;
	const uint8_t *open; /* within feed: first byte of the open sequence not yet in pending */
	bool pending_long;   /* the open sequence is longer than VT_PARSER_PENDING_MAX */
	uint8_t *pending;    /* raw bytes of the open sequence from earlier feeds; NULL = none */
	size_t pending_length;
	size_t pending_size;
};

/* events must outlive the parser. */
void vt_parser_init(struct vt_parser *p, const struct vt_parser_events *events, void *user);
void vt_parser_done(struct vt_parser *p);

void vt_parser_feed(struct vt_parser *p, const uint8_t *bytes, size_t length);

bool vt_parser_ground(const struct vt_parser *p);

/* See vt_screen_pending(): 0, or 1 = longer than VT_PARSER_PENDING_MAX or not kept for lack of
 * memory. */
int vt_parser_pending(const struct vt_parser *p, const uint8_t **ret, size_t *ret_length);

/* Gives back memory that no open sequence needs. */
void vt_parser_trim(struct vt_parser *p);
size_t vt_parser_bytes(const struct vt_parser *p); /* allocated, without the struct */
