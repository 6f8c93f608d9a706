#include "cli/json.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* jansson leaves DEL as it is; in JSON it can only stand in a text. */
static void put_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == 0x7f) {
			(void)fputs("\\u007f", out);
		} else {
			(void)fputc(*text, out);
		}
	}
}

int json_print(FILE *out, const json_t *value, bool pretty)
{
	size_t flags = JSON_ENSURE_ASCII | JSON_ENCODE_ANY;
	AUTO(free) char *text = json_dumps(value, flags | (pretty ? JSON_INDENT(2) : JSON_COMPACT));
	if (text == NULL) {
		return -ENOMEM;
	}
	put_text(out, text);
	(void)fputc('\n', out);
	return 0;
}

json_t *json_query(const json_t *answer)
{
	json_t *query = json_pack("{s:i}", "version", JSON_QUERY_VERSION);
	json_t *sessions = json_object_get(answer, "sessions");
	if (query == NULL) {
		return NULL;
	}
	int r = json_is_array(sessions) ? json_object_set(query, "sessions", sessions)
					: json_object_set_new(query, "sessions", json_array());
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)answer, key, value)
	{
		if (json_object_get(query, key) == NULL) {
			r |= json_object_set(query, key, value);
		}
	}
	if (r != 0) {
		json_decref(query);
		return NULL;
	}
	return query;
}
