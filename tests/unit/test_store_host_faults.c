/* store_host when LMDB, the disk or the machine says no: the linker puts the
 * functions below in the place of theirs (--wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "counter/host_txn.h"
#include "host_fixture.h"

/* ---- faults */

enum call {
	ENV_CREATE,
	ENV_OPEN,
	ENV_INFO,
	TXN_BEGIN_READING,
	TXN_BEGIN_WRITING,
	TXN_RENEW,
	TXN_COMMIT,
	GET,
	PUT,
	DEL,
	CURSOR_OPEN,
	PWRITE,
	FLOCK,
	FILE_READ,
	CALLS
};

/* The calls of one kind: after SKIP, TIMES fail with RC. */
static struct fault {
	int skip, times, rc;
} faults[CALLS];
static void (*before_writing)(void); /* once, when a writer begins */

static void
refuse(enum call call, int skip, int times, int rc)
{
	faults[call] = (struct fault){ skip, times, rc };
}

/* How the next CALL fails; 0: it does not. */
static int
fault(enum call call)
{
	struct fault *f = &faults[call];

	if (f->skip > 0) {
		f->skip--;
		return 0;
	}
	if (f->times == 0) {
		return 0;
	}
	f->times--;
	return f->rc;
}

#define WRAP(call, name, parameters, arguments)                \
	int __real_##name parameters;                          \
	int __wrap_##name parameters;                          \
	int __wrap_##name parameters                           \
	{                                                      \
		int rc = fault(call);                          \
		return rc != 0 ? rc : __real_##name arguments; \
	}

WRAP(ENV_CREATE, mdb_env_create, (MDB_env * *env), (env))
WRAP(ENV_OPEN, mdb_env_open,
     (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
     (env, path, flags, mode))
WRAP(TXN_RENEW, mdb_txn_renew, (MDB_txn * txn), (txn))
WRAP(GET, mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value),
     (txn, dbi, key, value))
WRAP(PUT, mdb_put,
     (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags),
     (txn, dbi, key, value, flags))
WRAP(DEL, mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value),
     (txn, dbi, key, value))
WRAP(CURSOR_OPEN, mdb_cursor_open,
     (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __real_mdb_env_info(MDB_env *env, MDB_envinfo *info);
int __wrap_mdb_env_info(MDB_env *env, MDB_envinfo *info);
int __real_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
			 MDB_txn **txn);
int __wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
			 MDB_txn **txn);
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
enum status __real_file_read(const char *path, struct buf *out,
			     struct err *err);
enum status __wrap_file_read(const char *path, struct buf *out,
			     struct err *err);

/* As LMDB does: what could not be committed is over. */
int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
	int rc = fault(TXN_COMMIT);

	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return __real_mdb_txn_commit(txn);
}

/* It never fails; here another transaction has followed. */
int
__wrap_mdb_env_info(MDB_env *env, MDB_envinfo *info)
{
	int rc = __real_mdb_env_info(env, info);

	info->me_last_txnid += fault(ENV_INFO) != 0;
	return rc;
}

int
__wrap_mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags,
		     MDB_txn **txn)
{
	bool reads = (flags & MDB_RDONLY) != 0;
	void (*before)(void) = before_writing;
	int rc = fault(reads ? TXN_BEGIN_READING : TXN_BEGIN_WRITING);

	if (rc != 0) {
		return rc;
	}
	if (!reads && before != NULL) {
		before_writing = NULL;
		before();
	}
	return __real_mdb_txn_begin(env, parent, flags, txn);
}

static int
with_errno(int rc)
{
	errno = rc;
	return -1;
}

static int written; /* by pwrite, times */

/* Where it is refused with EIO, one byte is written. */
ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	int rc = fault(PWRITE);

	written++;
	if (rc == EIO) {
		n = 1;
	} else if (rc != 0) {
		return with_errno(rc);
	}
	return __real_pwrite(fd, bytes, n, at);
}

int
__wrap_flock(int fd, int operation)
{
	int rc = fault(FLOCK);

	return rc != 0 ? with_errno(rc) : __real_flock(fd, operation);
}

/* 1: a file that is too short; else it cannot be read. */
enum status
__wrap_file_read(const char *path, struct buf *out, struct err *err)
{
	int rc = fault(FILE_READ);

	if (rc == 0) {
		return __real_file_read(path, out, err);
	}
	if (rc == 1) {
		buf_adds(out, "short");
		return STATUS_OK;
	}
	return err_set(err, STATUS_IO, "cannot read %s", path);
}

static int
end_faults(void **state)
{
	for (int i = 0; i < CALLS; i++) {
		/* each has happened */
		assert_int_equal(faults[i].skip, 0);
		assert_int_equal(faults[i].times, 0);
	}
	assert_null(before_writing);
	return end_test(state);
}

