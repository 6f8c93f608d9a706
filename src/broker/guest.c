/* Only what was on a terminal and left it is ended, never what merely is on none: neither a broker
 * that starts again nor a configuration that has changed ends what is there. */
#include "broker/guest.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "broker/audit.h"
#include "broker/broker.h"
#include "broker/names.h"
#include "broker/session.h"
#include "config/server_config.h"
#include "protocol/link.h"

#define NAME_WAIT_MS 5000

bool guest_is(const struct broker *b, const struct config_who *who, const char *listener)
{
	unsigned allow = 0;
	unsigned deny = 0;
	if (b->mode != POLICY_SYSTEM_MODE) {
		return false;
	}
	server_config_rights(b->config, listener, who, &allow, &deny);
	return (allow & ~deny) == RIGHTS_GUEST && !server_config_is_administrator(b->config, who);
}

static bool is_guest(const struct session *s, const struct names_answer *a)
{
	const struct config_who who = {
		.uid = a->uid, .groups = a->groups, .group_count = a->group_count
	};
	return guest_is(s->broker, &who, s->info.listener);
}

static void end(struct session *s)
{
	struct link_simple packet = link_make(LINK_LOGOFF, broker_serial(s->broker));
	packet.reason = LINK_REASON_ADMIN_LOGOFF;
	(void)snprintf(packet.text, sizeof(packet.text),
		"Session %u was ended: its owner is a guest, and it has left its terminal.", s->id);
	if (session_send(s, &packet, NULL, 0) == 0) {
		log_info("%s", packet.text);
		audit_write_own(s->broker, s, "GuestLeft");
	}
}

static void on_groups(void *user, const struct names_answer *answer)
{
	struct session *s = user;
	s->guest = NULL;
	if (answer->error < 0) {
		log_warning("session %u: its owner cannot be looked up: %s", s->id,
			strerror(-answer->error));
		return;
	}
	/* It may have found another terminal meanwhile, or be about to. */
	bool gone = !session_is_active(s) && !session_is_ending(s) && s->operation == NULL;
	if (gone && answer->uid == (uid_t)s->info.uid && is_guest(s, answer)) {
		end(s);
	}
}

void guest_left(struct session *s)
{
	struct broker *b = s->broker;
	const char *name = s->info.user[0] != '\0' ? s->info.user
						   : broker_user_name(b, (uid_t)s->info.uid);
	if (b->names == NULL || s->guest != NULL || name == NULL || session_is_ending(s)) {
		return;
	}
	int r = names_ask_user(&s->guest, b->names, name, NAME_WAIT_MS, on_groups, s);
	if (r < 0) {
		log_warning("session %u: its owner cannot be looked up: %s", s->id, strerror(-r));
	}
}
