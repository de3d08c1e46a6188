/*
 * auth: who is calling, and may it?
 *
 * Keys look like ims_<id>_<secret>: id is 16 of [a-z0-9], secret 43 of
 * base64url's characters.  Sent as Authorization: Bearer, x-api-key, or
 * X-Admin-Key (compliance API only).  Stored is BLAKE2b-256 of the secret,
 * compared in constant time; the secrets have 258 random bits, so nothing
 * slower is needed.  digest_init (base/digest.h) comes first.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "http/request.h"
#include "policy/snapshot.h"

enum {
	AUTH_ID_CHARS = 16,
	AUTH_SECRET_CHARS = 43,
	AUTH_KEY_BYTES = 4 + AUTH_ID_CHARS + 1 + AUTH_SECRET_CHARS + 1
};

/* Who may: a set of roles, 1 << enum role; AUTH_ANYONE needs no key. */
enum {
	AUTH_ANYONE = 0,
	AUTH_EVALUATE = 1 << ROLE_EVALUATOR | 1 << ROLE_ADMIN,
	AUTH_READ = 1 << ROLE_VIEWER | 1 << ROLE_RESOLVER | 1 << ROLE_ADMIN,
	AUTH_RESOLVE = 1 << ROLE_RESOLVER | 1 << ROLE_ADMIN,
	AUTH_ADMIN = 1 << ROLE_ADMIN
};

/* Is KEY's role one of ROLES?  No key (NULL) has no role. */
bool auth_has_role(const struct api_key *key, unsigned roles);

/**
 * auth_check(snapshot, req, roles, now_us, out, err):
 * The caller's key, if it may.
 *
 * Takes:   SNAPSHOT NULL: there is none yet, so no key can be known.
 * Gives:   OUT, borrowed from SNAPSHOT; NULL where AUTH_ANYONE and no key came,
 *          or no key can be known.
 * Errors:  STATUS_UNAUTHENTICATED: none, unknown, wrong, revoked or expired
 *          (never said which); STATUS_FORBIDDEN: its role may not;
 *          STATUS_UNAVAILABLE: a role is needed and no key can be known.
 *          A key that is sent must be good also where none is needed.
 */
enum status auth_check(const struct snapshot_data *snapshot,
		       const struct http_request *req, unsigned roles,
		       int64_t now_us, const struct api_key **out,
		       struct err *err) MUST_CHECK;

/* A new key's text, its id and the hash of its secret. */
void auth_make_key(char key[AUTH_KEY_BYTES], char id[AUTH_ID_CHARS + 1],
		   unsigned char hash[KEY_HASH_BYTES]);
void auth_hash(const char *secret, unsigned char hash[KEY_HASH_BYTES]);

#endif /* AUTH_AUTH_H */
