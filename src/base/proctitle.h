/* The name and the command line of a process that goes on as another program without an exec(). */
#pragma once

/* ps shows `words` (NULL-ended; the first is the program's name, 15 bytes of which are its short
 * name) from now on, cut to the room that `argv` has, which is main()'s own and is overwritten. */
void proctitle_set(char **argv, const char *const *words);
