/* The file audit.log in the log folder: one JSON object a line, only ever appended to. At
 * AUDITLOG_MAX bytes it becomes audit.log.1, in the place of an older one.
 *
 * Never waits and never fails the operation that it records: what cannot be written is said once in
 * the log, and the next record tries again. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define AUDITLOG_MAX (16 * 1024 * 1024)
#define AUDITLOG_LOOK_BACK (1024 * 1024) /* so many bytes of a file are read for a list */

struct auditlog;

/* dir_fd is borrowed and must outlive it. `max`: AUDITLOG_MAX. 0 or -ENOMEM. */
int auditlog_new(struct auditlog **ret, int dir_fd, size_t max);
struct auditlog *auditlog_free(struct auditlog *a);

/* Appends one line; `line` is without its end. */
void auditlog_write(struct auditlog *a, const char *line);

/* The newest records that `wanted` (NULL: all) accepts, at most `most`, oldest first: an array, or
 * NULL without memory. Lines that are no object are passed over. */
json_t *auditlog_read(const struct auditlog *a, size_t most,
	bool (*wanted)(const json_t *record, const void *user), const void *user);
