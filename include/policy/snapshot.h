/*
 * snapshot: everything a decision needs to know of what is stored.
 *
 * Policies with their index, models, API keys and the directory, compiled and
 * immutable; one policy revision.  All threads of a process share it by
 * reference, all processes of a host share its memory (policy/image.h).
 */
#ifndef POLICY_SNAPSHOT_H
#define POLICY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/board.h"
#include "base/status.h"
#include "core/catalogue.h"
#include "core/policy.h"
#include "text/pattern.h"

enum role { ROLE_EVALUATOR, ROLE_VIEWER, ROLE_RESOLVER, ROLE_ADMIN, ROLE_N };
extern const char *const role_words[]; /* NULL-terminated */

enum { KEY_HASH_BYTES = 32 };

/* A fact bound to a key: whoever uses the key has it. */
struct bound_fact {
	enum fact_id fact;
	const char *value;
};

struct api_key {
	const char *key_id; /* the <id> of ims_<id>_<secret> */
	const char *name;
	unsigned char hash[KEY_HASH_BYTES]; /* BLAKE2b-256 of the secret */
	enum role role;
	int64_t expires_us; /* INT64_MAX: never */
	bool revoked;
	const struct bound_fact *facts; /* [facts_n] */
	size_t facts_n;
	const char *const *user_tiers; /* [user_tiers_n] it may claim; 0: any */
	size_t user_tiers_n;
	const char *const *regions; /* [regions_n] it may claim; 0: any */
	size_t regions_n;
	bool asserts[FACT_N]; /* which facts its caller may assert */
};

/* A user of the directory. */
struct subject {
	const char *user_id;
	const char *user_tier;	     /* or NULL */
	const char *team_id;	     /* or NULL */
	const char *organization_id; /* or NULL */
};

/* A compiled keyword or pattern: whose it is. Index is the pattern's id. */
struct content_item {
	uint32_t policy; /* index in the set */
	enum constraint_key key;
	uint32_t item;
};

/* The root of the image. */
struct snapshot_data {
	int64_t revision;
	int64_t made_us;
	struct policy_set policies;
	struct catalogue catalogue;
	const struct api_key *keys; /* [keys_n] by key_id */
	size_t keys_n;
	const struct subject *subjects; /* [subjects_n] by user_id */
	size_t subjects_n;
	const struct content_item *content; /* [content_n] */
	size_t content_n;
	const unsigned char *keyword_bytes; /* of text/pattern.h */
	size_t keyword_bytes_n;
	const unsigned char *regex_bytes;
	size_t regex_bytes_n;
};

struct snapshot; /* counted reference to a mapped image */

/* What it holds; borrowed as long as the reference is held. */
const struct snapshot_data *snapshot_data(const struct snapshot *snapshot);
const struct pattern_set *snapshot_keywords(const struct snapshot *snapshot);
const struct pattern_set *snapshot_regexes(const struct snapshot *snapshot);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot); /* NULL is fine */

const struct api_key *snapshot_key(const struct snapshot_data *data,
				   const char *key_id);
const struct subject *snapshot_subject(const struct snapshot_data *data,
				       const char *user_id);

/**
 * snapshot_compile(text, n, slot, out, err):
 * Compile a source document (policy/source.h) in memory.
 *
 * Takes:   TEXT with a NUL at TEXT[N]; SLOT as in policy/image.h.
 * Gives:   OUT, yours, end by snapshot_unref.
 * Errors:  STATUS_JSON, STATUS_BODY with pointers to all that does not compile
 *          ("/policies/3/constraints/max_daily_cost"), STATUS_TOO_LARGE.
 */
enum status snapshot_compile(const char *text, size_t n, uint64_t slot,
			     struct snapshot **out, struct err *err) MUST_CHECK;

/*
 * Publishing and following.  state_dir/snapshot.json is the last good source
 * document, state_dir/snapshot.img its image; the board's generation goes up
 * after both are in place.
 */

/* Is STATUS of compiling about the document, so that trying again is idle? */
bool snapshot_refuses(enum status status);

/**
 * snapshot_publish(state_dir, board, text, n, err):
 * Compile TEXT and let every process of the host have it.  By one process at
 * a time: the holder of the host's lock.
 *
 * Takes:   TEXT with a NUL at TEXT[N].
 * Errors:  those of snapshot_compile: nothing changes, the board's
 *          refused_revision is this one (0 while it could not be read);
 *          STATUS_IO, STATUS_FULL: nothing is announced.
 */
enum status snapshot_publish(const char *state_dir, struct board *board,
			     const char *text, size_t n,
			     struct err *err) MUST_CHECK;

/*
 * What a process serves from; safe for many threads.  Opening takes what is
 * in STATE_DIR, whatever BOARD says, so that a start without PostgreSQL works;
 * that nothing is there yet is no error.
 */
struct snapshot_source;
enum status snapshot_source_open(const char *state_dir, struct board *board,
				 struct snapshot_source **out,
				 struct err *err) MUST_CHECK;
void snapshot_source_close(struct snapshot_source *source); /* NULL is fine */

/**
 * snapshot_current(source):
 * A reference to the newest snapshot, NULL while there is none at all.
 *
 * Costs an atomic load and a counted reference where nothing changed; the
 * caller ends it by snapshot_unref.  Where the board's generation is newer,
 * one thread maps it and the others go on with what there is; an image of
 * another build, or a damaged one, is compiled from snapshot.json instead;
 * what cannot be had either way is logged once and the last good one stays.
 */
struct snapshot *snapshot_current(struct snapshot_source *source);

#endif /* POLICY_SNAPSHOT_H */
