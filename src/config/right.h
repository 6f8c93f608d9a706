/* The rights, as bits: what the configuration grants, the broker decides on, and the commands show.
 * Bits and names are those of MS-TSTS; STOP is our own. */
#pragma once

#include <stddef.h>

enum right {
	RIGHT_NONE = 0,
	RIGHT_QUERY = 0x001,
	RIGHT_SET = 0x002,
	RIGHT_RESET = 0x004,
	RIGHT_VIRTUAL = 0x008,
	RIGHT_SHADOW = 0x010,
	RIGHT_LOGON = 0x020,
	RIGHT_LOGOFF = 0x040,
	RIGHT_MESSAGE = 0x080,
	RIGHT_CONNECT = 0x100,
	RIGHT_DISCONNECT = 0x200,
	RIGHT_STOP = 0x10000, /* never granted by a line of the configuration */
};

/* Sets of rights are plain unsigned numbers. */
#define RIGHTS_GUEST ((unsigned)RIGHT_LOGON)
#define RIGHTS_USER (RIGHTS_GUEST | RIGHT_QUERY | RIGHT_MESSAGE | RIGHT_CONNECT)
#define RIGHTS_FULL                                                                                \
	(RIGHTS_USER | RIGHT_SET | RIGHT_RESET | RIGHT_VIRTUAL | RIGHT_SHADOW | RIGHT_LOGOFF |     \
		RIGHT_DISCONNECT)

/* What the owner of a session has on it by being its owner. */
#define RIGHTS_OWN_GUEST ((unsigned)RIGHT_QUERY | RIGHT_VIRTUAL | RIGHT_LOGOFF)
#define RIGHTS_OWN (RIGHTS_OWN_GUEST | RIGHT_SET | RIGHT_RESET | RIGHT_CONNECT | RIGHT_DISCONNECT)

/* "CONNECT"; "NONE" for no or several bits. Static text. */
const char *right_text(enum right right);

/* The right of this name, in any case; RIGHT_NONE = there is none. STOP is not found. */
enum right right_from_text(const char *text);

/* The rights that a configuration can grant, in the order of their bits; NULL behind the last. */
#define RIGHT_COUNT 10
enum right right_by_index(size_t index); /* RIGHT_NONE from RIGHT_COUNT on */

/* Reads `User`, or `QUERY LOGON -SHADOW` (commas and blanks between): levels and rights add up, a
 * `-` denies. None denies everything. 0, or -EINVAL with the word that is none in *ret_wrong
 * (borrowed from text, *ret_length bytes; no word at all: length 0) and both sets untouched. */
int rights_parse(const char *text, unsigned *ret_allow, unsigned *ret_deny, const char **ret_wrong,
	size_t *ret_length);
