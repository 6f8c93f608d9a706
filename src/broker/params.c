#include "broker/params.h"

#include "base/cleanup.h"
#include "broker/call.h"

static void mark_wrong(struct params *p, const char *name)
{
	if (p->wrong == NULL) {
		p->wrong = name;
	}
}

/* NULL = absent or null. */
static json_t *member(const struct params *p, const char *name)
{
	json_t *value = json_object_get(p->call->parameters, name);
	return json_is_null(value) ? NULL : value;
}

const char *params_text(struct params *p, const char *name)
{
	json_t *value = member(p, name);
	if (value != NULL && !json_is_string(value)) {
		mark_wrong(p, name);
	}
	return json_string_value(value);
}

const char *params_need_text(struct params *p, const char *name)
{
	const char *text = params_text(p, name);
	if (text == NULL) {
		mark_wrong(p, name);
	}
	return text;
}

bool params_flag(struct params *p, const char *name)
{
	json_t *value = member(p, name);
	if (value != NULL && !json_is_boolean(value)) {
		mark_wrong(p, name);
	}
	return json_is_true(value);
}

bool params_need_flag(struct params *p, const char *name)
{
	if (member(p, name) == NULL) {
		mark_wrong(p, name);
	}
	return params_flag(p, name);
}

int64_t params_need_number(struct params *p, const char *name, int64_t least, int64_t most)
{
	json_t *value = member(p, name);
	int64_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < least || number > most) {
		mark_wrong(p, name);
		return least;
	}
	return number;
}

static int *fd_slot(struct params *p, const char *name)
{
	json_t *value = member(p, name);
	if (value == NULL) {
		return NULL;
	}
	json_int_t index = json_integer_value(value);
	struct fd_set_received *set = &p->call->fds;
	if (!json_is_integer(value) || index < 0 || (size_t)index >= set->count ||
		set->fds[index] < 0) {
		mark_wrong(p, name);
		return NULL;
	}
	return &set->fds[index];
}

int params_fd(struct params *p, const char *name)
{
	int *slot = fd_slot(p, name);
	return slot != NULL ? *slot : -1;
}

int params_need_fd(struct params *p, const char *name)
{
	int fd = params_fd(p, name);
	if (fd < 0) {
		mark_wrong(p, name);
	}
	return fd;
}

int params_take_fd(struct params *p, const char *name)
{
	int *slot = fd_slot(p, name);
	return slot != NULL ? TAKE_FD(*slot) : -1;
}
