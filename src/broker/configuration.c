#include "broker/configuration.h"

#include <errno.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "broker/limits.h"
#include "config/server_config.h"

static void say_mistake(void *user, const char *file, unsigned line, const char *text)
{
	if (line > 0) {
		log_error("%s:%u: %s", file, line, text);
	} else {
		log_error("%s: %s", file, text);
	}
}

int configuration_load(struct broker *b)
{
	AUTO(server_config_free) struct server_config *fresh = NULL;
	size_t mistakes = 0;
	int r;
	if (b->mode == POLICY_SYSTEM_MODE) {
		const char *path = b->config_path != NULL ? b->config_path : SERVER_CONFIG_PATH;
		r = server_config_load(
			&fresh, path, config_names_system(), say_mistake, NULL, &mistakes);
	} else {
		r = server_config_new(&fresh, NULL);
	}
	if (r < 0) {
		return r;
	}
	if (b->mode != POLICY_SYSTEM_MODE) {
		fresh->sessions_per_user = LIMIT_SESSIONS_PER_UID; /* all are one user's */
	}
	if (mistakes > 0 && b->config != NULL) {
		return -EINVAL;
	}
	bool again = b->config != NULL;
	b->config = server_config_free(b->config);
	b->config = TAKE_PTR(fresh);
	if (again) {
		broker_changed(b); /* who may see what */
	}
	return 0;
}
