#include "broker/configuration.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "broker/broker.h"
#include "config/server_config.h"

int configuration_load(struct broker *b)
{
	struct server_config *fresh = NULL;
	int r = server_config_new(&fresh, NULL);
	if (r < 0) {
		return r;
	}
	b->config = server_config_free(b->config);
	b->config = fresh;
	return 0;
}
