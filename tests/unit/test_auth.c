#include "auth/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "http_fixture.h"

#define SECRET "0123456789012345678901234567890123456789-_Z"
#define OTHER "1123456789012345678901234567890123456789-_Z"
#define KEY(id) "ims_" id "_" SECRET

#define EVALUATOR "eeeeeeeeeeeeeeee"
#define VIEWER "vvvvvvvvvvvvvvvv"
#define RESOLVER "rrrrrrrrrrrrrrrr"
#define ADMIN "aaaaaaaaaaaaaaaa"
#define REVOKED "0000000000000000"
#define EXPIRED "1111111111111111"
#define EXPIRING "2222222222222222"

/* Sorted by id, as a snapshot has them. */
static struct api_key keys[] = {
	{ .key_id = REVOKED, .role = ROLE_ADMIN, .revoked = true },
	{ .key_id = EXPIRED, .role = ROLE_ADMIN, .expires_us = FIXTURE_NOW_US },
	{ .key_id = EXPIRING,
	  .role = ROLE_EVALUATOR,
	  .expires_us = FIXTURE_NOW_US + 1 },
	{ .key_id = ADMIN, .role = ROLE_ADMIN },
	{ .key_id = EVALUATOR, .role = ROLE_EVALUATOR },
	{ .key_id = RESOLVER, .role = ROLE_RESOLVER },
	{ .key_id = VIEWER, .role = ROLE_VIEWER },
};
enum { KEYS_N = sizeof(keys) / sizeof(keys[0]) };

static const struct snapshot_data snapshot = { .keys = keys, .keys_n = KEYS_N };

static int
keys_begin(void **state)
{
	struct err err;

	assert_int_equal(digest_init(&err), STATUS_OK);
	for (size_t i = 0; i < KEYS_N; i++) {
		auth_hash(SECRET, keys[i].hash);
		if (keys[i].expires_us == 0) {
			keys[i].expires_us = INT64_MAX;
		}
	}
	return fixture_begin(state);
}

/* Variables, needed roles, and the id of the key that is found; NULL with
 * STATUS_OK: nobody. */
static const struct {
	const char *path;
	const char *first, *second;
	unsigned roles;
	enum status status;
	const char *key_id;
} cases[] = {
	/* where it is sent */
	{ "/e", "HTTP_AUTHORIZATION=Bearer " KEY(EVALUATOR), NULL,
	  AUTH_EVALUATE, STATUS_OK, EVALUATOR },
	{ "/e", "HTTP_AUTHORIZATION=bEARER   " KEY(EVALUATOR), NULL,
	  AUTH_EVALUATE, STATUS_OK, EVALUATOR },
	{ "/e", "HTTP_X_API_KEY=" KEY(EVALUATOR), NULL, AUTH_EVALUATE,
	  STATUS_OK, EVALUATOR },
	{ "/e", "HTTP_X_ADMIN_KEY=" KEY(ADMIN), NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/api/v1/compliance", "HTTP_X_ADMIN_KEY=" KEY(ADMIN), NULL,
	  AUTH_ADMIN, STATUS_OK, ADMIN },
	{ "/api/v1/compliance/x", "HTTP_X_ADMIN_KEY=" KEY(ADMIN), NULL,
	  AUTH_ADMIN, STATUS_OK, ADMIN },
	{ "/api/v1/compliancex", "HTTP_X_ADMIN_KEY=" KEY(ADMIN), NULL,
	  AUTH_ADMIN, STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_AUTHORIZATION=Basic eDp5", "HTTP_X_API_KEY=" KEY(VIEWER),
	  AUTH_READ, STATUS_OK, VIEWER },
	{ "/e", "HTTP_AUTHORIZATION=Bearer " KEY(VIEWER),
	  "HTTP_X_API_KEY=" KEY(ADMIN), AUTH_READ, STATUS_OK, VIEWER },
	/* what is no key */
	{ "/e", NULL, NULL, AUTH_EVALUATE, STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_AUTHORIZATION=", NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_AUTHORIZATION=" KEY(EVALUATOR), NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_AUTHORIZATION=Bearer", NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_AUTHORIZATION=Bearer ", NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(EVALUATOR) "x", NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=IMS_" EVALUATOR "_" SECRET, NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=ims_EEEEEEEEEEEEEEEE_" SECRET, NULL,
	  AUTH_EVALUATE, STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=ims_" EVALUATOR "-" SECRET, NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e",
	  "HTTP_X_API_KEY=ims_" EVALUATOR
	  "_012345678901234567890123456789012345678+/_Z",
	  NULL, AUTH_EVALUATE, STATUS_UNAUTHENTICATED, NULL },
	/* whose it is */
	{ "/e", "HTTP_X_API_KEY=ims_" EVALUATOR "_" OTHER, NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY("nobodynobodynobo"), NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(REVOKED), NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(EXPIRED), NULL, AUTH_EVALUATE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(EXPIRING), NULL, AUTH_EVALUATE, STATUS_OK,
	  EXPIRING },
	/* what it may */
	{ "/e", "HTTP_X_API_KEY=" KEY(ADMIN), NULL, AUTH_EVALUATE, STATUS_OK,
	  ADMIN },
	{ "/e", "HTTP_X_API_KEY=" KEY(VIEWER), NULL, AUTH_EVALUATE,
	  STATUS_FORBIDDEN, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(RESOLVER), NULL, AUTH_EVALUATE,
	  STATUS_FORBIDDEN, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(EVALUATOR), NULL, AUTH_READ,
	  STATUS_FORBIDDEN, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(RESOLVER), NULL, AUTH_READ, STATUS_OK,
	  RESOLVER },
	{ "/e", "HTTP_X_API_KEY=" KEY(VIEWER), NULL, AUTH_RESOLVE,
	  STATUS_FORBIDDEN, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(RESOLVER), NULL, AUTH_ADMIN,
	  STATUS_FORBIDDEN, NULL },
	/* where nobody is asked */
	{ "/e", NULL, NULL, AUTH_ANYONE, STATUS_OK, NULL },
	{ "/e", "HTTP_X_API_KEY=" KEY(VIEWER), NULL, AUTH_ANYONE, STATUS_OK,
	  VIEWER },
	{ "/e", "HTTP_X_API_KEY=" KEY(REVOKED), NULL, AUTH_ANYONE,
	  STATUS_UNAUTHENTICATED, NULL },
	{ "/e", "HTTP_X_API_KEY=x", NULL, AUTH_ANYONE, STATUS_UNAUTHENTICATED,
	  NULL },
};

