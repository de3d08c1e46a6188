#include "host_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counter/host_txn.h"

char host_folder[64];
uint64_t host_epoch;
struct arena *host_arena;

bool
host_fixture_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(host_folder, sizeof(host_folder), "%s/ims-host.XXXXXX",
		 tmp == NULL ? "/tmp" : tmp);
	return mkdtemp(host_folder) != NULL;
}

static void
clean_folder(void)
{
	DIR *dir = opendir(host_folder);

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] != '.') {
			(void)unlinkat(dirfd(dir), e->d_name, 0);
		}
	}
	closedir(dir);
}

int
begin_test(void **state)
{
	(void)state;
	host_arena = arena_new(1 << 16);
	host_epoch++;
	return 0;
}

int
end_test(void **state)
{
	(void)state;
	arena_free(host_arena);
	clean_folder();
	return 0;
}

struct counter_store *
open_of(int64_t map_bytes)
{
	struct counter_store *store =
	    counter_host_store(host_folder, map_bytes, NULL);

	assert_non_null(store);
	store->epoch = host_epoch;
	return store;
}

struct counter_store *
open_store(void *arg)
{
	(void)arg;
	return open_of(MAP_BYTES);
}

struct counter_store *
begun_of(int64_t map_bytes)
{
	struct counter_store *store = open_of(map_bytes);
	struct err err = { .status = STATUS_OK };
	enum status status = store->type->begin(store, host_epoch, &err);

	assert_string_equal(err.text, "");
	assert_int_equal(status, STATUS_OK);
	return store;
}

struct counter_store *
begun(void)
{
	return begun_of(MAP_BYTES);
}

void
drop_marker(uint64_t of)
{
	struct host_file *file;
	MDB_txn *txn;
	MDB_val key = host_txn_marker();

	assert_int_equal(host_file_open(host_folder, of, &file, NULL),
			 STATUS_OK);
	assert_int_equal(mdb_txn_begin(file->env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_del(txn, file->dbi, &key, NULL), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	host_file_close(file);
}

struct counter_item
item_of(const char *key, const void *next, size_t n)
{
	struct counter_item item = { .next = next,
				     .next_n = n,
				     .expires_s = LATER };

	snprintf(item.key, sizeof(item.key), "%s", key);
	return item;
}

struct counter_item
read_one(struct counter_store *store, const char *key)
{
	struct counter_item item = item_of(key, NULL, 0);

	store->type->read(store, host_arena, &item, 1);
	return item;
}

void
put_one(struct counter_store *store, const char *key, const char *text,
	int64_t expires_s)
{
	struct counter_item item = item_of(key, text, strlen(text));

	item.expires_s = expires_s;
	store->type->put(store, &item, 1);
}

enum counter_item_result
swap_one(struct counter_store *store, const struct counter_item *was,
	 const void *next, size_t n)
{
	struct counter_item item = *was;

	item.next = next;
	item.next_n = n;
	item.expires_s = LATER;
	store->type->swap(store, &item, 1);
	return item.result;
}

pid_t
run(void (*function)(int number), int number)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		function(number);
		_exit(0);
	}
	return pid;
}

void
must(bool right)
{
	if (!right) {
		_exit(1);
	}
}

void
host_fixture_end(void)
{
	clean_folder();
	(void)rmdir(host_folder);
}
