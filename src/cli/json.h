/* JSON for programs: ASCII alone, so that nothing in it can reach a terminal as anything else. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define JSON_QUERY_VERSION 1

/* One value and a line's end; pretty: over several lines. 0 or -ENOMEM. */
int json_print(FILE *out, const json_t *value, bool pretty);

/* The answer of a query: {"version":1,"sessions":[...], ...}, from ListSessions' answer. A new
 * reference, or NULL without memory. */
json_t *json_query(const json_t *answer);