static void
auth_answers_each_case(void **state)
{
	static const struct api_key untouched;
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct api_key *got = &untouched;
		struct err err;

		print_message("case %zu: %s\n", i,
			      cases[i].first != NULL ? cases[i].first : "-");
		fixture_clear(f);
		fixture_set(f, cases[i].first);
		fixture_set(f, cases[i].second);
		struct http_request req = fixture_request(f);
		req.path = cases[i].path;
		enum status status = auth_check(&snapshot, &req, cases[i].roles,
						FIXTURE_NOW_US, &got, &err);
		assert_int_equal(status, cases[i].status);
		if (status != STATUS_OK) {
			assert_ptr_equal(got, &untouched);
		} else if (cases[i].key_id == NULL) {
			assert_null(got);
		} else {
			assert_string_equal(got->key_id, cases[i].key_id);
		}
	}
}

static void
no_snapshot_is_not_a_wrong_key(void **state)
{
	struct fixture *f = *state;
	const struct api_key *got = &keys[0];
	struct err err;

	fixture_clear(f);
	fixture_set(f, "HTTP_X_API_KEY=" KEY(ADMIN));
	struct http_request req = fixture_request(f);
	req.path = "/e";
	assert_int_equal(
	    auth_check(NULL, &req, AUTH_EVALUATE, FIXTURE_NOW_US, &got, &err),
	    STATUS_UNAVAILABLE);
	assert_ptr_equal(got, &keys[0]);
	assert_int_equal(
	    auth_check(NULL, &req, AUTH_ANYONE, FIXTURE_NOW_US, &got, &err),
	    STATUS_OK);
	assert_null(got);
}

/* The text that auth_make_key gives is one that auth_check takes. */
static void
made_key_works(void **state)
{
	static const char name[] = "HTTP_X_API_KEY=";
	struct fixture *f = *state;
	char text[sizeof(name) + AUTH_KEY_BYTES];
	char *key = text + sizeof(name) - 1;
	char id[AUTH_ID_CHARS + 1], again[AUTH_ID_CHARS + 1];
	unsigned char hash[KEY_HASH_BYTES];
	const struct api_key *got = NULL;
	struct err err;

	memcpy(text, name, sizeof(name));
	auth_make_key(key, again, hash);
	auth_make_key(key, id, hash);
	assert_string_not_equal(id, again);
	assert_int_equal(strlen(key), AUTH_KEY_BYTES - 1);
	struct api_key stored = { .key_id = id,
				  .role = ROLE_VIEWER,
				  .expires_us = INT64_MAX };
	memcpy(stored.hash, hash, sizeof(hash));
	struct snapshot_data data = { .keys = &stored, .keys_n = 1 };

	fixture_clear(f);
	fixture_set(f, text);
	struct http_request req = fixture_request(f);
	req.path = "/e";
	assert_int_equal(
	    auth_check(&data, &req, AUTH_READ, FIXTURE_NOW_US, &got, &err),
	    STATUS_OK);
	assert_ptr_equal(got, &stored);
}

/* BLAKE2b-256 of "abc": a stored hash must mean the same for ever. */
static void
hash_is_blake2b_256(void **state)
{
	static const unsigned char want[KEY_HASH_BYTES] = {
		0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72,
		0x31, 0x71, 0xef, 0x3f, 0xee, 0x98, 0x57, 0x9b,
		0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb, 0x3e, 0x42,
		0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19
	};
	unsigned char got[KEY_HASH_BYTES];

	(void)state;
	auth_hash("abc", got);
	assert_memory_equal(got, want, sizeof(want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auth_answers_each_case),
		cmocka_unit_test(no_snapshot_is_not_a_wrong_key),
		cmocka_unit_test(made_key_works),
		cmocka_unit_test(hash_is_blake2b_256),
	};
	return cmocka_run_group_tests_name("auth", tests, keys_begin,
					   fixture_end);
}
