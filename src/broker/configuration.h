/* The configuration that the broker serves by: read at start and again on request. A broker always
 * has one; in user mode it is what is built in. */
#pragma once

struct broker;

/* Reads it; every mistake is logged with its file and line. At start what is right in it counts. A
 * broker that has one keeps it where the new one has mistakes. 0, -EINVAL (mistakes, nothing
 * changed), or -ENOMEM. */
int configuration_load(struct broker *b);
