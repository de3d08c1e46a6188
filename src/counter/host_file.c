#include "counter/host_file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#define PREFIX "counters-"
#define SUFFIX ".mdb"
#define LOCK_SUFFIX SUFFIX "-lock"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

enum {
	BOOT_CHARS = 36,
	READERS_MAX = 2048, /* threads of a host that count */
	AHEAD_BYTES = 256 * 1024,
	FILL_BYTES = 64 * 1024
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct host_file *files; /* open in this process */
static unsigned process;	/* another number after a fork */

/* ---- the process */

static void
before_fork(void)
{
	int rc = pthread_mutex_lock(&lock);

	assert(rc == 0);
}

static void
in_parent(void)
{
	int rc = pthread_mutex_unlock(&lock);

	assert(rc == 0);
}

/*
 * The child has none of its parent's locks.  What is open stays so, unused:
 * closing it would end the reads of the parent.
 */
static void
in_child(void)
{
	process++;
	files = NULL;
	in_parent();
}

static void
watch_forks(void)
{
	int rc = pthread_atfork(before_fork, in_parent, in_child);

	assert(rc == 0);
}

bool
host_file_is_own(const struct host_file *file)
{
	return file->process == process;
}

/* ---- the folder */

static int
open_folder(const char *state_dir, struct err *err)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		(void)err_set(err, STATUS_UNAVAILABLE, "cannot open %s: %s",
			      state_dir, strerror(errno));
		return -1;
	}
	while (flock(fd, LOCK_EX) != 0) {
		if (errno != EINTR) {
			(void)err_set(err, STATUS_UNAVAILABLE,
				      "cannot lock %s: %s", state_dir,
				      strerror(errno));
			close(fd);
			return -1;
		}
	}
	return fd;
}

static enum status
name_it(const char *state_dir, uint64_t epoch, char path[HOST_FILE_PATH_BYTES],
	struct err *err)
{
	struct buf boot = { .len = 0 };
	struct err why;
	enum status status = STATUS_OK;

	if (file_read(BOOT_ID, &boot, &why) != STATUS_OK ||
	    boot.len < BOOT_CHARS) {
		status = err_set(err, STATUS_UNAVAILABLE,
				 "this boot of the machine has no id: %s",
				 boot.len > 0 ? "it is too short" : why.text);
	} else {
		int n = snprintf(path, HOST_FILE_PATH_BYTES,
				 "%s/" PREFIX "%.*s-%" PRIu64 SUFFIX, state_dir,
				 BOOT_CHARS, boot.data, epoch);
		assert(n > 0 && n < HOST_FILE_PATH_BYTES);
	}
	buf_fini(&boot);
	return status;
}

static void
lock_path(const char *path, char out[HOST_FILE_PATH_BYTES + 8])
{
	snprintf(out, HOST_FILE_PATH_BYTES + 8, "%s-lock", path);
}

/* Are both files there?  Then what they are into DATA. */
static bool
are_there(const char *path, struct stat *data)
{
	char beside[HOST_FILE_PATH_BYTES + 8];
	struct stat st;

	lock_path(path, beside);
	return lstat(path, data) == 0 && S_ISREG(data->st_mode) &&
	       lstat(beside, &st) == 0 && S_ISREG(st.st_mode);
}

static void delete (const char *path)
{
	char beside[HOST_FILE_PATH_BYTES + 8];

	lock_path(path, beside);
	(void)unlink(path);
	(void)unlink(beside);
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), end_n = strlen(end);

	return n > end_n && strcmp(name + n - end_n, end) == 0;
}

/* Delete the files that are not of PATH, which may be "/".  Who has one mapped keeps it. */
static void
delete_others(const char *state_dir, const char *path)
{
	const char *keep = strrchr(path, '/') + 1;
	DIR *dir = opendir(state_dir);

	if (dir == NULL) {
		return;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		    (*keep == '\0' ||
		     strncmp(e->d_name, keep, strlen(keep)) != 0) &&
		    (ends_with(e->d_name, SUFFIX) ||
		     ends_with(e->d_name, LOCK_SUFFIX)) &&
		    unlinkat(dirfd(dir), e->d_name, 0) != 0) {
			log_warning("cannot delete %s/%s: %s", state_dir,
				    e->d_name, strerror(errno));
		}
	}
	closedir(dir);
}

