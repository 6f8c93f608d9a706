/* The one place where foreign text becomes harmless (security rule 5), and the small readers of
 * text that all programs share. Every field of every output passes through text_encode() or
 * text_encode_lines(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies `from` into `to` (size bytes, always NUL-ended). Control characters (C0, DEL, C1),
 * bidirectional and zero-width controls, line and paragraph separators, surrogates, noncharacters,
 * tags and invalid UTF-8 each become one `?`. Cuts at a character's border. Returns the length that
 * the whole text needs, without the NUL, as snprintf() does. */
size_t text_encode(char *to, size_t size, const char *from);

/* The same, but newline and tab pass: for text of several lines (messages). */
size_t text_encode_lines(char *to, size_t size, const char *from);

/* Decodes one character of valid UTF-8. Bytes used (1-4), or 0 when `text` does not begin with one.
 */
size_t text_decode(const char *text, size_t length, uint32_t *ret_code_point);

/* A decimal number without sign, space or leading plus. 0, -EINVAL, or -ERANGE. */
int text_to_u32(const char *text, uint32_t *ret);

bool text_is_digits(const char *text); /* not empty, 0-9 alone */

/* May this be the name of a terminal? 1-32 of A-Z a-z 0-9 . _ -, not all digits, not starting with
 * `-` or `.`;
 * `#` only in names that the server gives (given = true), as in `tty#1`. */
bool text_is_terminal_name(const char *name, bool given);
