#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

enum status
file_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		return err_set(err,
			       errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
			       "cannot read %s: %s", path, strerror(errno));
	}
	do {
		n = read(fd, buf_room(out, READ_BYTES), READ_BYTES);
		if (n >= 0) {
			buf_grown(out, (size_t)n); /* 0: only the NUL */
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	enum status status = STATUS_OK;
	if (n < 0) {
		status = err_set(err, STATUS_IO, "cannot read %s: %s", path,
				 strerror(errno));
	}
	close(fd);
	return status;
}