bool
host_file_is_there(const struct host_file *file)
{
	struct stat st;

	return are_there(file->path, &st) && st.st_dev == file->dev &&
	       st.st_ino == file->ino;
}

/* ---- LMDB */

/* It aborts when this returns. */
static void
complain(MDB_env *env, const char *text)
{
	(void)env;
	log_error("the counters of this host are damaged: %s", text);
}

static int
open_env(struct host_file *file, int64_t map_bytes)
{
	MDB_txn *txn = NULL;
	int rc = mdb_env_create(&file->env);

	if (rc != 0) {
		return rc;
	}
	/* Without syncing, since another boot does not read it; no subfolder,
	 * no slots tied to threads, no reading ahead in memory. */
	const unsigned flags = MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOMETASYNC |
			       MDB_WRITEMAP | MDB_NOTLS | MDB_NORDAHEAD;
	if ((rc = mdb_env_set_assert(file->env, complain)) != 0 ||
	    (rc = mdb_env_set_mapsize(file->env, (size_t)map_bytes)) != 0 ||
	    (rc = mdb_env_set_maxreaders(file->env, READERS_MAX)) != 0 ||
	    (rc = mdb_env_open(file->env, file->path, flags, 0600)) != 0 ||
	    (rc = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &txn)) != 0) {
		goto out;
	}
	rc = mdb_dbi_open(txn, NULL, 0, &file->dbi);
	mdb_txn_abort(txn); /* the unnamed one stays open */
out:
	if (rc != 0) {
		mdb_env_close(file->env);
	}
	return rc;
}

static bool
is_damage(int rc)
{
	return rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
	       rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
	       rc == MDB_PANIC;
}

/* The file ST as this process has it open, by whatever name. */
static struct host_file *
find(const struct stat *st)
{
	for (struct host_file *f = files; f != NULL; f = f->next) {
		if (f->dev == st->st_dev && f->ino == st->st_ino) {
			return f;
		}
	}
	return NULL;
}

static enum status
open_file(const char *path, int64_t map_bytes, struct host_file **out,
	  struct err *err)
{
	struct host_file *file = memory_get(sizeof(*file));
	struct stat st;

	*file = (struct host_file){ .process = process, .refs = 1 };
	strcpy(file->path, path);
	int rc = open_env(file, map_bytes);
	if (rc != 0) {
		free(file);
		return err_set(
		    err, is_damage(rc) ? STATUS_CORRUPT : STATUS_UNAVAILABLE,
		    "cannot open %s: %s", path, mdb_strerror(rc));
	}
	rc = stat(path, &st);
	assert(rc == 0); /* we have the folder's lock */
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->next = files;
	files = file;
	*out = file;
	return STATUS_OK;
}

/* Under both locks.  MAP_BYTES of 0: only where it is there. */
static enum status
find_or_open(const char *path, int64_t map_bytes, struct host_file **out,
	     struct err *err)
{
	struct stat st;

	if (are_there(path, &st)) {
		*out = find(&st);
		if (*out != NULL) {
			(*out)->refs++;
			return STATUS_OK;
		}
		/* of another size it would be cut while others use it */
		enum status status =
		    st.st_size < HOST_FILE_MIN_BYTES
			? err_set(err, STATUS_CORRUPT, "%s is damaged", path)
			: open_file(path, st.st_size, out, err);
		if (status != STATUS_CORRUPT || map_bytes == 0) {
			return status;
		}
	} else if (map_bytes == 0) {
		return err_set(err, STATUS_CORRUPT, "there is no %s", path);
	}
	delete (path);
	return open_file(path, map_bytes, out, err);
}

static enum status
locked_open(const char *state_dir, uint64_t epoch, int64_t map_bytes,
	    struct host_file **out, struct err *err)
{
	char path[HOST_FILE_PATH_BYTES];
	int rc, folder;
	enum status status;

