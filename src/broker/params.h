/* Reads the parameters of a call. Once one has the wrong type, `wrong` names it and stays, so that
 * a row of reads can be checked once at its end. Absent and null are the same; unknown members are
 * ignored. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

struct params {
	struct call *call;
	const char *wrong; /* the first parameter that is no good, or NULL */
};

static inline struct params params_of(struct call *call)
{
	return (struct params){ .call = call };
}

const char *params_text(struct params *p, const char *name);	  /* borrowed; NULL = absent */
const char *params_need_text(struct params *p, const char *name); /* absent is wrong */
bool params_flag(struct params *p, const char *name);		  /* absent = false */
bool params_need_flag(struct params *p, const char *name);

/* A number from `least` to `most`; absent is wrong. */
int64_t params_need_number(struct params *p, const char *name, int64_t least, int64_t most);

/* The descriptor that the message carries at this index: still the call's. -1 = absent. */
int params_fd(struct params *p, const char *name);
int params_need_fd(struct params *p, const char *name);

/* Takes the descriptor out of the call. */
int params_take_fd(struct params *p, const char *name);
