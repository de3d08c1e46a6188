/*
 * host_fixture: stores of one host in a folder of the test's own.
 */
#ifndef HOST_FIXTURE_H
#define HOST_FIXTURE_H

#include <sys/types.h>

#include "counter/store.h"

enum { MAP_BYTES = 64 * 1024 * 1024 };

static const int64_t LATER = INT64_C(4000000000); /* after 2038 */

extern char host_folder[64];
extern uint64_t host_epoch;	 /* of the stores that are opened */
extern struct arena *host_arena; /* of a test */

bool host_fixture_begin(void);
void host_fixture_end(void);

/* Around each test: another epoch, and afterwards an empty folder. */
int begin_test(void **state);
int end_test(void **state);

struct counter_store *open_of(int64_t map_bytes);
struct counter_store *open_store(void *unused);
/* The same, when it has begun the epoch. */
struct counter_store *begun_of(int64_t map_bytes);
struct counter_store *begun(void);

/* Its epoch is lost. */
void drop_marker(uint64_t of);

struct counter_item item_of(const char *key, const void *next, size_t n);
struct counter_item read_one(struct counter_store *store, const char *key);
void put_one(struct counter_store *store, const char *key, const char *text,
	     int64_t expires_s);
enum counter_item_result swap_one(struct counter_store *store,
				  const struct counter_item *was,
				  const void *next, size_t n);

/* A process that does FUNCTION and frees nothing; must ends it with 1. */
pid_t run(void (*function)(int number), int number);
void must(bool right);

#endif /* HOST_FIXTURE_H */