	rc = pthread_once(&once, watch_forks);
	assert(rc == 0);
	status = name_it(state_dir, epoch, path, err);
	if (status != STATUS_OK) {
		return status;
	}
	folder = open_folder(state_dir, err);
	if (folder < 0) {
		return STATUS_UNAVAILABLE;
	}
	rc = pthread_mutex_lock(&lock);
	assert(rc == 0);
	status = find_or_open(path, map_bytes, out, err);
	if (status == STATUS_OK && map_bytes != 0) {
		delete_others(state_dir, path);
	}
	rc = pthread_mutex_unlock(&lock);
	assert(rc == 0);
	close(folder);
	return status;
}

void
host_file_delete(const char *state_dir)
{
	struct err err;
	int folder = open_folder(state_dir, &err);

	if (folder >= 0) {
		delete_others(state_dir, "/");
		close(folder);
	}
}

enum status
host_file_open(const char *state_dir, uint64_t epoch, struct host_file **out,
	       struct err *err)
{
	return locked_open(state_dir, epoch, 0, out, err);
}

enum status
host_file_make(const char *state_dir, uint64_t epoch, int64_t map_bytes,
	       struct host_file **out, struct err *err)
{
	const int64_t page = sysconf(_SC_PAGESIZE);

	assert(map_bytes >= HOST_FILE_MIN_BYTES);
	return locked_open(state_dir, epoch, map_bytes / page * page, out, err);
}

static void
unlist(struct host_file *file)
{
	struct host_file **at = &files;

	while (*at != file) {
		at = &(*at)->next;
	}
	*at = file->next;
}

void
host_file_close(struct host_file *file)
{
	int rc;

	if (file == NULL || !host_file_is_own(file)) {
		return;
	}
	rc = pthread_mutex_lock(&lock);
	assert(rc == 0);
	if (--file->refs == 0) {
		unlist(file);
		mdb_env_close(file->env);
		free(file);
	}
	rc = pthread_mutex_unlock(&lock);
	assert(rc == 0);
}

/* Zeroes from AT on, up to END; returns how far. */
static uint64_t
fill(int fd, uint64_t at, uint64_t end)
{
	static const char zeroes[FILL_BYTES];

	while (at < end) {
		uint64_t left = end - at;
		size_t n = left < FILL_BYTES ? (size_t)left : FILL_BYTES;
		ssize_t done = pwrite(fd, zeroes, n, (off_t)at);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done <= 0) {
			break;
		}
		at += (uint64_t)done;
	}
	return at;
}

/*
 * What is behind the last page that LMDB uses belongs to nobody, as long as
 * this process may write.  It is written, not only reserved: that takes a tenth
 * of the time of a first touch of each page in the map.  FROM is where it
 * begins; what another process has written is passed over.  A file system that
 * keeps no account of holes says that there is none: there a full disk kills.
 */
static void
fill_ahead(struct host_file *file, uint64_t from, uint64_t end)
{
	int fd, dead, rc = mdb_env_get_fd(file->env, &fd);

	assert(rc == 0);
	off_t hole = lseek(fd, (off_t)from, SEEK_HOLE);
	if (hole > 0 && (uint64_t)hole >= end) {
		file->filled = end;
		return;
	}
	/* What a killed process was reading is kept for it: that may be why
	 * the file grows. */
	(void)mdb_reader_check(file->env, &dead);
	file->filled = fill(
	    fd, hole > 0 && (uint64_t)hole > from ? (uint64_t)hole : from, end);
}

bool
host_file_has_room(struct host_file *file, uint64_t bytes)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = mdb_env_info(file->env, &info);

	assert(rc == 0);
	rc = mdb_env_stat(file->env, &stat);
	assert(rc == 0);
	uint64_t used = (info.me_last_pgno + 1) * stat.ms_psize;
	uint64_t need = used + bytes, ahead = need + AHEAD_BYTES;
	need = need < info.me_mapsize ? need : info.me_mapsize;
	ahead = ahead < info.me_mapsize ? ahead : info.me_mapsize;
	if (need > file->filled) {
		fill_ahead(file, used, ahead);
	}
	return need <= file->filled;
}
