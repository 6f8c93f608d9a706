/* The methods of the control link, one row each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "broker/policy.h"

struct call;

struct method {
	const char *name; /* without its interface */
	enum right right; /* what the caller needs on what the method is about */
	bool audited;	  /* writes a record */
	bool settled;	  /* sees what was answered before: waits for swaps that are under way */
	bool more;	  /* answers several times, or not at all */
	void (*run)(struct call *call);
};

/* The row of this full name. NULL: there is none; *ret_known tells whether its interface exists. */
const struct method *method_find(const char *full_name, bool *ret_known);

/* All methods of io.termserv.Control, sorted by name; for tests. */
const struct method *method_table(size_t *ret_count);

/* Runs the call's method, now or when it can see what was answered before. */
void method_run(struct call *call);

void method_connect(struct call *call);
void method_create_session(struct call *call);
void method_disconnect(struct call *call);
void method_get_caller(struct call *call);
void method_give_cable(struct call *call);
void method_list_audit(struct call *call);
void method_list_sessions(struct call *call);
void method_logoff(struct call *call);
void method_open_terminal(struct call *call);
void method_query_permissions(struct call *call);
void method_reset(struct call *call);
void method_stop(struct call *call);

void method_get_info(struct call *call);
void method_get_interface_description(struct call *call);
