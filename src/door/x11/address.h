/* Where an X display really is: the addresses to try, and the connection to one of them. */
#pragma once

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "door/x11/authority.h"
#include "door/x11/name.h"

#define ADDRESSES_MAX 8

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage storage;
	};
	socklen_t length;
};

struct addresses {
	struct address list[ADDRESSES_MAX];
	size_t count;
};

/* Asks the name service where the name is neither local nor an address: the one thing here that may
 * take its time. 0, or -ENOENT when nobody knows it. */
int addresses_find(struct addresses *ret, const struct name *name);

/* Whose cookie it is: the local machine's, or that of the TCP addresses. */
void addresses_keys(const struct addresses *a, struct authority_keys *ret);

/* A connection that is made (0) or on its way (1): *ret_fd. Or -errno. */
int address_connect(const struct address *a, int *ret_fd);

/* After a connection was made: -EPERM when nobody should be told a secret there. */
int address_trust(const struct address *a, int fd);
