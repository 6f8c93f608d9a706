#include "door/x11/name.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define LOCAL_NUMBER_MAX INT32_MAX
#define TCP_NUMBER_MAX (UINT16_MAX - 6000)

static int parse_path(struct name *ret, const char *path)
{
	struct name n = { .local = true };
	if (strlen(path) >= sizeof(n.path)) {
		return -EINVAL;
	}
	(void)snprintf(n.path, sizeof(n.path), "%s", path);
	*ret = n;
	return 0;
}

/* `N` or `N.S`. */
static int parse_number(uint32_t *ret, const char *text)
{
	char digits[16];
	size_t length = strcspn(text, ".");
	if (length >= sizeof(digits) ||
		(text[length] == '.' && !text_is_digits(text + length + 1))) {
		return -EINVAL;
	}
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)length, text);
	return text_to_u32(digits, ret) < 0 ? -EINVAL : 0;
}

static int take_host(struct name *n, const char *host, size_t length)
{
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	} else if (length > 0 && host[length - 1] == ':') {
		return -EINVAL; /* DECnet */
	}
	if (length == 0 || length >= sizeof(n->host) || memchr(host, '/', length) != NULL) {
		return -EINVAL;
	}
	(void)snprintf(n->host, sizeof(n->host), "%.*s", (int)length, host);
	return 0;
}

int name_parse(struct name *ret, const char *text)
{
	if (text[0] == '/') {
		return parse_path(ret, text);
	}
	if (strncmp(text, "unix:/", 6) == 0) {
		return parse_path(ret, text + 5);
	}
	const char *colon = strrchr(text, ':');
	struct name n = { 0 };
	if (colon == NULL || parse_number(&n.number, colon + 1) < 0) {
		return -EINVAL;
	}
	size_t host = (size_t)(colon - text);
	n.local = host == 0 || (host == 4 && strncmp(text, "unix", 4) == 0);
	int r = n.local ? 0 : take_host(&n, text, host);
	if (r < 0 || n.number > (n.local ? LOCAL_NUMBER_MAX : TCP_NUMBER_MAX)) {
		return -EINVAL;
	}
	*ret = n;
	return 0;
}