/* ---- */

static void
opening_fails(void **unused)
{
	static const struct {
		enum call call;
		int rc;
		enum status status;
	} cases[] = {
		{ ENV_CREATE, ENOMEM, STATUS_UNAVAILABLE },
		{ ENV_OPEN, EMFILE, STATUS_UNAVAILABLE },
		{ ENV_OPEN, MDB_INVALID, STATUS_CORRUPT },
		{ ENV_OPEN, MDB_VERSION_MISMATCH, STATUS_CORRUPT },
		{ ENV_OPEN, MDB_CORRUPTED, STATUS_CORRUPT },
		{ ENV_OPEN, MDB_PAGE_NOTFOUND, STATUS_CORRUPT },
		{ ENV_OPEN, MDB_PANIC, STATUS_CORRUPT },
		{ TXN_BEGIN_READING, ENOMEM, STATUS_UNAVAILABLE },
		{ FLOCK, EIO, STATUS_UNAVAILABLE },
		{ FILE_READ, 1, STATUS_UNAVAILABLE },
		{ FILE_READ, 2, STATUS_UNAVAILABLE },
	};
	struct err err;

	(void)unused;
	counter_store_free(begun());
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct counter_store *store = open_store(NULL);
		refuse(cases[i].call, 0, 1, cases[i].rc);
		assert_int_equal(store->type->check(store, &err),
				 cases[i].status);
		assert_int_equal(store->type->check(store, &err), STATUS_OK);
		counter_store_free(store);
	}
	/* what is damaged is begun anew, what cannot be opened is not */
	struct counter_store *store = open_store(NULL);
	refuse(ENV_OPEN, 0, 1, EMFILE);
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_UNAVAILABLE);
	refuse(FLOCK, 0, 1, EINTR);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	put_one(store, "k", "1", LATER);
	counter_store_free(store);
	store = open_store(NULL);
	refuse(ENV_OPEN, 0, 1, MDB_INVALID);
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_OK);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	counter_store_free(store);
	refuse(FLOCK, 0, 1, EIO);
	counter_host_delete(host_folder);
	store = open_store(NULL);
	assert_int_equal(store->type->check(store, &err), STATUS_OK);
	counter_store_free(store);
}

static void
beginning_fails(void **unused)
{
	static const struct {
		enum call call;
		int times, rc;
	} cases[] = { { PWRITE, 1, ENOSPC }, /* before there is any room */
		      { TXN_BEGIN_WRITING, 1, ENOMEM },
		      { PUT, 1, MDB_MAP_FULL },
		      { TXN_COMMIT, 1, EIO } };
	struct counter_store *store = open_store(NULL);
	struct err err;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuse(cases[i].call, 0, cases[i].times, cases[i].rc);
		assert_int_equal(store->type->begin(store, host_epoch, &err),
				 STATUS_UNAVAILABLE);
		assert_int_equal(store->type->check(store, &err),
				 STATUS_CORRUPT);
	}
	assert_int_equal(store->type->begin(store, host_epoch, &err),
			 STATUS_OK);
	counter_store_free(store);
}

