/* check-config: reads the server's configuration as the server would, and says what is wrong. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/report.h"
#include "config/server_config.h"

static void say(void *user, const char *file, unsigned line, const char *text)
{
	(void)user;
	if (line > 0) {
		report_line(stdout, "%s:%u: %s", file, line, text);
	} else {
		report_line(stdout, "%s: %s", file, text);
	}
}

int cmd_check_config(const struct command *c, const struct arguments *a)
{
	const char *path = a->words[0] != NULL ? a->words[0] : SERVER_CONFIG_PATH;
	AUTO(server_config_free) struct server_config *config = NULL;
	size_t mistakes = 0;
	(void)c;
	if (a->words[0] != NULL && access(path, F_OK) < 0) {
		report_line(stdout, "%s: there is no such file", path);
		return EXIT_FAILED;
	}
	int r = server_config_load(&config, path, config_names_system(), say, NULL, &mistakes);
	if (r < 0) {
		report_line(stderr, "There is not enough memory.");
		return EXIT_FAILED;
	}
	return mistakes == 0 ? EXIT_OK : EXIT_FAILED;
}
