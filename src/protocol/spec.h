/* What a session is to run: written by the owner's command into a memory file, read by the owner's
 * host.
 *
 * The descriptor travels from the command through the socket that proves who the owner is: the
 * leader takes it from there and hands it to the host unread, so that neither broker nor leader
 * ever parses it. Form: struct spec_header, then the texts, each NUL-ended: working directory,
 * TERM, arguments, environment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_VERSION 1
#define SPEC_SIZE_MAX (1024 * 1024)
#define SPEC_ARGUMENTS_MAX 4096
#define SPEC_ENVIRONMENT_MAX 4096
#define SPEC_HISTORY_DEFAULT (4 * 1024 * 1024) /* bytes of history a session may keep */
#define SPEC_HISTORY_MAX (256 * 1024 * 1024)

struct spec_header {
	uint32_t version;
	uint16_t rows, columns;	 /* the first size; a terminal brings its own later */
	uint32_t history_bytes;	 /* budget */
	uint32_t argument_count; /* 0 = the login shell */
	uint32_t environment_count;
	uint32_t wait_ms; /* wait so long for the first terminal before the program starts; 0 =
			     start at once */
	uint32_t umask;	  /* of the program; 0-0777 */
};

/* Read side: owns one block of memory that the texts lie in. */
struct spec {
	struct spec_header header;
	const char *directory;
	const char *term;
	char **arguments;   /* NULL-ended */
	char **environment; /* NULL-ended */
	char *block;	    /* the texts */
};

/* Reads a spec from `fd` (from its start, at most SPEC_SIZE_MAX bytes). 0, -EPROTO (bad form or
 * version), or -errno. */
int spec_read(struct spec *ret, int fd);

/* Parses `size` bytes that the caller keeps alive and writable as long as `ret`. 0 or -EPROTO,
 * -ENOMEM. */
int spec_parse(struct spec *ret, char *bytes, size_t size);
void spec_done(struct spec *s);

/* Write side: a sealed memory file that holds this spec (block is ignored). fd, -E2BIG, or -errno.
 */
int spec_write(const struct spec *s);
