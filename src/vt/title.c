/* Title, icon name, and their stack. Text of programs: it is cleaned here, and it never goes back
 * to a program.
 */
#include <stdlib.h>
#include <string.h>

#include "vt/state.h"

enum { KIND_ICON = 1, KIND_TITLE = 2 };

/* The length of the valid UTF-8 character at `text` (1 to 4), 0 = none that a title may hold. */
static size_t character(const uint8_t *text, size_t length)
{
	uint8_t c = text[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	if (n == 0 || n > length || c < 0x20 || c == 0x7f) {
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	bool c1 = c == 0xc2 && text[1] < 0xa0;
	bool overlong = (c == 0xe0 && text[1] < 0xa0) || (c == 0xf0 && text[1] < 0x90);
	bool beyond = (c == 0xed && text[1] > 0x9f) || (c == 0xf4 && text[1] > 0x8f);
	return c1 || overlong || beyond ? 0 : n;
}

/* A copy without controls and invalid bytes, cut to VT_TITLE_MAX; NULL = empty or no memory. */
static char *clean(const uint8_t *text, size_t length)
{
	char kept[VT_TITLE_MAX + 1];
	size_t used = 0;
	for (size_t i = 0; i < length;) {
		size_t n = character(text + i, length - i);
		if (used + n > VT_TITLE_MAX) {
			break;
		}
		memcpy(kept + used, text + i, n);
		used += n;
		i += n == 0 ? 1 : n;
	}
	kept[used] = '\0';
	return used == 0 ? NULL : strdup(kept);
}

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

static void tell(struct vt_screen *s)
{
	if (s->events.title != NULL) {
		s->events.title(s->user);
	}
}

void vt_title_set(struct vt_screen *s, unsigned kinds, const uint8_t *text, size_t length)
{
	struct vt_titles *t = &s->modes.titles;
	if ((kinds & KIND_TITLE) != 0) {
		replace(&t->title, clean(text, length));
	}
	if ((kinds & KIND_ICON) != 0) {
		replace(&t->icon, clean(text, length));
	}
	tell(s);
}

static char *copy(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

void vt_title_push(struct vt_screen *s, unsigned kinds)
{
	struct vt_titles *t = &s->modes.titles;
	if (t->depth == VT_TITLE_STACK) {
		free(t->stack[0].title);
		free(t->stack[0].icon);
		t->depth--;
		memmove(t->stack, t->stack + 1, t->depth * sizeof(t->stack[0]));
	}
	t->stack[t->depth++] = (struct vt_title_entry){
		.title = (kinds & KIND_TITLE) != 0 ? copy(t->title) : NULL,
		.icon = (kinds & KIND_ICON) != 0 ? copy(t->icon) : NULL,
		.kinds = (uint8_t)kinds,
	};
}

/* The entry goes; what it was pushed for and is asked for now comes back. */
void vt_title_pop(struct vt_screen *s, unsigned kinds)
{
	struct vt_titles *t = &s->modes.titles;
	if (t->depth == 0) {
		return;
	}
	struct vt_title_entry entry = t->stack[--t->depth];
	t->stack[t->depth] = (struct vt_title_entry){ 0 };
	kinds &= entry.kinds;
	if ((kinds & KIND_TITLE) != 0) {
		replace(&t->title, entry.title);
		entry.title = NULL;
	}
	if ((kinds & KIND_ICON) != 0) {
		replace(&t->icon, entry.icon);
		entry.icon = NULL;
	}
	free(entry.title);
	free(entry.icon);
	tell(s);
}

static size_t bytes_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

size_t vt_title_bytes(const struct vt_screen *s)
{
	const struct vt_titles *t = &s->modes.titles;
	size_t bytes = bytes_of(t->title) + bytes_of(t->icon);
	for (unsigned i = 0; i < t->depth; i++) {
		bytes += bytes_of(t->stack[i].title) + bytes_of(t->stack[i].icon);
	}
	return bytes;
}