static void
reading_fails(void **unused)
{
	struct counter_store *store = begun();
	struct err err;
	size_t gone;

	(void)unused;
	put_one(store, "k", "1", LATER);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	refuse(TXN_RENEW, 0, 1, MDB_BAD_RSLOT);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	refuse(TXN_RENEW, 0, 1, MDB_BAD_RSLOT);
	refuse(TXN_BEGIN_READING, 0, 1, ENOMEM);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	refuse(GET, 1, 1, MDB_CORRUPTED);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	refuse(GET, 0, 1, MDB_CORRUPTED);
	assert_int_equal(store->type->check(store, &err), STATUS_UNAVAILABLE);
	refuse(GET, 0, 1, MDB_CORRUPTED);
	assert_int_equal(counter_host_sweep(store, 9, &gone, &err),
			 STATUS_UNAVAILABLE);
	refuse(CURSOR_OPEN, 0, 1, ENOMEM);
	assert_int_equal(counter_host_sweep(store, 9, &gone, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	counter_store_free(store);
}

/* A root that may be torn is read again; if it stays so, a writer was killed
 * before it told. */
static void
reading_while_others_commit(void **unused)
{
	struct counter_store *store = begun();

	(void)unused;
	put_one(store, "k", "1", LATER);
	refuse(ENV_INFO, 0, 3, 1);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	refuse(ENV_INFO, 0, 40, 1);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	refuse(ENV_INFO, 0, 16, 1);
	refuse(TXN_BEGIN_WRITING, 0, 1, ENOMEM);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	refuse(ENV_INFO, 0, 2, 1);
	refuse(TXN_RENEW, 2, 1, MDB_BAD_RSLOT);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	counter_store_free(store);
}

static void
writing_fails(void **unused)
{
	static const struct {
		enum call call;
		int skip, rc; /* of a swap */
	} cases[] = {
		{ TXN_BEGIN_WRITING, 0, ENOMEM }, { GET, 0, MDB_CORRUPTED },
		{ GET, 1, MDB_PAGE_NOTFOUND },	  { PUT, 0, MDB_MAP_FULL },
		{ PUT, 0, MDB_TXN_FULL },	  { TXN_COMMIT, 0, EIO },
	};
	struct counter_store *store = begun();
	struct counter_item absent = read_one(store, "k");

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		refuse(cases[i].call, cases[i].skip, 1, cases[i].rc);
		assert_int_equal(swap_one(store, &absent, "1", 1), ITEM_FAILED);
		assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
		/* reading has looked twice before it adds */
		struct counter_item add = item_of("k", "1", 1);
		refuse(cases[i].call,
		       cases[i].skip + 2 * (cases[i].call == GET), 1,
		       cases[i].rc);
		store->type->read(store, host_arena, &add, 1);
		assert_int_equal(add.state, ITEM_UNKNOWN);
		assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
		if (cases[i].skip == 0) {
			refuse(cases[i].call, 0, 1, cases[i].rc);
			put_one(store, "k", "1", LATER);
			assert_int_equal(read_one(store, "k").state,
					 ITEM_ABSENT);
		}
	}
	put_one(store, "k", "1", LATER);
	refuse(DEL, 0, 1, MDB_MAP_FULL);
	put_one(store, "k", "", LATER);
	assert_int_equal(read_one(store, "k").state, ITEM_FOUND);
	put_one(store, "k", "", LATER);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	put_one(store, "k", "", LATER);
	counter_store_free(store);
}

/* How many values are added to STORE, of at most 1,000. */
static int
add_many(struct counter_store *store, char first)
{
	const struct counter_item absent = { .state = ITEM_ABSENT };
	char text[1000];
	int n = 0;

	memset(text, 'x', sizeof(text));
	for (; n < 1000; n++) {
		struct counter_item item = absent;

		snprintf(item.key, sizeof(item.key), "%c%03d", first, n);
		if (swap_one(store, &item, text, sizeof(text)) !=
		    ITEM_REPLACED) {
			break;
		}
	}
	return n;
}

static void
a_full_disk_refuses(void **unused)
{
	struct counter_store *store = begun();

	(void)unused;
	refuse(PWRITE, 0, 1, ENOSPC);
	assert_in_range(add_many(store, 'a'), 1, 999);
	/* no room for more, but for each */
	refuse(PWRITE, 1, 1, ENOSPC);
	assert_int_equal(add_many(store, 'b'), 1000);
	counter_store_free(store);
}

/* Up to where the file of STORE has no hole. */
static off_t
whole(struct counter_store *store)
{
	const struct host_store *s = (struct host_store *)(void *)store;
	int fd = open(s->file->path, O_RDONLY | O_CLOEXEC);
	off_t at = lseek(fd, 0, SEEK_HOLE);

	assert_true(fd >= 0 && at > 0);
	close(fd);
	return at;
}

/* Each piece is written once, whoever needs it, before it is used. */
static void
the_file_is_filled_ahead(void **unused)
{
	struct counter_store *store = begun(), *other = open_store(NULL);
	char text[1000], key[16];

	(void)unused;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	off_t before = whole(store);
	written = 0;
	put_one(other, "k", "1", LATER);
	assert_int_equal(written, 0);
	refuse(PWRITE, 2, 1, EIO);
	for (int i = 0; i < 3000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put_one(store, key, text, LATER);
		assert_true(whole(store) > (i + 1) * 1000);
	}
	assert_true(whole(store) > before + 3000 * 1000);
	assert_in_range(written, 3000 * 1000 / 65536, 200);
	written = 0;
	put_one(other, "k", "2", LATER);
	assert_int_equal(written, 0);
	counter_store_free(other);
	counter_store_free(store);
}

/* ---- those that are killed */

static void
read_and_die(int number)
{
	struct counter_store *store = open_store(NULL);

	(void)number;
	must(read_one(store, "k").state != ITEM_UNKNOWN);
}

static void
one_dies(void)
{
	int status;
	pid_t pid = run(read_and_die, 0);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* No room, until what is kept for the dead is given back: not refused. */
static void
room_of_the_dead(void **unused)
{
	struct counter_store *store = begun();
	struct counter_item absent = read_one(store, "k");
	struct counter_item add = item_of("added", "1", 1);

	(void)unused;
	one_dies();
	refuse(PUT, 0, 1, MDB_MAP_FULL);
	assert_int_equal(swap_one(store, &absent, "1", 1), ITEM_REPLACED);
	one_dies();
	refuse(PUT, 0, 1, MDB_MAP_FULL);
	put_one(store, "k", "2", LATER);
	assert_memory_equal(read_one(store, "k").value, "2", 1);
	one_dies();
	refuse(PUT, 0, 1, MDB_MAP_FULL);
	store->type->read(store, host_arena, &add, 1);
	assert_int_equal(add.state, ITEM_ABSENT);
	assert_int_equal(read_one(store, "added").state, ITEM_FOUND);
	counter_store_free(store);
}

static void
places_of_the_dead(void **unused)
{
	struct counter_store *store = begun(), *other = open_store(NULL);

	(void)unused;
	one_dies();
	refuse(TXN_BEGIN_READING, 0, 1, MDB_READERS_FULL);
	assert_int_equal(read_one(store, "k").state, ITEM_ABSENT);
	refuse(TXN_BEGIN_READING, 0, 1, MDB_READERS_FULL);
	assert_int_equal(read_one(other, "k").state, ITEM_UNKNOWN);
	assert_int_equal(read_one(other, "k").state, ITEM_ABSENT);
	counter_store_free(store);
	counter_store_free(other);
}

/* ---- races */

static void
write_before(void)
{
	struct counter_store *other = open_store(NULL);

	put_one(other, "k", "faster", LATER);
	counter_store_free(other);
}

static void
lose_before(void)
{
	drop_marker(host_epoch);
}

static void
others_are_faster(void **unused)
{
	struct counter_store *store = begun();
	struct counter_item add = item_of("k", "mine", 4);
	size_t gone;

	(void)unused;
	before_writing = write_before;
	store->type->read(store, host_arena, &add, 1);
	assert_int_equal(add.state, ITEM_FOUND);
	assert_int_equal(add.value_n, 6);
	assert_memory_equal(add.value, "faster", 6);
	assert_int_equal(swap_one(store, &add, "mine", 4), ITEM_REPLACED);
	/* what the sweep found expired was written again */
	put_one(store, "k", "mine", 1);
	before_writing = write_before;
	assert_int_equal(counter_host_sweep(store, 9, &gone, NULL), STATUS_OK);
	assert_int_equal(gone, 0);
	struct counter_item k = read_one(store, "k");
	assert_memory_equal(k.value, "faster", 6);
	before_writing = lose_before;
	assert_int_equal(swap_one(store, &k, "mine", 4), ITEM_FAILED);
	assert_int_equal(read_one(store, "k").state, ITEM_UNKNOWN);
	counter_store_free(store);
}

/* A full map has room for few deletions. */
static void
the_sweep_takes_smaller_steps(void **unused)
{
	struct counter_store *store = begun();
	struct err err;
	size_t gone = 0;

	(void)unused;
	for (int i = 0; i < 20; i++) {
		char key[COUNTER_KEY_BYTES];
		snprintf(key, sizeof(key), "k%d", i);
		put_one(store, key, "1", 1);
	}
	refuse(DEL, 5, 1, MDB_MAP_FULL);
	assert_int_equal(counter_host_sweep(store, 12, &gone, &err), STATUS_OK);
	assert_int_equal(gone, 11); /* the marker is one of the 12 */
	refuse(DEL, 0, 4, MDB_MAP_FULL);
	assert_int_equal(counter_host_sweep(store, 8, &gone, &err),
			 STATUS_UNAVAILABLE);
	refuse(TXN_COMMIT, 0, 1, EIO);
	assert_int_equal(counter_host_sweep(store, 100, &gone, &err),
			 STATUS_UNAVAILABLE);
	refuse(TXN_BEGIN_WRITING, 0, 1, ENOMEM);
	assert_int_equal(counter_host_sweep(store, 100, &gone, &err),
			 STATUS_UNAVAILABLE);
	assert_int_equal(gone, 11);
	assert_int_equal(counter_host_sweep(store, 100, &gone, &err),
			 STATUS_OK);
	assert_int_equal(gone, 9);
	counter_store_free(store);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin_test, end_faults)
	const struct CMUnitTest tests[] = {
		CASE(opening_fails),
		CASE(beginning_fails),
		CASE(reading_fails),
		CASE(reading_while_others_commit),
		CASE(writing_fails),
		CASE(a_full_disk_refuses),
		CASE(the_file_is_filled_ahead),
		CASE(room_of_the_dead),
		CASE(places_of_the_dead),
		CASE(others_are_faster),
		CASE(the_sweep_takes_smaller_steps),
	};
#undef CASE

	if (!host_fixture_begin()) {
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	host_fixture_end();
	return failed;
}
