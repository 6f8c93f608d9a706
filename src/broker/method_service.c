/* org.varlink.service: what every Varlink service says about itself. */
#include <string.h>

#include "broker/call.h"
#include "broker/method.h"
#include "broker/params.h"
#include "protocol/idl.h"
#include "protocol/varlink.h"

static const char service_interface[] = "org.varlink.service";

static const char service_text[] =
	"# What every Varlink service answers.\n"
	"interface org.varlink.service\n"
	"\n"
	"# Who made this service, and what it offers.\n"
	"method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
	"interfaces: []string)\n"
	"\n"
	"# The description of one interface.\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

void method_get_info(struct call *call)
{
	call_reply(call, json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "termserv",
				 "product", "termserv terminal server", "version", TERMSERV_VERSION,
				 "url", "", "interfaces", CONTROL_INTERFACE, service_interface));
}

void method_get_interface_description(struct call *call)
{
	struct params p = params_of(call);
	const char *interface = params_need_text(&p, "interface");
	if (p.wrong != NULL) {
		call_fail_parameter(call, p.wrong);
	} else if (strcmp(interface, CONTROL_INTERFACE) == 0) {
		call_reply(call, json_pack("{s:s}", "description", idl_text()));
	} else if (strcmp(interface, service_interface) == 0) {
		call_reply(call, json_pack("{s:s}", "description", service_text));
	} else {
		call_fail_standard(call, "InterfaceNotFound", "interface", interface);
	}
}
