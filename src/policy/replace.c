#include "policy/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum status
failed(struct err *err, const char *what, const char *path)
{
	return err_set(err, STATUS_IO, "cannot %s %s: %s", what, path,
		       strerror(errno));
}

static bool
write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0) {
			if (errno == EINTR) {
				continue;
			}
			return false;
		}
		bytes += done;
		n -= (size_t)done;
	}
	return true;
}

static enum status
write_new(const char *path, const void *bytes, size_t n, struct err *err)
{
	enum status status = STATUS_OK;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	if (fd < 0) {
		return failed(err, "create", path);
	}
	if (!write_all(fd, bytes, n)) {
		status = failed(err, "write", path);
	} else if (fsync(fd) != 0) {
		status = failed(err, "flush", path);
	}
	if (close(fd) != 0 && status == STATUS_OK) {
		status = failed(err, "close", path);
	}
	return status;
}

/* A rename survives a power cut only when its folder was flushed. */
static enum status
sync_folder(const char *path, struct err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	(void)snprintf(folder, sizeof(folder), "%.*s", n == 0 ? 1 : (int)n,
		       slash == NULL ? "." : path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return failed(err, "open", folder);
	}
	int rc = fsync(fd);
	(void)close(fd);
	return rc == 0 ? STATUS_OK : failed(err, "flush", folder);
}

enum status
replace_file(const char *path, const void *bytes, size_t n, struct err *err)
{
	char temporary[PATH_MAX];
	int length = snprintf(temporary, sizeof(temporary), "%s.new", path);

	if (length < 0 || (size_t)length >= sizeof(temporary)) {
		return err_set(err, STATUS_IO, "the path of %s is too long",
			       path);
	}
	enum status status = write_new(temporary, bytes, n, err);
	if (status == STATUS_OK && rename(temporary, path) != 0) {
		status = failed(err, "rename to", path);
	}
	if (status != STATUS_OK) {
		(void)unlink(temporary);
		return status;
	}
	return sync_folder(path, err);
}
