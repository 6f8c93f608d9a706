/* What the three files of the parser share; nobody else includes it. */
#pragma once

#include "vt/parser.h"

#define BYTE_BEL 0x07
#define BYTE_CAN 0x18
#define BYTE_SUB 0x1a
#define BYTE_ESC 0x1b
#define BYTE_DEL 0x7f

enum parser_state {
	STATE_GROUND, /* with utf8_need > 0: within a character */
	STATE_ESCAPE, /* behind ESC and its intermediates */
	STATE_HEAD,   /* behind CSI or DCS, nothing read yet: a prefix may come */
	STATE_HEAD_PARAMETER,
	STATE_HEAD_INTERMEDIATE,
	STATE_HEAD_BAD, /* malformed: read to its final byte, then nothing */
	STATE_OSC,
	STATE_DCS,
	STATE_IGNORED, /* SOS, PM, APC and malformed DCS */
};

/* parser.c: a C1 control came (as a code point); may change the state. */
void parser_c1(struct vt_parser *p, uint8_t control);

/* parser_text.c: from a byte >= 0x80 in ground state on; stops at a control or a long run of ASCII.
 */
const uint8_t *parser_text(struct vt_parser *p, const uint8_t *b, const uint8_t *end);
/* Goes on with the character that the last feed broke off. */
const uint8_t *parser_text_resume(struct vt_parser *p, const uint8_t *b, const uint8_t *end);

/* parser_collect.c: the bytes of the open sequence. */
void parser_open(struct vt_parser *p, const uint8_t *at); /* a new one begins at `at` */
void parser_skip(struct vt_parser *p, const uint8_t *at); /* *at was executed: not part of it */
void parser_keep_last(struct vt_parser *p); /* of the bytes kept so far, only the last counts */
void parser_keep(struct vt_parser *p, const uint8_t *end); /* feed ends: keep what is open */

void parser_string_put(struct vt_parser *p, const uint8_t *bytes, size_t length);
