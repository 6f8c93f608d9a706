/* Ownership by scope. AUTO(f) frees at the end of the block, TAKE_* hands over. No allocation here.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* `AUTO(session_free) struct session *s = NULL;` calls session_free(s) when s goes out of scope. */
#define AUTO(f) __attribute__((cleanup(auto_##f), unused)) /* its end may be its only use */

/* Makes f usable with AUTO(). f takes a pointer, accepts NULL; its result is ignored. */
#define AUTO_DEFINE(type, f)                                                                       \
	static inline void auto_##f(type **p)                                                      \
	{                                                                                          \
		if (*p != NULL) {                                                                  \
			(void)f(*p);                                                               \
		}                                                                                  \
	}                                                                                          \
	struct auto_semicolon_

static inline void auto_free(void *p)
{
	free(*(void **)p);
}

static inline void auto_close(int *fd)
{
	if (*fd >= 0) {
		(void)close(*fd);
	}
}

/* A descriptor that is closed at the end of the block; -1 = none. */
#define AUTO_FD __attribute__((cleanup(auto_close), unused))

#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
