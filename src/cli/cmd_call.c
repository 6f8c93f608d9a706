/* termserv call: one method of the server's interface, for systems without varlinkctl. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/server.h"
#include "protocol/varlink.h"

#define CALL_LIMIT_MS 30000
#define NAME_SIZE 256

int cmd_call(const struct command *c, const struct arguments *a)
{
	AUTO(server_close) struct server server = SERVER_NONE;
	AUTO(json) json_t *parameters = json_object();
	AUTO(json) json_t *answer = NULL;
	AUTO(free) char *error = NULL;
	struct failure failure;
	char name[NAME_SIZE];
	if (a->words[1] != NULL) {
		json_decref(parameters);
		parameters = json_loads(a->words[1], JSON_REJECT_DUPLICATES, NULL);
	}
	bool own = strchr(a->words[0], '.') == NULL;
	int n = snprintf(name, sizeof(name), "%s%s", own ? CONTROL_INTERFACE "." : "", a->words[0]);
	if (!json_is_object(parameters) || n < 0 || (size_t)n >= sizeof(name)) {
		return command_usage(
			c, "The parameters are a JSON object, as '{\"filter\":\"12\"}'.");
	}
	if (server_reach(&server, a, &failure) < 0) {
		return report_failure(&failure, "call %s", name);
	}
	json_t *message = json_incref(parameters);
	int r = varlink_call(server.link, name, message, NULL, 0, CALL_LIMIT_MS, &answer, &error);
	if (r < 0) {
		failure_from_errno(&failure, r);
		return report_failure(&failure, "call %s", name);
	}
	if (r > 0) {
		report_line(stderr, "%s", error);
		(void)json_print(stderr, answer, true);
		return EXIT_FAILED;
	}
	return json_print(stdout, answer, true) == 0 ? EXIT_OK : EXIT_FAILED;
}
