/* One call of a method, from its arrival to its final answer. A method owns its call: it answers
 * it, or keeps it and answers later. The caller may be gone by then; the answer is the same.
 *
 * Every final answer writes the method's audit record. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/fd.h"
#include "broker/audit.h"
#include "config/server_config.h"
#include "protocol/error.h"

struct broker;
struct caller_groups;
struct connection;
struct method;
struct policy_question;

struct call {
	struct broker *broker;
	struct connection *connection; /* NULL once the caller is gone */
	const struct method *method;
	uid_t uid;
	struct caller_groups *groups;
	bool acting;	/* the door of a terminal speaks for who logged on there: uid and groups are
			   his */
	uid_t door_uid; /* acting: who really calls */
	struct caller_groups *door_groups;
	pid_t pid;
	uint32_t session; /* the session that the caller sits in, 0 = none */
	json_t *parameters;
	struct fd_set_received fds;
	bool more, oneway;
	uint32_t granted;  /* the session whose leader has accepted the call's warrant, 0 = none */
	bool granted_free; /* it did so without a password, because the configuration lets root */
	struct audit audit;

	/* For who keeps the call: the caller went. NULL = the answer is just dropped. */
	void (*on_gone)(struct call *call);
	void *keeper;
	bool waiting;		 /* stands in broker->parked */
	TAILQ_ENTRY(call) entry; /* of the keeper's list */
};

struct call *call_free(struct call *call); /* unanswered; NULL is fine; returns NULL */

/* Final answers; each frees the call. `parameters` is consumed, NULL = no memory for it. */
void call_reply(struct call *call, json_t *parameters);
void call_reply_empty(struct call *call);
void call_fail(struct call *call, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void call_fail_errno(struct call *call, int error, const char *what); /* "Session 5 could not..." */
void call_fail_parameter(struct call *call, const char *parameter);   /* the standard error */
void call_fail_standard(struct call *call, const char *error, const char *field, const char *text);

/* One answer of several; the call stays. False: the caller does not read, and will be gone. */
bool call_continue(struct call *call, json_t *parameters);

/* Bytes of earlier answers are still unsent. */
bool call_is_congested(const struct call *call);

/* Asks the policy in this caller's name: fills in who asks and what the configuration gives him on
 * question.listener. */
struct policy_answer call_ask(const struct call *call, struct policy_question question);
enum error_code call_decide(const struct call *call, struct policy_question question);

/* Fills in the same, and asks nothing. */
void call_introduce(const struct call *call, struct policy_question *question);

/* Who calls, in the words of the configuration; the groups stay the call's. */
struct config_who call_who(const struct call *call);

bool call_is_administrator(const struct call *call); /* in user mode: the owner */

/* Keeps the call until what was answered to this caller before is seen in the tables; then it is
 * run again. False: nothing to wait for. */
bool call_park(struct call *call);
void call_unpark_later(struct broker *b);
void call_unpark_all(struct broker *b);
