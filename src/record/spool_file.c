#include "record/spool_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/crc32c.h"

enum { BOOT_BYTES = 64 };

struct spool_file_head
spool_file_head(const char *payload, size_t n)
{
	struct spool_file_head head = { .length = (uint32_t)n,
					.crc = crc32c(payload, n) };

	memcpy(head.magic, SPOOL_FILE_MAGIC, sizeof(head.magic));
	return head;
}

char *
spool_file_path(const char *state_dir, const char *name,
		char out[SPOOL_FILE_PATH_BYTES])
{
	snprintf(out, SPOOL_FILE_PATH_BYTES, "%s/spool/%s", state_dir, name);
	return out;
}

char *
spool_file_segment(const char *state_dir, uint64_t number,
		   char out[SPOOL_FILE_PATH_BYTES])
{
	snprintf(out, SPOOL_FILE_PATH_BYTES, "%s/spool/%016" PRIu64 ".seg",
		 state_dir, number);
	return out;
}

/* The number of "<digits>.seg", 0 for any other name. */
static uint64_t
number_of(const char *name)
{
	uint64_t number = 0;
	size_t n = strspn(name, "0123456789");

	if (n == 0 || n > 19 || strcmp(name + n, ".seg") != 0) {
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		number = number * 10 + (uint64_t)(name[i] - '0');
	}
	return number;
}

enum status
spool_file_each(const char *state_dir, void (*each)(void *arg, uint64_t number),
		void *arg, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES];
	DIR *dir = opendir(spool_file_path(state_dir, ".", path));

	if (dir == NULL) {
		return err_set(err, STATUS_IO, "cannot read folder %s: %s",
			       path, strerror(errno));
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		uint64_t number = number_of(entry->d_name);
		if (number != 0) {
			each(arg, number);
		}
	}
	closedir(dir);
	return STATUS_OK;
}

struct lowest {
	uint64_t from;
	uint64_t number;
};

static void
see_lowest(void *arg, uint64_t number)
{
	struct lowest *seen = arg;

	if (number >= seen->from &&
	    (seen->number == 0 || number < seen->number)) {
		seen->number = number;
	}
}

uint64_t
spool_file_lowest(const char *state_dir, uint64_t from)
{
	struct lowest seen = { .from = from };

	return spool_file_each(state_dir, see_lowest, &seen, NULL) == STATUS_OK
		   ? seen.number
		   : 0;
}

static void
see_highest(void *arg, uint64_t number)
{
	uint64_t *seen = arg;

	*seen = number > *seen ? number : *seen;
}

enum status
spool_file_status(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EFBIG
		   ? STATUS_FULL
		   : STATUS_IO;
}

static enum status
make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return err_set(err, spool_file_status(errno),
			       "cannot make folder %s: %s", path,
			       strerror(errno));
	}
	return STATUS_OK;
}

/* An empty file, if it is not there yet. */
static enum status
make_segment(const char *state_dir, uint64_t number, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES];
	int fd = open(spool_file_segment(state_dir, number, path),
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		return err_set(err, spool_file_status(errno),
			       "cannot make %s: %s", path, strerror(errno));
	}
	close(fd);
	return STATUS_OK;
}

/* The first line of the file at PATH, "" when there is none. */
static void
read_line(const char *path, char out[BOOT_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, BOOT_BYTES - 1) : 0;

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0) {
		close(fd);
	}
}

/* Is the folder's mark that of the running kernel? */
static bool
same_boot(const char *state_dir, char boot[BOOT_BYTES])
{
	char path[SPOOL_FILE_PATH_BYTES];
	char marked[BOOT_BYTES];

	read_line("/proc/sys/kernel/random/boot_id", boot);
	read_line(spool_file_path(state_dir, "boot", path), marked);
	return marked[0] != '\0' && strcmp(boot, marked) == 0;
}

static enum status
mark_boot(const char *state_dir, const char *boot, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES], fresh[SPOOL_FILE_PATH_BYTES];
	size_t n = strlen(boot);
	int fd = open(spool_file_path(state_dir, "boot.new", fresh),
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum status status = STATUS_OK;

	if (fd < 0 || write(fd, boot, n) != (ssize_t)n ||
	    rename(fresh, spool_file_path(state_dir, "boot", path)) != 0) {
		status = err_set(err, spool_file_status(errno),
				 "cannot write %s: %s", fresh, strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

/* Under the folder's lock: choose the number, then mark the boot. */
static enum status
settle(const char *state_dir, struct board *board, struct err *err)
{
	char boot[BOOT_BYTES];
	uint64_t highest = 0;
	uint64_t now = atomic_load(&board->spool_segment);
	bool same = same_boot(state_dir, boot);
	enum status status =
	    spool_file_each(state_dir, see_highest, &highest, err);

	if (status != STATUS_OK) {
		return status;
	}
	uint64_t want = now > highest ? now : highest;
	if (want == 0) {
		/* Past every number of a folder that was here before. */
		want = (uint64_t)(clock_now_us() / 1000000);
	} else if (!same) {
		want++;
	}
	if (want != now || !same) {
		status = make_segment(state_dir, want, err);
		while (status == STATUS_OK && now < want &&
		       !atomic_compare_exchange_weak(&board->spool_segment,
						     &now, want)) {
		}
	}
	return status == STATUS_OK && !same ? mark_boot(state_dir, boot, err)
					    : status;
}

enum status
spool_file_prepare(const char *state_dir, struct board *board, struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES], boot[BOOT_BYTES];
	enum status status;

	/* The common case, as plain CGI opens the spool for each request. */
	if (atomic_load(&board->spool_segment) != 0 &&
	    same_boot(state_dir, boot)) {
		return STATUS_OK;
	}
	status = make_folder(spool_file_path(state_dir, "", path), err);
	if (status == STATUS_OK) {
		status = make_folder(
		    spool_file_path(state_dir, "rejected", path), err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	int fd = open(spool_file_path(state_dir, "lock", path),
		      O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		status = err_set(err, spool_file_status(errno),
				 "cannot lock %s: %s", path, strerror(errno));
	} else {
		status = settle(state_dir, board, err);
	}
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

/*
 * The file comes first and the number second, so that a segment that is not
 * there was deleted and is never made a second time.
 */
enum status
spool_file_rotate(const char *state_dir, struct board *board, uint64_t number,
		  struct err *err)
{
	char path[SPOOL_FILE_PATH_BYTES];
	enum status status;

	if (atomic_load(&board->spool_segment) != number) {
		return STATUS_OK;
	}
	if (access(spool_file_path(state_dir, ".", path), F_OK) != 0) {
		/* The folder is gone; a new one begins with a new segment. */
		return spool_file_prepare(state_dir, board, err);
	}
	status = make_segment(state_dir, number + 1, err);
	if (status == STATUS_OK) {
		atomic_compare_exchange_strong(&board->spool_segment, &number,
					       number + 1);
	}
	return status;
}
