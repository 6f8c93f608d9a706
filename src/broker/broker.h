/* The broker: the tables of sessions, terminals and connections, and the loop that serves them.
 *
 * The truth about a session lives in its leader and host; the tables repeat what LINK_INFO said
 * last. The broker never sees a session's bytes, starts no program, and never waits. Everything
 * happens in one thread; objects are freed only from the loop's own callbacks, never from a reply.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "broker/journal.h"
#include "broker/limits.h"
#include "broker/policy.h"

struct attempts;
struct auditlog;
struct call;
struct config_names;
struct connection;
struct control;
struct inquiry;
struct lookup;
struct names;
struct operation;
struct parent;
struct reading;
struct server_config;
struct session;
struct stop;
struct terminal;

TAILQ_HEAD(session_list, session);
TAILQ_HEAD(terminal_list, terminal);
TAILQ_HEAD(connection_list, connection);
TAILQ_HEAD(operation_list, operation);
TAILQ_HEAD(call_list, call);
TAILQ_HEAD(inquiry_list, inquiry);
TAILQ_HEAD(lookup_list, lookup);

struct broker {
	sd_event *event;
	struct limits limits;
	enum policy_mode mode;
	uid_t owner;
	char *owner_name;   /* NULL = the uid has no name */
	int runtime_fd;	    /* the runtime folder */
	char *runtime_path; /* as the kernel names it */
	int state_fd;	    /* the folder for our own files; in user mode the runtime folder */
	int log_fd;	    /* the folder of audit.log; in user mode the runtime folder */
	struct server_config *config; /* never NULL */
	struct names *names;	      /* NULL in user mode */
	char *config_path;	      /* of the system's configuration; NULL in user mode */
	const struct config_names *names_source; /* NULL = the system's user database */
	struct reading *reading;		 /* of the configuration, under way; or NULL */
	bool configured;			 /* it has been read */
	bool restored;				 /* sessions have been taken over */

	struct auditlog *auditlog;
	struct journal journal;

	struct parent *parent;
	struct control *control;

	struct session_list sessions; /* by ID */
	struct terminal_list terminals;
	struct connection_list connections;
	struct operation_list operations;
	size_t session_count, terminal_count, connection_count;

	struct inquiry_list inquiries; /* what leaders are asked, and answers that are late */
	struct attempts *attempts;     /* failed passwords */
	struct lookup_list lookups;    /* logons whose user is being looked up */

	struct call_list watchers; /* kept ListSessions calls */
	struct call_list parked;   /* calls that wait for a swap that was answered already */
	size_t watcher_count, parked_count;
	sd_event_source *watch_timer;
	sd_event_source *unpark;
	sd_event_source *timelimit_timer;
	uint64_t timelimit_at; /* clock_monotonic_ms() when it fires; 0 = not */

	uint32_t last_id; /* the highest session ID known */
	uint32_t last_serial;
	uint64_t last_ticket;
	uint64_t created, disconnected, reconnected; /* sessions, since this broker started */
	size_t restoring;			     /* leaders that have not said who they are */
	unsigned looks;				     /* for leaders, since the start */
	sd_event_source *restore_timer;
	bool stopping;	   /* the server is being ended: nothing new is let in */
	struct stop *stop; /* how far that is */
};

struct broker_setup {
	enum policy_mode mode;
	int runtime_fd;
	int state_fd, log_fd;	 /* folders; -1 = the runtime folder */
	const char *config_path; /* NULL = there is no configuration, but what is built in */
	const struct config_names *names_source; /* NULL = the system's user database; borrowed */
	const struct limits *limits;
};

/* A broker without parent and control socket. Takes the setup's descriptors on success. 0 or
 * -errno. */
int broker_new(struct broker **ret, const struct broker_setup *setup);

/* Frees everything in it. Sessions go on: only the links to them are closed. */
struct broker *broker_free(struct broker *b);

/* Starts to take sessions over and, when that is done, to serve the listening socket `control_fd`
 * and the parent at `parent_fd` (both taken, also on failure). 0 or -errno. */
int broker_start(struct broker *b, int control_fd, int parent_fd);

/* Lets callers in if the configuration has been read and the sessions have been taken over. */
void broker_serve(struct broker *b);

uint32_t broker_serial(struct broker *b); /* for a packet to a leader; never 0 */

/* Something that a list shows has changed. */
void broker_changed(struct broker *b);

/* The name of this uid, or NULL: as it was last heard, or as a session tells it. Never waits. */
const char *broker_user_name(const struct broker *b, uid_t uid);
