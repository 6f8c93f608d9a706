#include "leader/arguments.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static void usage(void)
{
	dprintf(STDERR_FILENO,
		"termserv-leader is started by termservd; it is of no use by hand.\n"
		"usage: termserv-leader --session ID --runtime-fd N --link-fd N --proof-fd N "
		"--broker-uid UID\n"
		"           [--mode user|system] [--listener NAME] [--terminal NAME] [--client "
		"ADDRESS]\n");
}

/* An inherited descriptor: ours alone from here on. */
static bool take_descriptor(const char *text, int *ret)
{
	uint32_t number;
	if (text_to_u32(text, &number) < 0 || number < 3 || number > INT16_MAX ||
		fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0) {
		return false;
	}
	*ret = (int)number;
	return true;
}

static bool take_mode(const char *text, bool *ret_system)
{
	*ret_system = strcmp(text, "system") == 0;
	return *ret_system || strcmp(text, "user") == 0;
}

static bool take(struct arguments *a, int option, bool *uid_known)
{
	switch (option) {
	case 's':
		return text_to_u32(optarg, &a->session) == 0 && a->session > 0;
	case 'r':
		return take_descriptor(optarg, &a->runtime_fd);
	case 'l':
		return take_descriptor(optarg, &a->link_fd);
	case 'p':
		return take_descriptor(optarg, &a->proof_fd);
	case 'b':
		*uid_known = text_to_u32(optarg, &a->broker_uid) == 0;
		return *uid_known;
	case 'o':
		a->owner_said = text_to_u32(optarg, &a->owner) == 0;
		return a->owner_said;
	case 'm':
		return take_mode(optarg, &a->system);
	case 'i':
		a->listener = optarg;
		return true;
	case 't':
		a->terminal = optarg;
		return true;
	case 'c':
		a->client = optarg;
		return true;
	default:
		return false;
	}
}

bool arguments_read(struct arguments *ret, int argc, char **argv)
{
	static const struct option options[] = {
		{ "session", required_argument, NULL, 's' },
		{ "runtime-fd", required_argument, NULL, 'r' },
		{ "link-fd", required_argument, NULL, 'l' },
		{ "proof-fd", required_argument, NULL, 'p' },
		{ "broker-uid", required_argument, NULL, 'b' },
		{ "owner", required_argument, NULL, 'o' },
		{ "mode", required_argument, NULL, 'm' },
		{ "listener", required_argument, NULL, 'i' },
		{ "terminal", required_argument, NULL, 't' },
		{ "client", required_argument, NULL, 'c' },
		{ 0 },
	};
	struct arguments a = { .runtime_fd = -1,
		.link_fd = -1,
		.proof_fd = -1,
		.listener = "",
		.terminal = "",
		.client = "",
		.argv = argv };
	bool good = true;
	bool uid_known = false;
	for (int option; good && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		good = take(&a, option, &uid_known);
	}
	good = good && optind == argc && uid_known && a.session > 0 && a.runtime_fd >= 0 &&
	       a.link_fd >= 0 && a.proof_fd >= 0;
	if (!good) {
		usage();
		return false;
	}
	*ret = a;
	return true;
}
