/* The form of a line of history, shared by line_code.c, which writes it, and line_decode.c, which
 * reads it: characters in UTF-8, and between them the codes below.
 */
#pragma once

enum code {
	CODE_EMPTY = 0,	  /* varint: so many empty cells */
	CODE_STYLE = 1,	  /* a style, see put_style() */
	CODE_CLUSTER = 2, /* width, number of code points, these in UTF-8 */
	CODE_REPEAT = 3,  /* varint: the cell before, so many times more */
	CODE_DEFAULT = 4, /* the default style */
	CODE_WORDS = 5,	  /* a byte: so many code points below 0x10000, two bytes each; 0 = none */
};

/* Of the byte behind CODE_STYLE; what is set is followed by its field, in this order. */
enum style_field {
	FIELD_FOREGROUND = 0, /* two bits: kind of colour */
	FIELD_BACKGROUND = 2, /* two bits */
	FIELD_UNDERLINE_COLOR = 1 << 4,
	FIELD_ATTRIBUTES = 1 << 5,
	FIELD_UNDERLINE = 1 << 6,
	FIELD_LINK = 1 << 7,
};
