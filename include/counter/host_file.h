/*
 * host_file: the file in which one host counts in one epoch, open once in a
 * process.
 *
 * STATE_DIR/counters-BOOT-EPOCH.mdb and, beside it, its -lock; BOOT is the
 * machine's boot id.  The file is written without syncing, so it is right for
 * as long as the machine runs, whatever its processes do, and what an earlier
 * boot left behind is never opened.  A file belongs to one epoch: a new epoch
 * is a new file, and the old one is deleted.
 *
 * Both files or none: with one of them gone there are no counters.  Who makes,
 * opens or deletes them has a flock on STATE_DIR.
 *
 * Source: lmdb.h.  Its locks are of a process, so a file that is open must not
 * be opened in the same process again, and not used in its children.
 */
#ifndef COUNTER_HOST_FILE_H
#define COUNTER_HOST_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lmdb.h>

#include "base/status.h"

enum {
	HOST_FILE_PATH_BYTES = 1200,
	HOST_FILE_FOLDER_BYTES = 1024, /* of STATE_DIR */
	HOST_FILE_MIN_BYTES = 512 * 1024
};

/* Shared by the threads of a process.  Only the first two are for others. */
struct host_file {
	MDB_env *env;
	MDB_dbi dbi;

	struct host_file *next;
	char path[HOST_FILE_PATH_BYTES];
	dev_t dev;
	ino_t ino;
	unsigned process; /* that opened it */
	int refs;
	uint64_t filled; /* bytes; by who has the write transaction */
};

/*
 * The file of EPOCH; end it by host_file_close.  STATUS_CORRUPT: there is none,
 * or it is damaged; STATUS_UNAVAILABLE: it cannot be opened.
 */
enum status host_file_open(const char *state_dir, uint64_t epoch,
			   struct host_file **out, struct err *err) MUST_CHECK;

/*
 * The same, made where there is none: empty, with room for MAP_BYTES; and the
 * files of other epochs and other boots are deleted.
 */
enum status host_file_make(const char *state_dir, uint64_t epoch,
			   int64_t map_bytes, struct host_file **out,
			   struct err *err) MUST_CHECK;

/* Delete the files of all epochs: nobody counts in them any more. */
void host_file_delete(const char *state_dir);

/* After a fork of the process that opened it, this only forgets. */
void host_file_close(struct host_file *file); /* NULL is fine */

/* Was FILE opened by this process, not by one that forked it? */
bool host_file_is_own(const struct host_file *file);

/* Does the name of FILE still lead to it?  False: somebody deleted it. */
bool host_file_is_there(const struct host_file *file);

/*
 * Within a write transaction: make sure that the disk has room for BYTES more,
 * since a full disk would kill who writes to the map.  False: it has not.
 */
bool host_file_has_room(struct host_file *file, uint64_t bytes);

#endif /* COUNTER_HOST_FILE_H */
