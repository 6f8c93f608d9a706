/* Every mode that an application sets once and expects to last, in one struct: what the painter
 * must bring back on another terminal and undo when it leaves. One table row a numbered mode,
 * shared by the screen (SM/RM, DECSET/DECRST, XTSAVE/XTRESTORE), by DECRQM and by the painter.
 *
 * Rows and columns are 0-based, margins inclusive. Always holds: top < bottom or the screen has one
 * row; left < right or it has one column; all inside the screen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vt/cell.h"

#define VT_SIZE_MAX 4096      /* rows and columns a screen may have; more is cut to this */
#define VT_TITLE_MAX 1024     /* bytes of a title, cut at a whole UTF-8 character */
#define VT_TITLE_STACK 10     /* CSI 22 t beyond this drops the oldest (as xterm) */
#define VT_LINK_MAX 2083      /* bytes of a hyperlink's URI; a longer one is no link */
#define VT_LINK_ID_MAX 250    /* bytes of its id=; a longer one is cut */
#define VT_KITTY_DEPTH 8      /* entries of one keyboard stack; pushing more drops the oldest */
#define VT_MODIFY_KEYS 8      /* resources of XTMODKEYS, 0..7; 4 is modifyOtherKeys */
#define VT_MODIFY_INITIAL 255 /* the terminal's own value */
#define VT_MODIFY_OFF 254     /* switched off altogether: CSI > Pp n */

/* The modes that are just on or off: bit numbers in vt_modes.bits. */
enum vt_mode {
	VT_MODE_INSERT,		    /* 4 IRM */
	VT_MODE_NEWLINE,	    /* 20 LNM */
	VT_MODE_CURSOR_KEYS,	    /* ?1 DECCKM */
	VT_MODE_SMOOTH_SCROLL,	    /* ?4 DECSCLM */
	VT_MODE_REVERSE_VIDEO,	    /* ?5 DECSCNM */
	VT_MODE_ORIGIN,		    /* ?6 DECOM */
	VT_MODE_AUTOWRAP,	    /* ?7 DECAWM, on at first */
	VT_MODE_AUTOREPEAT,	    /* ?8 DECARM, on at first */
	VT_MODE_CURSOR_BLINK,	    /* ?12 */
	VT_MODE_CURSOR_VISIBLE,	    /* ?25 DECTCEM, on at first */
	VT_MODE_REVERSE_WRAP,	    /* ?45 */
	VT_MODE_KEYPAD,		    /* ?66 DECNKM = DECKPAM/DECKPNM */
	VT_MODE_BACKARROW,	    /* ?67 DECBKM */
	VT_MODE_LEFT_RIGHT_MARGINS, /* ?69 DECLRMM */
	VT_MODE_FOCUS,		    /* ?1004 */
	VT_MODE_ALTERNATE_SCROLL,   /* ?1007 */
	VT_MODE_META,		    /* ?1034, on at first */
	VT_MODE_META_ESCAPE,	    /* ?1036 */
	VT_MODE_ALT_ESCAPE,	    /* ?1039 */
	VT_MODE_BRACKETED_PASTE,    /* ?2004 */
	VT_MODE_SYNCHRONIZED,	    /* ?2026 */
	VT_MODE_GRAPHEME,	    /* ?2027, on at first: widths are those of whole clusters */
	VT_MODE_COLOR_SCHEME,	    /* ?2031 */
	VT_MODE_INBAND_RESIZE,	    /* ?2048 */
	VT_MODE_WIN32_INPUT,	    /* ?9001 */
	VT_MODE_COUNT
};

/* What setting or resetting a row's number means. */
enum vt_mode_kind {
	VT_KIND_BIT,	   /* `value` is an enum vt_mode */
	VT_KIND_MOUSE,	   /* set: vt_modes.mouse = number; reset: 0, whichever was on */
	VT_KIND_ENCODING,  /* set: vt_modes.mouse_encoding = number; reset: 0 if it was this one */
	VT_KIND_ALTERNATE, /* 47, 1047, 1049: changes the active buffer */
	VT_KIND_SAVE,	   /* 1048: saves or restores the cursor */
};

struct vt_mode_row {
	uint16_t number;
	bool is_private; /* CSI ? number h, else CSI number h */
	uint8_t kind;	 /* enum vt_mode_kind */
	uint8_t value;
	bool initial; /* the value after power on and RIS */
	const char *name;
};

/* The table, sorted: ANSI modes first, then private ones, each by number. */
const struct vt_mode_row *vt_mode_table(size_t *ret_count);
const struct vt_mode_row *vt_mode_find(bool is_private, unsigned number); /* or NULL */

/* DECSCUSR: 0 = the terminal's own, 1/2 block, 3/4 underline, 5/6 bar (odd = blinking). A set value
 * also sets VT_MODE_CURSOR_BLINK; ?12 changes only that bit. */
#define VT_CURSOR_SHAPE_MAX 6

enum vt_charset { VT_CHARSET_ASCII, VT_CHARSET_GRAPHICS /* SCS 0 */, VT_CHARSET_UK /* SCS A */ };

struct vt_charsets {
	uint8_t g[4];	/* enum vt_charset of G0..G3 */
	uint8_t gl;	/* 0..3: which of them is in GL (LS0, LS1, LS2, LS3) */
	uint8_t gr;	/* 0..3, 2 at first (LS1R..LS3R); without effect in UTF-8, but kept */
	uint8_t single; /* 2 or 3: SS2/SS3 has come and its character has not; else 0 */
};

struct vt_cursor {
	uint16_t row;
	uint16_t column;   /* the last column while pending_wrap */
	bool pending_wrap; /* the last column was written: the next character wraps first */
};

