/*
 * store_key: the table api_keys.
 */
#ifndef STORE_STORE_KEY_H
#define STORE_STORE_KEY_H

#include <stdbool.h>

#include "base/status.h"
#include "store/pg.h"

/* A new key; lists are JSON arrays of strings, NULL is SQL NULL. */
struct store_key {
	const char *key_id;
	const char *name;     /* or NULL */
	const char *hash_hex; /* 64 digits */
	const char *role;
	const char *bound_facts; /* JSON object */
	const char *user_tiers;	 /* JSON array */
	const char *regions;	 /* JSON array */
	const char *asserts;	 /* JSON array; NULL: all */
	const char *expires_at;	 /* RFC 3339; NULL: never */
	const char *created_by;
};

/* A key as it is listed; missing texts are "". */
struct store_key_row {
	const char *key_id;
	const char *name;
	const char *role;
	const char *state; /* "valid", "expired", "revoked" */
	const char *expires_at;
	const char *created_at;
	const char *bound_facts; /* JSON object */
};

enum status store_key_insert(struct pg *pg, const struct store_key *key,
			     struct err *err) MUST_CHECK;

/* Call EACH with every key, oldest first. */
enum status store_key_each(struct pg *pg,
			   void (*each)(void *arg,
					const struct store_key_row *row),
			   void *arg, struct err *err) MUST_CHECK;

/* STATUS_NOT_FOUND, or STATUS_CONFLICT when it is revoked already. */
enum status store_key_revoke(struct pg *pg, const char *key_id,
			     struct err *err) MUST_CHECK;

#endif /* STORE_STORE_KEY_H */
