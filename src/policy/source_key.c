/*
 * source_key: who may call, and who is who: API keys and the directory.
 */
#include "policy/source_parts.h"

#include <string.h>

#include "base/hex.h"

const char *const role_words[] = { "evaluator", "viewer", "resolver", "admin",
				   NULL };

enum { ID_BYTES = 256, NAME_BYTES = 256, VALUE_BYTES = 256, LIST_MAX = 1000 };

/* ---- keys */

/* A key while its lists are still JSON. */
struct key_row {
	struct api_key key;
	struct json bound_facts, user_tiers, regions, asserts; /* or null */
};

static void
read_hash(struct reading *r, const struct json *at, void *out)
{
	struct key_row *row = out;
	const char *text;

	if (!reading_ok(r, json_string(at, &text, r->err))) {
		return;
	}
	if (strlen(text) != KEY_HASH_BYTES * 2 ||
	    !hex_read(text, KEY_HASH_BYTES, row->key.hash)) {
		(void)reading_refuse(r, at, "expected %d bytes in hexadecimal",
				     KEY_HASH_BYTES);
	}
}

#define AT(member) offsetof(struct key_row, member)

static const struct reading_field key_fields[] = {
	{ .name = "key_id",
	  .kind = READING_TEXT,
	  .required = true,
	  .offset = AT(key.key_id),
	  .low = 1,
	  .high = ID_BYTES },
	{ .name = "name",
	  .kind = READING_TEXT,
	  .offset = AT(key.name),
	  .high = NAME_BYTES },
	{ .name = "hash",
	  .kind = READING_BY,
	  .required = true,
	  .read = read_hash },
	{ .name = "role",
	  .kind = READING_WORD,
	  .required = true,
	  .offset = AT(key.role),
	  .words = role_words },
	{ .name = "expires_at",
	  .kind = READING_TIME,
	  .offset = AT(key.expires_us) },
	{ .name = "revoked", .kind = READING_FLAG, .offset = AT(key.revoked) },
	{ .name = "bound_facts",
	  .kind = READING_PLACE,
	  .offset = AT(bound_facts) },
	{ .name = "user_tiers",
	  .kind = READING_PLACE,
	  .offset = AT(user_tiers) },
	{ .name = "regions", .kind = READING_PLACE, .offset = AT(regions) },
	{ .name = "asserts", .kind = READING_PLACE, .offset = AT(asserts) },
};

/*
 * Can whoever uses a key have FACT?  What belongs to one call is the call's
 * own: a decision about another model than the call's is none, and one id for
 * all calls would name nothing.
 */
static bool
can_be_bound(enum fact_id fact)
{
	switch (fact) {
	case FACT_N:
	case FACT_model_id:
	case FACT_session_id:
	case FACT_correlation_id:
	case FACT_request_id:
		return false;
	default:
		return fact_type(fact) == FACT_TYPE_TEXT;
	}
}

static void
read_bound_facts(struct reading *r, const struct json *at, struct api_key *key)
{
	struct json_iter iter = { 0 };
	struct json member;

	if (json_type(at) == JSON_NULL ||
	    !reading_ok(r, json_expect(at, JSON_OBJECT, r->err))) {
		return;
	}
	struct bound_fact *facts =
	    arena_array(r->arena, json_n(at), sizeof(*facts));
	while (json_next(at, &iter, &member)) {
		enum fact_id fact = fact_find(member.key, strlen(member.key));
		const char *text;

		if (!can_be_bound(fact)) {
			(void)reading_refuse(r, &member,
					     "is no fact that a key can have");
		} else if (reading_text(r, &member, 1, VALUE_BYTES, &text)) {
			facts[key->facts_n].fact = fact;
			facts[key->facts_n].value =
			    fact_folds(fact) ? arena_lower(r->arena, text)
					     : text;
			key->facts_n++;
		}
	}
	key->facts = facts;
}

