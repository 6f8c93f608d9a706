/* The configuration that the broker serves by: read at start and again on request. A broker always
 * has one; in user mode it is what is built in.
 *
 * The names of users and groups in it are looked up by a process of their own (broker/names): while
 * a name service takes its time, the broker serves by the configuration that it has. At start it
 * has none yet and lets nobody in before the new one is whole: without a line that denies something
 * too much would be allowed. A name whose question fails is logged with the lines that need it, and
 * at start asked for again until it is known whether there is such a name. */
#pragma once

struct broker;

/* Sets what is built in. 0 or -ENOMEM. */
int configuration_init(struct broker *b);

/* Starts to read; what is under way is given up. Every mistake is logged with its file and line. At
 * start what is right in it counts, and then control_listen() is called where the sessions have
 * been taken over; a broker that has one keeps it where the new one has mistakes or a name service
 * does not answer in time. Without a path there is nothing to read. 0 or -errno: nothing is under
 * way. */
int configuration_load(struct broker *b);

/* Gives up what is under way. */
void configuration_done(struct broker *b);
