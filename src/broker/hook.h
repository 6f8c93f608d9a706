/* Named points where a test stops (SIGSTOP) or kills (SIGKILL) the broker. Compiled in only with
 * the build option `hooks`.
 *
 * A hook is armed by the environment variable TERMSERV_HOOK=name[:kill], then it fires once for the
 * runtime folder (the file hook-NAME in it remembers that), or by a file `hook` in the runtime
 * folder that holds name[:kill] and is removed when it fires.
 *
 * TERMSERV_MINUTE_MS in the environment: so long is a minute of the time limits. */
#pragma once

struct limits;

#ifdef TERMSERV_HOOKS
void hook(int runtime_fd, const char *name);
void hook_limits(struct limits *limits);
#else
static inline void hook_limits(struct limits *limits)
{
}
static inline void hook(int runtime_fd, const char *name)
{
}
#endif
