/* The list of sessions and waiting terminals as one caller may see it. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

struct call;
struct terminal;

/* The answer of ListSessions to this call: owned by the caller, or NULL (no memory). Sessions by
 * ID, then terminals that show none. `filter` is an ID, a terminal's name, a user's name, or NULL.
 */
json_t *listing_answer(const struct call *call, const char *filter);

/* The sessions of the caller's own that no terminal shows and that he may have on this one, but for
 * `except`. A new reference or NULL. */
json_t *listing_disconnected(
	const struct call *call, const struct terminal *terminal, uint32_t except);
