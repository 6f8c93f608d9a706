#include "protocol/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/reader.h"

/* A NULL-ended row of `count` texts from the reader. 0, -EPROTO, or -ENOMEM. */
static int parse_texts(char ***ret, struct reader *r, size_t count)
{
	AUTO(free) char **texts = calloc(count + 1, sizeof(*texts));
	if (texts == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		texts[i] = (char *)reader_text(r, SPEC_SIZE_MAX);
		if (texts[i] == NULL) {
			return -EPROTO;
		}
	}
	*ret = TAKE_PTR(texts);
	return 0;
}

int spec_parse(struct spec *ret, char *bytes, size_t size)
{
	struct reader r = reader_over(bytes, size);
	struct spec s = { 0 };
	const uint8_t *header = reader_bytes(&r, sizeof(s.header));
	if (header == NULL) {
		return -EPROTO;
	}
	memcpy(&s.header, header, sizeof(s.header));
	if (s.header.version != SPEC_VERSION || s.header.argument_count > SPEC_ARGUMENTS_MAX ||
		s.header.environment_count > SPEC_ENVIRONMENT_MAX || s.header.umask > 0777) {
		return -EPROTO;
	}
	s.directory = reader_text(&r, SPEC_SIZE_MAX);
	s.term = reader_text(&r, SPEC_SIZE_MAX);
	if (s.term == NULL) {
		return -EPROTO;
	}
	int result = parse_texts(&s.arguments, &r, s.header.argument_count);
	if (result == 0) {
		result = parse_texts(&s.environment, &r, s.header.environment_count);
	}
	if (result == 0 && !reader_done(&r)) {
		result = -EPROTO;
	}
	if (result < 0) {
		spec_done(&s);
		return result;
	}
	*ret = s;
	return 0;
}

int spec_read(struct spec *ret, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > SPEC_SIZE_MAX) {
		return -EPROTO;
	}
	size_t size = (size_t)st.st_size;
	AUTO(free) char *block = malloc(size);
	if (block == NULL) {
		return -ENOMEM;
	}
	size_t length = 0;
	while (length < size) {
		ssize_t n = pread(fd, block + length, size - length, (off_t)length);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EPROTO;
		}
		length += (size_t)n;
	}
	int r = spec_parse(ret, block, size);
	if (r < 0) {
		return r;
	}
	ret->block = TAKE_PTR(block);
	return 0;
}

void spec_done(struct spec *s)
{
	free(s->arguments);
	free(s->environment);
	free(s->block);
	*s = (struct spec){ 0 };
}

static size_t put_texts(struct buf *out, char *const *texts)
{
	size_t count = 0;
	for (; texts != NULL && texts[count] != NULL; count++) {
		(void)buf_put(out, texts[count], strlen(texts[count]) + 1);
	}
	return count;
}

static int write_all(int fd, const struct buf *b)
{
	for (size_t done = 0; done < b->length;) {
		ssize_t n = write(fd, b->data + done, b->length - done);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	return 0;
}

int spec_write(const struct spec *s)
{
	AUTO(buf_done) struct buf out = BUF_INIT(SPEC_SIZE_MAX);
	struct spec_header header = s->header;
	header.version = SPEC_VERSION;
	(void)buf_put(&out, &header, sizeof(header));
	(void)buf_put(&out, s->directory, strlen(s->directory) + 1);
	(void)buf_put(&out, s->term, strlen(s->term) + 1);
	size_t arguments = put_texts(&out, s->arguments);
	size_t environment = put_texts(&out, s->environment);
	if (out.failed || arguments > SPEC_ARGUMENTS_MAX || environment > SPEC_ENVIRONMENT_MAX) {
		return -E2BIG;
	}
	header.argument_count = (uint32_t)arguments;
	header.environment_count = (uint32_t)environment;
	memcpy(out.data, &header, sizeof(header));
	AUTO_FD int fd = memfd_create("termserv-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		return -errno;
	}
	int r = write_all(fd, &out);
	if (r < 0) {
		return r;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		return -errno;
	}
	return TAKE_FD(fd);
}