/* DECSC. `saved` false: nothing was saved, DECRC goes home with default pen and charsets. */
struct vt_saved_cursor {
	bool saved;
	bool origin; /* DECOM. DECAWM is not saved: xterm; wraptest on a VT420 and a VT510 */
	struct vt_cursor cursor;
	struct vt_charsets charsets;
	struct vt_style pen; /* link is always 0 */
};

/* Kitty keyboard protocol: flags[depth - 1] are in force; depth 0 = none. Depth 1 made by CSI = u
 * alone is the same to the program as CSI > u. */
struct vt_kitty {
	uint8_t depth;
	uint8_t flags[VT_KITTY_DEPTH]; /* oldest first, each 0..31 */
};

/* XTSAVE: what CSI ? Pm r would bring back. */
struct vt_saved_modes {
	uint64_t known; /* 1 << enum vt_mode: has been saved */
	uint64_t bits;
	bool mouse_known;
	bool encoding_known;
	uint16_t mouse;
	uint16_t mouse_encoding;
};

/* Titles are UTF-8 without C0, DEL and C1, NUL-ended; NULL = empty. */
struct vt_titles {
	char *title;
	char *icon;
	unsigned depth; /* entries in use, oldest first; an entry pushed for one of the two only has
			   NULL in the other and `kinds` says which count */
	struct vt_title_entry {
		char *title;
		char *icon;
		uint8_t kinds; /* 1 = icon, 2 = title, 3 = both: what CSI 22 t was asked for */
	} stack[VT_TITLE_STACK];
};

/* Colours that the program changed: VT_COLOR_RGB | 0xRRGGBB, or VT_COLOR_DEFAULT = untouched. */
struct vt_palette {
	uint32_t foreground; /* OSC 10 */
	uint32_t background; /* OSC 11 */
	uint32_t cursor;     /* OSC 12 */
	uint32_t *indexed;   /* 256 entries (OSC 4), or NULL = all untouched */
};

struct vt_modes {
	uint64_t bits;		 /* 1 << enum vt_mode; vt_modes_get() */
	uint16_t mouse;		 /* 0, 9, 1000, 1002, 1003 */
	uint16_t mouse_encoding; /* 0, 1005, 1006, 1015, 1016 */
	uint8_t cursor_shape;	 /* DECSCUSR 0..6 */
	bool alternate;		 /* the alternate buffer is active */
	uint16_t alternate_by;	 /* by which number: 47, 1047 or 1049; 0 while it is not */
	uint16_t top, bottom;	 /* DECSTBM */
	uint16_t left, right;	 /* DECSLRM; the whole width unless VT_MODE_LEFT_RIGHT_MARGINS */
	struct vt_charsets charsets;
	uint8_t attribute_extent; /* DECSACE 0..2: 2 = DECCARA and DECRARA change a rectangle */
	struct vt_saved_cursor saved[2];     /* [0] primary, [1] alternate buffer */
	struct vt_kitty kitty[2];	     /* [0] primary, [1] alternate buffer */
	uint8_t modify_keys[VT_MODIFY_KEYS]; /* CSI > Pp ; Pv m; VT_MODIFY_INITIAL = not set */
	uint8_t format_keys[VT_MODIFY_KEYS]; /* CSI > Pp ; Pv f; likewise */
	struct vt_style pen;		     /* SGR, DECSCA and the open hyperlink (pen.link) */
	struct vt_saved_modes xtsave;
	struct vt_titles titles;
	struct vt_palette palette;
	uint8_t tabs[VT_SIZE_MAX / 8]; /* one bit a column; vt_tabs_get() */
};

static inline bool vt_modes_get(const struct vt_modes *m, enum vt_mode mode)
{
	return (m->bits >> mode & 1) != 0;
}

static inline void vt_modes_set(struct vt_modes *m, enum vt_mode mode, bool on)
{
	m->bits = (m->bits & ~(UINT64_C(1) << mode)) | (uint64_t)on << mode;
}

/* The keyboard flags in force on the active buffer, 0..31. */
static inline unsigned vt_modes_kitty(const struct vt_modes *m)
{
	const struct vt_kitty *k = &m->kitty[m->alternate];
	return k->depth == 0 ? 0 : k->flags[k->depth - 1];
}

static inline bool vt_tabs_get(const struct vt_modes *m, unsigned column)
{
	return column < VT_SIZE_MAX && (m->tabs[column / 8] >> column % 8 & 1) != 0;
}

void vt_tabs_set(struct vt_modes *m, unsigned column, bool on);
void vt_tabs_initial(struct vt_modes *m); /* every eighth column */

/* Power on values for a screen of that size. `init` takes raw memory; `reset` is RIS and frees what
 * the struct owned; `soft_reset` is DECSTR; `done` frees. The buffer that is active is the screen's
 * to change: reset leaves `alternate` false, soft_reset leaves it alone. */
void vt_modes_init(struct vt_modes *m, unsigned rows, unsigned columns);
void vt_modes_reset(struct vt_modes *m, unsigned rows, unsigned columns);
void vt_modes_soft_reset(struct vt_modes *m, unsigned rows, unsigned columns);
void vt_modes_done(struct vt_modes *m);

/* The value of one row's mode: true = set. For kinds MOUSE, ENCODING: whether it is this one. */
bool vt_mode_is_set(const struct vt_modes *m, const struct vt_mode_row *row);

/* The colour that index has without overrides (xterm's 256), 0xRRGGBB. */
uint32_t vt_palette_initial(unsigned index);
#define VT_FOREGROUND_INITIAL 0xe5e5e5u
#define VT_BACKGROUND_INITIAL 0x000000u
#define VT_CURSOR_INITIAL 0xe5e5e5u
