/* memcached_place: lists of servers, and that a key's place is the one that
 * libmemcached's own client knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <libmemcached/memcached.h>

#include "counter/memcached_place.h"

enum { KEYS = 3000 };

static const struct {
	const char *list;
	size_t n;
	const char *name, *host; /* of the last */
	unsigned port;
} good[] = {
	{ "localhost", 1, "localhost:11211", "localhost", 11211 },
	{ "a:1", 1, "a:1", "a", 1 },
	{ "a,b:65535", 2, "b:65535", "b", 65535 },
	{ " a , 10.0.0.1:5 ", 2, "10.0.0.1:5", "10.0.0.1", 5 },
	{ "[::1]", 1, "[::1]:11211", "::1", 11211 },
	{ "[fe80::1%2]:7", 1, "[fe80::1%2]:7", "fe80::1%2", 7 },
	{ "/run/memcached.sock", 1, "/run/memcached.sock",
	  "/run/memcached.sock", 0 },
	{ "a:1,a:2,a:3", 3, "a:3", "a", 3 },
};

static const char *const bad[] = {
	"",	    " ",
	"a,",	    ",a",
	"a,,b",	    "a:",
	"a:0",	    "a:x",
	"a:65536",  "a:1:2",
	"a:123456", "::1",
	"[::1",	    "[]:1",
	"[::1]x",   "[::1]:",
	"[g::1]",   "a b",
	"a;b",	    "a,a:11211",
	"/a,/a",    "[::1],[::1]:11211",
	"-\"a",
};

static void
test_lists(void **state)
{
	struct err err;
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct memcached_place *place =
		    memcached_place_new(good[i].list, &err);
		if (place == NULL) {
			fail_msg("%s: %s", good[i].list, err.text);
		}
		assert_int_equal(memcached_place_n(place), good[i].n);
		const struct memcached_place_server *last =
		    memcached_place_server(place, good[i].n - 1);
		assert_string_equal(last->name, good[i].name);
		assert_string_equal(last->host, good[i].host);
		assert_int_equal(last->port, good[i].port);
		memcached_place_free(place);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct memcached_place *place =
		    memcached_place_new(bad[i], &err);
		if (place != NULL) {
			fail_msg("taken: %s", bad[i]);
		}
		assert_int_equal(err.status, STATUS_BODY);
	}
	memcached_place_free(NULL);
}

static void
test_too_much(void **state)
{
	struct err err;
	char list[2000] = "/", *at = list;
	(void)state;

	memset(list + 1, 'p', 300);
	assert_null(memcached_place_new(list, &err));
	list[107] = '\0';
	struct memcached_place *place = memcached_place_new(list, &err);
	assert_non_null(place);
	memcached_place_free(place);
	memcpy(list + 107, "p", 2); /* 108: no room for its NUL */
	assert_null(memcached_place_new(list, &err));
	memset(list, 'h', 254);
	list[254] = '\0';
	assert_null(memcached_place_new(list, &err));
	for (int i = 0; i <= MEMCACHED_PLACE_SERVERS; i++) {
		at += sprintf(at, "%sa:%d", i == 0 ? "" : ",", i + 1);
	}
	assert_null(memcached_place_new(list, &err));
	*strrchr(list, ',') = '\0';
	place = memcached_place_new(list, &err);
	assert_non_null(place);
	assert_int_equal(memcached_place_n(place), MEMCACHED_PLACE_SERVERS);
	memcached_place_free(place);
}

static void
test_places(void **state)
{
	struct err err;
	struct memcached_place *place =
	    memcached_place_new("/run/a,b:2,c:3", &err);
	struct memcached_place *turned =
	    memcached_place_new("c:3,/run/a,b:2", &err);
	struct memcached_place *fewer = memcached_place_new("/run/a,b:2", &err);
	struct memcached_place *one = memcached_place_new("a", &err);
	memcached_st *client = memcached_create(NULL);
	size_t counts[3] = { 0 }, moved = 0;
	char key[32];
	(void)state;

	memcached_server_add_unix_socket(client, "/run/a");
	memcached_server_add(client, "b", 2);
	memcached_server_add(client, "c", 3);
	memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
	for (int i = 0; i < KEYS; i++) {
		const size_t n = (size_t)sprintf(key, "1.key%d", i);
		const size_t at = memcached_place_of(place, key, n);
		memcached_return_t rc = MEMCACHED_SUCCESS;
		const struct memcached_instance_st *server =
		    memcached_server_by_key(client, key, n, &rc);
		assert_int_equal(rc, MEMCACHED_SUCCESS);
		assert_string_equal(memcached_server_name(server),
				    memcached_place_server(place, at)->host);
		/* the order of the list does not matter */
		assert_string_equal(
		    memcached_place_server(turned,
					   memcached_place_of(turned, key, n))
			->name,
		    memcached_place_server(place, at)->name);
		/* without one server only its own keys are elsewhere */
		if (at < 2) {
			moved += memcached_place_of(fewer, key, n) != at;
		}
		assert_int_equal(memcached_place_of(one, key, n), 0);
		counts[at]++;
	}
	assert_int_equal(moved, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_in_range(counts[i], KEYS / 5, KEYS / 2);
	}
	memcached_free(client);
	memcached_place_free(one);
	memcached_place_free(fewer);
	memcached_place_free(turned);
	memcached_place_free(place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
