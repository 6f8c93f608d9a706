/* The broker's own sandbox, which the kernel holds from confine() on for as long as the process
 * lives: Landlock, so that of all files it reaches only those that it works with, and a filter of
 * system calls, so that it starts no program and no process, maps no code, looks into no process,
 * and makes no socket but AF_UNIX. It has no rights that anybody could take from it in system mode;
 * this is for what any account may do.
 *
 * What it holds already, it keeps. What must not be confined begins before: broker/nursery. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What the kernel does not have, or does not let us have. */
#define CONFINE_NO_LANDLOCK (1 << 0)
#define CONFINE_NO_FILTER (1 << 1)

/* All borrowed; -1 and NULL are left out. */
struct confine_places {
	int write_fd[3]; /* folders in which files and folders are made, changed and removed */
	int read_fd;	 /* a folder in which files are read */
	/* A file that is read again and again, with all in its folder and in termserv.conf.d there;
	 * of links, where they lead now. */
	const char *config_path;
};

/* Confines this process, which must have one thread, for ever. 0, a sum of CONFINE_NO_* (the rest
 * holds), or -ENOMEM. In a sanitizer build nothing is confined, which the result does not tell: the
 * sanitizers trace and map. */
int confine(const struct confine_places *places);

bool confine_is_built(void); /* false in a sanitizer build */
