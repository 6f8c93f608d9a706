#include "config/right.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define SEPARATORS ", \t"

static const struct name {
	const char *text;
	enum right right;
} names[] = {
	{ "QUERY", RIGHT_QUERY },
	{ "SET", RIGHT_SET },
	{ "RESET", RIGHT_RESET },
	{ "VIRTUAL", RIGHT_VIRTUAL },
	{ "SHADOW", RIGHT_SHADOW },
	{ "LOGON", RIGHT_LOGON },
	{ "LOGOFF", RIGHT_LOGOFF },
	{ "MESSAGE", RIGHT_MESSAGE },
	{ "CONNECT", RIGHT_CONNECT },
	{ "DISCONNECT", RIGHT_DISCONNECT },
};
_Static_assert(ARRAY_SIZE(names) == RIGHT_COUNT, "every right has its row");

static const struct level {
	const char *text;
	unsigned allow, deny;
} levels[] = {
	{ "None", 0, RIGHTS_FULL },
	{ "Guest", RIGHTS_GUEST, 0 },
	{ "User", RIGHTS_USER, 0 },
	{ "Full", RIGHTS_FULL, 0 },
};

const char *right_text(enum right right)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].right == right) {
			return names[i].text;
		}
	}
	return right == RIGHT_STOP ? "STOP" : "NONE";
}

static enum right find(const char *word, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i].text) == length &&
			strncasecmp(names[i].text, word, length) == 0) {
			return names[i].right;
		}
	}
	return RIGHT_NONE;
}

enum right right_from_text(const char *text)
{
	return find(text, strlen(text));
}

enum right right_by_index(size_t index)
{
	return index < ARRAY_SIZE(names) ? names[index].right : RIGHT_NONE;
}

static bool add_word(const char *word, size_t length, unsigned *allow, unsigned *deny)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strlen(levels[i].text) == length &&
			strncasecmp(levels[i].text, word, length) == 0) {
			*allow |= levels[i].allow;
			*deny |= levels[i].deny;
			return true;
		}
	}
	bool denied = word[0] == '-';
	enum right right = denied ? find(word + 1, length - 1) : find(word, length);
	*(denied ? deny : allow) |= (unsigned)right;
	return right != RIGHT_NONE;
}

int rights_parse(const char *text, unsigned *ret_allow, unsigned *ret_deny, const char **ret_wrong,
	size_t *ret_length)
{
	unsigned allow = 0, deny = 0;
	const char *word = text + strspn(text, SEPARATORS);
	*ret_wrong = word;
	*ret_length = 0;
	if (*word == '\0') {
		return -EINVAL;
	}
	while (*word != '\0') {
		size_t length = strcspn(word, SEPARATORS);
		if (!add_word(word, length, &allow, &deny)) {
			*ret_wrong = word;
			*ret_length = length;
			return -EINVAL;
		}
		word += length;
		word += strspn(word, SEPARATORS);
	}
	*ret_allow = allow;
	*ret_deny = deny;
	return 0;
}
