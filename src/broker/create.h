/* The operation behind CreateSession. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "broker/attempts.h"

struct broker;
struct call;
struct caller_groups;
struct terminal;

struct create_request {
	uint32_t id;
	uid_t owner;		      /* whose session it shall be; ATTEMPTS_NOBODY: nobody's, but
					 whoever asks shall not know that before the time */
	struct terminal *terminal;    /* that asks; or NULL */
	bool login;		      /* somebody types name and password at `terminal` */
	struct attempt attempt;	      /* with login: under way, ended by the operation */
	struct caller_groups *groups; /* with login: the owner's, or NULL; borrowed */
};

/* Takes the call and the proof. */
void create_start(struct call *call, const struct create_request *request, int proof_fd);

/* Calls that wait for the name service; unanswered. */
void create_free_lookups(struct broker *b);

/* Sessions that are being made at this moment, of this caller (NULL: of all), logons at fixed
 * terminals not among them. */
size_t create_count(const struct broker *b, const uid_t *uid);

/* termservd's answer to the request with this serial: 0 or -errno. */
void create_spawned(struct broker *b, uint32_t serial, int error);
