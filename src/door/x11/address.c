#include "door/x11/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "protocol/x11.h"

#define TCP_PORT 6000

static void add(struct addresses *a, const void *address, size_t length)
{
	if (a->count < ADDRESSES_MAX && length <= sizeof(struct sockaddr_storage)) {
		struct address *to = &a->list[a->count++];
		memcpy(&to->storage, address, length);
		to->length = (socklen_t)length;
	}
}

/* The file, and behind it the abstract name that X servers have as well. */
static void add_local(struct addresses *a, const struct name *name)
{
	struct sockaddr_un file = { .sun_family = AF_UNIX };
	if (name->path[0] != '\0') {
		memcpy(file.sun_path, name->path, sizeof(file.sun_path));
		add(a, &file, sizeof(file));
		return;
	}
	struct sockaddr_un abstract = { .sun_family = AF_UNIX };
	int n = snprintf(
		file.sun_path, sizeof(file.sun_path), X11_SOCKET_FOLDER "/X%u", name->number);
	memcpy(abstract.sun_path + 1, file.sun_path, (size_t)n);
	add(a, &file, sizeof(file));
	add(a, &abstract, offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int add_tcp(struct addresses *a, const struct name *name)
{
	in_port_t port = htons((uint16_t)(TCP_PORT + name->number));
	if (strcmp(name->host, "localhost") == 0) {
		struct sockaddr_in four = { .sin_family = AF_INET,
			.sin_port = port,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct sockaddr_in6 six = { .sin6_family = AF_INET6,
			.sin6_port = port,
			.sin6_addr = IN6ADDR_LOOPBACK_INIT };
		add(a, &four, sizeof(four));
		add(a, &six, sizeof(six));
		return 0;
	}
	char service[8];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	(void)snprintf(service, sizeof(service), "%u", ntohs(port));
	if (getaddrinfo(name->host, service, &hints, &list) != 0) {
		return -ENOENT;
	}
	for (const struct addrinfo *i = list; i != NULL; i = i->ai_next) {
		if (i->ai_family == AF_INET || i->ai_family == AF_INET6) {
			add(a, i->ai_addr, i->ai_addrlen);
		}
	}
	freeaddrinfo(list);
	return a->count > 0 ? 0 : -ENOENT;
}

int addresses_find(struct addresses *ret, const struct name *name)
{
	struct addresses a = { 0 };
	if (name->local) {
		add_local(&a, name);
	} else if (add_tcp(&a, name) < 0) {
		return -ENOENT;
	}
	*ret = a;
	return 0;
}

void addresses_keys(const struct addresses *a, struct authority_keys *ret)
{
	*ret = (struct authority_keys){ 0 };
	for (size_t i = 0; i < a->count; i++) {
		const struct address *at = &a->list[i];
		const struct sockaddr_in *four = (const struct sockaddr_in *)&at->storage;
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&at->storage;
		if (at->any.sa_family == AF_INET &&
			four->sin_addr.s_addr != htonl(INADDR_LOOPBACK)) {
			authority_add_key(
				ret, AUTHORITY_INTERNET, &four->sin_addr, sizeof(four->sin_addr));
		} else if (at->any.sa_family == AF_INET6 &&
			   !IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)) {
			authority_add_key(
				ret, AUTHORITY_INTERNET6, &six->sin6_addr, sizeof(six->sin6_addr));
		} else {
			char host[256];
			if (gethostname(host, sizeof(host)) == 0) {
				authority_add_key(
					ret, AUTHORITY_LOCAL, host, strnlen(host, sizeof(host)));
			}
		}
	}
}

int address_connect(const struct address *a, int *ret_fd)
{
	AUTO_FD int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	if (a->any.sa_family != AF_UNIX) { /* a key pressed is not to wait for the next one */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	}
	int r = connect(fd, &a->any, a->length);
	if (r < 0 && errno != EINPROGRESS) {
		return -errno;
	}
	*ret_fd = TAKE_FD(fd);
	return r < 0 ? 1 : 0;
}

/* Anybody may take an abstract name; a file's folder says whose it is. */
int address_trust(const struct address *a, int fd)
{
	struct ucred peer;
	if (a->any.sa_family != AF_UNIX || a->local.sun_path[0] != '\0') {
		return 0;
	}
	return fd_peer(fd, &peer) == 0 && (peer.uid == geteuid() || peer.uid == 0) ? 0 : -EPERM;
}