static void
read_asserts(struct reading *r, const struct json *at, struct api_key *key)
{
	const char *const *names;
	size_t n;

	if (json_type(at) == JSON_NULL) {
		/* a key is its own id, unless it is told to name others */
		for (enum fact_id fact = 0; fact < FACT_N; fact++) {
			key->asserts[fact] =
			    fact_from_body(fact) && fact != FACT_api_key_id;
		}
		return;
	}
	if (!reading_texts(r, at, NAME_BYTES, FACT_N, &names, &n)) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		enum fact_id fact = fact_find(names[i], strlen(names[i]));
		struct json item = json_item(at, i);

		if (fact == FACT_N || !fact_from_body(fact)) {
			(void)reading_refuse(r, &item,
					     "is no fact that a caller says");
			continue;
		}
		key->asserts[fact] = true;
	}
}

static void
read_claims(struct reading *r, const struct json *at, bool folds,
	    const char *const **out, size_t *n)
{
	const char *const *texts;

	if (json_type(at) == JSON_NULL ||
	    !reading_texts(r, at, VALUE_BYTES, LIST_MAX, &texts, n)) {
		return;
	}
	const char **claims = arena_array(r->arena, *n, sizeof(*claims));
	for (size_t i = 0; i < *n; i++) {
		claims[i] = folds ? arena_lower(r->arena, texts[i]) : texts[i];
	}
	*out = claims;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct api_key *x = a, *y = b;

	return strcmp(x->key_id, y->key_id);
}

void
source_keys(struct reading *r, const struct json *at, struct source *out)
{
	static const struct key_row fallback = {
		.key = { .key_id = "",
			 .name = "",
			 .role = ROLE_VIEWER,
			 .expires_us = INT64_MAX },
	};
	void *read;
	size_t n = reading_rows(r, at, key_fields,
				sizeof(key_fields) / sizeof(key_fields[0]),
				&fallback, sizeof(fallback), &read);
	struct key_row *rows = read;
	struct api_key *keys = arena_array(r->arena, n, sizeof(*keys));

	for (size_t i = 0; i < n; i++) {
		struct api_key *key = &rows[i].key;

		read_bound_facts(r, &rows[i].bound_facts, key);
		read_claims(r, &rows[i].user_tiers, fact_folds(FACT_user_tier),
			    &key->user_tiers, &key->user_tiers_n);
		read_claims(r, &rows[i].regions, fact_folds(FACT_region),
			    &key->regions, &key->regions_n);
		read_asserts(r, &rows[i].asserts, key);
		keys[i] = *key;
	}
	reading_sort(r, at, keys, n, sizeof(*keys), compare_keys);
	out->keys = keys;
	out->keys_n = n;
}

/* ---- the directory */

static int
compare_subjects(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;

	return strcmp(x->user_id, y->user_id);
}

void
source_subjects(struct reading *r, const struct json *at, struct source *out)
{
	static const struct reading_field fields[] = {
		{ .name = "user_id",
		  .kind = READING_TEXT,
		  .required = true,
		  .offset = offsetof(struct subject, user_id),
		  .low = 1,
		  .high = ID_BYTES },
		{ .name = "user_tier",
		  .kind = READING_TEXT,
		  .offset = offsetof(struct subject, user_tier),
		  .low = 1,
		  .high = ID_BYTES },
		{ .name = "team_id",
		  .kind = READING_TEXT,
		  .offset = offsetof(struct subject, team_id),
		  .low = 1,
		  .high = ID_BYTES },
		{ .name = "organization_id",
		  .kind = READING_TEXT,
		  .offset = offsetof(struct subject, organization_id),
		  .low = 1,
		  .high = ID_BYTES },
	};
	static const struct subject fallback = { .user_id = "" };
	void *rows;

	out->subjects_n =
	    reading_rows(r, at, fields, sizeof(fields) / sizeof(fields[0]),
			 &fallback, sizeof(fallback), &rows);
	reading_sort(r, at, rows, out->subjects_n, sizeof(fallback),
		     compare_subjects);
	out->subjects = rows;
}
