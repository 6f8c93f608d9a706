#include "protocol/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct link_header) == 8, "wire size");
_Static_assert(sizeof(struct link_simple) == 408, "wire size");
_Static_assert(sizeof(struct link_spawn) == 160, "wire size");
_Static_assert(sizeof(struct link_info) == 952, "wire size");

#define LINK_ERRNO_MAX 4095 /* the kernel's own limit */

struct text_field {
	size_t offset, size;
};

#define FIELD(type, name)                                                                          \
	{                                                                                          \
		offsetof(struct type, name), sizeof(((struct type *)NULL)->name)                   \
	}

static const struct text_field simple_texts[] = {
	FIELD(link_simple, terminal),
	FIELD(link_simple, client),
	FIELD(link_simple, text),
	{ 0, 0 },
};

static const struct text_field info_texts[] = {
	FIELD(link_info, terminal),
	FIELD(link_info, client),
	FIELD(link_info, tty),
	FIELD(link_info, term),
	FIELD(link_info, command),
	FIELD(link_info, title),
	FIELD(link_info, user),
	FIELD(link_info, listener),
	{ 0, 0 },
};

static const struct text_field spawn_texts[] = {
	FIELD(link_spawn, listener),
	FIELD(link_spawn, terminal),
	FIELD(link_spawn, client),
	{ 0, 0 },
};

const char *session_state_text(enum session_state state)
{
	static const char *const texts[] = { "Active", "Conn", "ConnQ", "Shadow", "Disc", "Idle",
		"Listen", "Reset", "Down", "Init" };
	return (size_t)state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "?";
}

/* The size of a packet of this type, or 0 for a type that does not exist. */
static size_t packet_size(uint16_t type)
{
	switch (type) {
	case LINK_SPAWN:
		return sizeof(struct link_spawn);
	case LINK_INFO:
		return sizeof(struct link_info);
	case LINK_REFUSED:
	case LINK_SPAWNED:
	case LINK_STOP:
	case LINK_HELLO:
	case LINK_PLUG:
	case LINK_READY:
	case LINK_COMMIT:
	case LINK_ABORT:
	case LINK_PLUGGED:
	case LINK_UNPLUG:
	case LINK_UNPLUGGED:
	case LINK_LOGOFF:
	case LINK_RESET:
	case LINK_ENDED:
	case LINK_WARRANT:
	case LINK_WARRANTED:
	case LINK_NOTICE:
	case LINK_START:
		return sizeof(struct link_simple);
	default:
		return 0;
	}
}

struct link_simple link_make(enum link_type type, uint32_t serial)
{
	return (struct link_simple){
		.header = { .version = LINK_VERSION, .type = (uint16_t)type, .serial = serial },
	};
}

void link_copy_text(char *to, size_t size, const char *from)
{
	size_t length = 0; /* counted by hand: strnlen() would be told more than some fields hold */
	while (length < size && from[length] != '\0') {
		length++;
	}
	if (length == size) {
		length = size - 1;
		while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80) {
			length--;
		}
	}
	memmove(to, from, length);
	memset(to + length, 0, size - length);
}

int link_send(int fd, const union link_packet *packet, const int *fds, size_t fd_count)
{
	size_t size = packet_size(packet->header.type);
	if (size == 0) {
		return -EINVAL;
	}
	struct iovec iov = { .iov_base = (void *)packet, .iov_len = size };
	ssize_t n = fd_send(fd, &iov, 1, fds, fd_count);
	return n < 0 ? (int)n : 0;
}

int link_send_simple(int fd, const struct link_simple *message)
{
	struct iovec iov = { .iov_base = (void *)message, .iov_len = sizeof(*message) };
	ssize_t n = fd_send(fd, &iov, 1, NULL, 0);
	return n < 0 ? (int)n : 0;
}

/* Every text must end inside its field; what lies behind its end is wiped, so that nobody hands a
 * peer's rubbish on. */
static int check_texts(union link_packet *packet, const struct text_field *fields)
{
	for (; fields->size > 0; fields++) {
		char *text = (char *)packet + fields->offset;
		size_t length = strnlen(text, fields->size);
		if (length == fields->size) {
			return -EPROTO;
		}
		memset(text + length, 0, fields->size - length);
	}
	return 0;
}

/* Whoever reads an error may negate it and ask for its text. */
static void check_error(struct link_simple *message)
{
	if (message->error > 0 || message->error < -LINK_ERRNO_MAX) {
		message->error = -EBADMSG;
	}
}

int link_receive(int fd, union link_packet *ret, struct fd_set_received *set)
{
	union link_packet packet = { 0 };
	ssize_t n = fd_receive(fd, &packet, sizeof(packet), set);
	if (n == -ECONNRESET) {
		/* The peer has closed with packets of ours unread. The kernel says so before it
		 * hands over the peer's last words: they come now. */
		n = fd_receive(fd, &packet, sizeof(packet), set);
	}
	if (n <= 0) {
		return n == -ECONNRESET || n == -EPIPE ? 0 : (int)n;
	}
	if ((size_t)n < sizeof(packet.header)) {
		return -EPROTO;
	}
	if (packet.header.version != LINK_VERSION) {
		return -EPROTONOSUPPORT;
	}
	size_t size = packet_size(packet.header.type);
	if (size == 0 || size != (size_t)n) {
		return -EPROTO;
	}
	const struct text_field *fields = packet.header.type == LINK_INFO    ? info_texts
					  : packet.header.type == LINK_SPAWN ? spawn_texts
									     : simple_texts;
	int r = check_texts(&packet, fields);
	if (r < 0) {
		return r;
	}
	if (fields == simple_texts) {
		check_error(&packet.simple);
	}
	*ret = packet;
	return 1;
}

void link_refuse(int fd, const char *text)
{
	struct link_simple message = link_make(LINK_REFUSED, 0);
	link_set_text(message.text, text);
	(void)link_send_simple(fd, &message);
}
