#include "base/mapfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* One attempt's file; -1 is no descriptor. */
struct attempt {
	const char *path;
	int fd;
	struct stat stat; /* under the lock */
};

static enum status
fail(const struct attempt *a, const char *what, int error, struct err *err)
{
	return err_set(err, STATUS_IO, "cannot %s %s: %s", what, a->path,
		       strerror(error));
}

static enum status
open_locked(struct attempt *a, struct err *err)
{
	a->fd = open(a->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->fd < 0) {
		return fail(a, "open", errno, err);
	}
	while (flock(a->fd, LOCK_EX) != 0) {
		if (errno != EINTR) {
			return fail(a, "lock", errno, err);
		}
	}
	if (fstat(a->fd, &a->stat) != 0) {
		return fail(a, "look at", errno, err);
	}
	return STATUS_OK;
}

/* Did somebody replace the file while we waited for its lock? */
static bool
is_current(const struct attempt *a)
{
	struct stat now;

	return stat(a->path, &now) == 0 && now.st_ino == a->stat.st_ino &&
	       now.st_dev == a->stat.st_dev;
}

static bool
has_head(const struct attempt *a, const struct mapfile_head *head)
{
	struct mapfile_head found;

	return pread(a->fd, &found, sizeof(found), 0) == sizeof(found) &&
	       found.magic == head->magic && found.shape == head->shape;
}

/* The head comes last: a file that was only half made is replaced. */
static enum status
fill(const struct attempt *a, size_t bytes, const struct mapfile_head *head,
     struct err *err)
{
	/* allocated, since a full disk would be a SIGBUS later */
	int error = posix_fallocate(a->fd, 0, (off_t)bytes);

	if (error != 0) {
		return fail(a, "make room for", error, err);
	}
	if (pwrite(a->fd, head, sizeof(*head), 0) != sizeof(*head)) {
		return fail(a, "write", errno, err);
	}
	return STATUS_OK;
}

/* Leave in A the locked file of the right shape; AGAIN: it was replaced. */
static enum status
prepare(struct attempt *a, size_t bytes, const struct mapfile_head *head,
	bool *again, struct err *err)
{
	enum status status = open_locked(a, err);

	*again = false;
	if (status != STATUS_OK) {
		return status;
	}
	if (!is_current(a)) {
		*again = true;
		return STATUS_OK;
	}
	if (a->stat.st_size == 0) {
		return fill(a, bytes, head, err);
	}
	if ((size_t)a->stat.st_size == bytes && has_head(a, head)) {
		return STATUS_OK;
	}
	/* never cut it: a process of the other version may have it mapped */
	if (unlink(a->path) != 0) {
		return fail(a, "replace", errno, err);
	}
	*again = true;
	return STATUS_OK;
}

enum status
mapfile_open(const char *path, size_t bytes, struct mapfile_head head,
	     void **out, int *lock, struct err *err)
{
	struct attempt a = { .path = path, .fd = -1 };
	enum status status;
	bool again;

	for (;;) {
		status = prepare(&a, bytes, &head, &again, err);
		if (status != STATUS_OK || !again) {
			break;
		}
		close(a.fd);
	}
	if (status != STATUS_OK) {
		goto out;
	}
	void *map =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a.fd, 0);
	if (map == MAP_FAILED) {
		status = fail(&a, "map", errno, err);
		goto out;
	}
	*out = map;
	*lock = a.fd;
	a.fd = -1;
out:
	if (a.fd >= 0) {
		close(a.fd);
	}
	return status;
}

void
mapfile_unlock(int lock)
{
	/* closing is not enough: the mapping holds the open file, and so its
	 * lock, as long as the process lives */
	int rc = flock(lock, LOCK_UN);

	assert(rc == 0);
	close(lock);
}

uint32_t
mapfile_hash(uint32_t hash, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ at[i]) * UINT32_C(16777619);
	}
	return hash;
}
