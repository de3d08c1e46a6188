#include "store/store_key.h"

/* A JSON array of strings as text[]. */
#define TEXTS(parameter) \
	"ARRAY(SELECT jsonb_array_elements_text(" parameter "::jsonb))"

enum status
store_key_insert(struct pg *pg, const struct store_key *key, struct err *err)
{
	const char *params[] = { key->key_id,	   key->name,
				 key->hash_hex,	   key->role,
				 key->bound_facts, key->user_tiers,
				 key->regions,	   key->asserts,
				 key->expires_at,  key->created_by };

	return pg_query(
	    pg,
	    "INSERT INTO api_keys (key_id, name, hash, role, "
	    "bound_facts, user_tiers, regions, asserts, "
	    "expires_at, created_by) VALUES ($1, $2, "
	    "decode($3, 'hex'), $4, $5::jsonb, " TEXTS("$6") ", " TEXTS(
		"$7") ", CASE WHEN $8::text IS NOT NULL "
		      "THEN " TEXTS("$8") " END, $9, $10)",
	    params, 10, NULL, err);
}

enum status
store_key_each(struct pg *pg,
	       void (*each)(void *arg, const struct store_key_row *row),
	       void *arg, struct err *err)
{
	struct pg_result *result = NULL;
	enum status status = pg_query(
	    pg,
	    "SELECT key_id, coalesce(name, ''), role, "
	    "CASE WHEN revoked_at IS NOT NULL THEN 'revoked' "
	    "WHEN expires_at <= now() THEN 'expired' ELSE 'valid' END, "
	    "coalesce(rfc3339(expires_at), ''), rfc3339(created_at), "
	    "bound_facts::text FROM api_keys ORDER BY created_at, key_id",
	    NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (int i = 0; i < pg_rows(result); i++) {
		struct store_key_row row = {
			.key_id = pg_value(result, i, 0),
			.name = pg_value(result, i, 1),
			.role = pg_value(result, i, 2),
			.state = pg_value(result, i, 3),
			.expires_at = pg_value(result, i, 4),
			.created_at = pg_value(result, i, 5),
			.bound_facts = pg_value(result, i, 6),
		};
		each(arg, &row);
	}
	pg_result_free(result);
	return STATUS_OK;
}

enum status
store_key_revoke(struct pg *pg, const char *key_id, struct err *err)
{
	const char *params[] = { key_id };
	struct pg_result *result = NULL;
	/* The subquery sees the key as it was before. */
	enum status status = pg_query(
	    pg,
	    "WITH found AS (SELECT key_id, revoked_at FROM api_keys "
	    "WHERE key_id = $1 FOR UPDATE), "
	    "done AS (UPDATE api_keys k SET revoked_at = now() FROM found f "
	    "WHERE k.key_id = f.key_id AND f.revoked_at IS NULL) "
	    "SELECT revoked_at IS NOT NULL FROM found",
	    params, 1, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	if (pg_rows(result) == 0) {
		status = err_set(err, STATUS_NOT_FOUND, "there is no key %s",
				 key_id);
	} else if (pg_value(result, 0, 0)[0] == 't') {
		status = err_set(err, STATUS_CONFLICT,
				 "the key %s is revoked already", key_id);
	}
	pg_result_free(result);
	return status;
}
