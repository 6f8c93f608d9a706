#include "broker/method.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/call.h"
#include "protocol/varlink.h"

#define SERVICE_INTERFACE "org.varlink.service"

/* Sorted by name. */
static const struct method control_methods[] = {
	/* name, right, audited, settled, more */
	{ "Connect", RIGHT_CONNECT, true, true, false, method_connect },
	{ "CreateSession", RIGHT_LOGON, true, true, false, method_create_session },
	{ "Disconnect", RIGHT_DISCONNECT, true, true, false, method_disconnect },
	{ "GetCaller", RIGHT_QUERY, false, true, false, method_get_caller },
	{ "GiveCable", RIGHT_LOGON, false, false, false, method_give_cable },
	{ "ListAudit", RIGHT_STOP, false, false, false, method_list_audit },
	{ "ListSessions", RIGHT_QUERY, false, true, false, method_list_sessions },
	{ "Logoff", RIGHT_LOGOFF, true, true, false, method_logoff },
	{ "OpenTerminal", RIGHT_LOGON, true, false, true, method_open_terminal },
	{ "QueryPermissions", RIGHT_QUERY, false, false, false, method_query_permissions },
	{ "Reset", RIGHT_RESET, true, true, false, method_reset },
	{ "Stop", RIGHT_STOP, true, true, false, method_stop },
};

/* What every Varlink service answers, whoever asks. */
static const struct method service_methods[] = {
	{ "GetInfo", RIGHT_NONE, false, false, false, method_get_info },
	{ "GetInterfaceDescription", RIGHT_NONE, false, false, false,
		method_get_interface_description },
};

static const struct interface {
	const char *name;
	const struct method *methods;
	size_t count;
} interfaces[] = {
	{ CONTROL_INTERFACE, control_methods, ARRAY_SIZE(control_methods) },
	{ SERVICE_INTERFACE, service_methods, ARRAY_SIZE(service_methods) },
};

static int compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct method *)row)->name);
}

const struct method *method_find(const char *full_name, bool *ret_known)
{
	const char *dot = strrchr(full_name, '.');
	size_t length = dot != NULL ? (size_t)(dot - full_name) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		const struct interface *in = &interfaces[i];
		if (strlen(in->name) == length && strncmp(in->name, full_name, length) == 0) {
			*ret_known = true;
			return bsearch(dot + 1, in->methods, in->count, sizeof(struct method),
				compare_name);
		}
	}
	*ret_known = false;
	return NULL;
}

const struct method *method_table(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(control_methods);
	return control_methods;
}

void method_run(struct call *call)
{
	const struct method *method = call->method;
	if (method->settled && call_park(call)) {
		return;
	}
	if (method->more && !call->more) {
		call_fail_standard(call, "ExpectedMore", NULL, NULL);
		return;
	}
	method->run(call);
}
