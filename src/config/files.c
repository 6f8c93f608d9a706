#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "config/server_config.h"
#include "config/user_config.h"

#define DROP_INS "termserv.conf.d"

static int is_conf(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".conf") == 0;
}

static int compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add(struct config_files *f, char *path)
{
	char **paths = path != NULL ? realloc(f->paths, (f->count + 1) * sizeof(*paths)) : NULL;
	if (paths == NULL) {
		free(path);
		return -ENOMEM;
	}
	f->paths = paths;
	f->paths[f->count++] = path;
	return 0;
}

static int add_drop_ins(struct config_files *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO(free) char *folder = NULL;
	int length = slash != NULL ? (int)(slash - path) + 1 : 0;
	if (asprintf(&folder, "%.*s%s", length, path, DROP_INS) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_conf, compare);
	int r = count < 0 ? -errno : 0;
	if (r == -ENOENT || r == -ENOTDIR) {
		r = 0;
	} else if (r < 0 && r != -ENOMEM) {
		f->unread = TAKE_PTR(folder);
		f->error = r;
		r = 0;
	}
	for (int i = 0; i < count; i++) {
		char *drop_in = NULL;
		f->more = f->more || f->count >= CONFIG_FILES_MAX;
		if (r == 0 && f->count < CONFIG_FILES_MAX) {
			int n = asprintf(&drop_in, "%s/%s", folder, entries[i]->d_name);
			r = add(f, n < 0 ? NULL : drop_in);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

int config_files_list(struct config_files *ret, const char *path)
{
	struct config_files f = { 0 };
	int r = add(&f, strdup(path));
	if (r == 0) {
		r = add_drop_ins(&f, path);
	}
	if (r < 0) {
		config_files_done(&f);
		return r;
	}
	*ret = f;
	return 0;
}

void config_files_done(struct config_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->paths[i]);
	}
	free(f->paths);
	free(f->unread);
	*f = (struct config_files){ 0 };
}

int config_read_file(char **ret, const char *path, struct stat *ret_info)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	if (fd < 0 || fstat(fd, &info) < 0) {
		return -errno;
	}
	if (!S_ISREG(info.st_mode)) {
		return S_ISDIR(info.st_mode) ? -EISDIR : -EINVAL;
	}
	AUTO(free) char *text = malloc(CONFIG_FILE_MAX + 1);
	if (text == NULL) {
		return -ENOMEM;
	}
	ssize_t length = fd_read_text(fd, text, CONFIG_FILE_MAX + 1);
	if (length < 0) {
		return (int)length;
	}
	if (strlen(text) != (size_t)length) {
		return -EINVAL;
	}
	if (ret_info != NULL) {
		*ret_info = info;
	}
	*ret = TAKE_PTR(text);
	return 0;
}

bool config_file_is_safe(const struct stat *info)
{
	return (info->st_uid == 0 || info->st_uid == geteuid()) &&
	       (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}
