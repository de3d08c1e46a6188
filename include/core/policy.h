/*
 * policy: one compiled policy, and the set of all with its index.
 *
 * Compiled by policy/ into a snapshot, immutable there, shared by all threads
 * (and, mapped from one file, by all processes).  Words and rules:
 * docs/policies.md.
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/context.h"

enum category {
	CATEGORY_COST,
	CATEGORY_VENDOR,
	CATEGORY_BEHAVIORAL,
	CATEGORY_PERFORMANCE,
	CATEGORY_DATA_RESIDENCY,
	CATEGORY_COMPLIANCE,
	CATEGORY_N,
	CATEGORY_ANY = CATEGORY_N /* only in the constraint table */
};

enum stage {
	STAGE_PRE_FLIGHT,
	STAGE_RUNTIME,
	STAGE_POST_EXECUTION,
	STAGE_CONTINUOUS,
	STAGE_N
};

/* In the order of strength; a decision is one of them. */
enum action {
	ACTION_ALLOW,
	ACTION_LOG,
	ACTION_WARN,
	ACTION_DEGRADE,
	ACTION_BLOCK,
	ACTION_N
};

enum mode { MODE_ENFORCE, MODE_SHADOW };
enum on_error { ON_ERROR_DEFAULT, ON_ERROR_ALLOW, ON_ERROR_BLOCK };
enum severity {
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL
};
enum scope {
	SCOPE_GLOBAL,
	SCOPE_ORGANIZATION,
	SCOPE_TEAM,
	SCOPE_USER,
	SCOPE_API_KEY,
	SCOPE_MODEL,
	SCOPE_VENDOR,
	SCOPE_N
};

/* The words of JSON and the database, NULL-terminated, in enum order. */
extern const char *const category_words[];
extern const char *const stage_words[];
extern const char *const action_words[]; /* "allow", "log", ... */
extern const char *const mode_words[];
extern const char *const on_error_words[];
extern const char *const severity_words[];
extern const char *const scope_words[];
extern const char *const unknown_price_words[]; /* block estimate allow */
extern const char *const pii_action_words[];

enum severity severity_of(int priority); /* 90, 70, 40 */
enum action action_default(int priority, enum category category);

/*
 * applies_to, compiled: a tree.  AND and OR hold children; a test looks at
 * one fact or tag.
 */
enum condition_op {
	CONDITION_AND,
	CONDITION_OR,
	CONDITION_IN,	  /* any of the values, globs allowed */
	CONDITION_NOT_IN, /* none of the values */
	CONDITION_RANGE,  /* numbers: low and high, each open or closed */
	CONDITION_EXISTS  /* the fact is there (or, !wanted, is not) */
};

/* A value of a list.  Text with glob set is matched by core/match.h. */
struct condition_value {
	enum fact_type type; /* TEXT, RATIO (any number), FLAG */
	bool glob;
	union value value; /* ratio for numbers (dollars for money) */
};

struct condition {
	enum condition_op op;
	/* AND, OR */
	const struct condition *children; /* [children_n] */
	size_t children_n;
	/* a test */
	enum fact_id fact; /* FACT_N: the tag named by tag */
	const char *tag;
	const struct condition_value *values; /* [values_n] IN, NOT_IN */
	size_t values_n;
	double low, high; /* RANGE; -INFINITY, INFINITY */
	bool low_open, high_open;
	bool wanted; /* EXISTS */
};

enum constraint_key {
#define CONSTRAINT(key, ...) CONSTRAINT_##key,
#include "core/constraint.tbl.h"
#undef CONSTRAINT
	CONSTRAINT_N
};

enum constraint_type {
	CONSTRAINT_TYPE_MONEY,
	CONSTRAINT_TYPE_COUNT,
	CONSTRAINT_TYPE_THRESHOLD,
	CONSTRAINT_TYPE_RATIO,
	CONSTRAINT_TYPE_FLAG,
	CONSTRAINT_TYPE_TEXT,
	CONSTRAINT_TYPE_TEXTS,
	CONSTRAINT_TYPE_NAMES,
	CONSTRAINT_TYPE_WORDS,
	CONSTRAINT_TYPE_KEYWORDS,
	CONSTRAINT_TYPE_PATTERNS,
	CONSTRAINT_TYPE_OBJECT
};

enum constraint_by {
	CONSTRAINT_BY_MODEL,
	CONSTRAINT_BY_FIXED,
	CONSTRAINT_BY_PARAM
};

/* A row of the table, for policy/ (compile, lint) and the docs check. */
struct constraint_row {
	const char *key;
	enum category category;
	unsigned stages; /* bit 1 << enum stage */
	enum constraint_type type;
	double low, high;
	enum constraint_by by;
	const char *check; /* the table's word: "none", "not_built", ... */
	const char *doc;
};
const struct constraint_row *constraint_row(enum constraint_key key);
enum constraint_key constraint_find(const char *key); /* CONSTRAINT_N: none */

/* One constraint of one policy. */
struct constraint {
	enum constraint_key key;
	int64_t number;		  /* MONEY nano-dollars, COUNT, FLAG, WORDS */
	double ratio;		  /* RATIO */
	const char *text;	  /* TEXT; OBJECT as JSON text */
	const char *const *texts; /* [texts_n] TEXTS lower case, NAMES, ... */
	size_t texts_n;
	/* Which counter of a subject it is: the same as long as the policy,
	 * the key, the scope, applies_to and the window are.  Not 0 for a key
	 * of core/counter.tbl.h. */
	uint64_t counter;
};

/* Another number for one subject until a time. */
struct subject_limit {
	enum constraint_key key;
	const char *subject;
	int64_t number;
	int64_t until_us; /* INT64_MAX: for good */
};

/* An approved exception from the policy for one subject. */
struct exemption {
	const char *exemption_id;
	enum scope scope;
	const char *subject;
	int64_t from_us, until_us;
};

struct policy {
	uint32_t index; /* place in the set: 0 is the highest priority */
	int version;
	int32_t version_id; /* of policy_versions; 0: not from there */
	int priority;	    /* 0 to 100 */
	enum category category;
	enum stage stage;
	enum action action;
	enum mode mode;
	enum on_error on_error;
	enum scope scope;
	enum severity severity;
	const char *policy_id;
	const char *name;
	const char *message;		      /* or NULL */
	const char *help_url;		      /* or NULL */
	const struct condition *condition;    /* NULL: every context */
	const struct constraint *constraints; /* [constraints_n] by key */
	size_t constraints_n;
	const struct subject_limit *limits; /* [limits_n] by key, subject */
	size_t limits_n;
	const struct exemption *exemptions; /* [exemptions_n] */
	size_t exemptions_n;
	bool by_model; /* a constraint or the condition depends on the model */
	bool needs_content;	 /* keywords or patterns */
	bool counts;		 /* a constraint of core/counter.tbl.h */
	const struct zone *zone; /* of its timezone (core/window.h), or NULL */
};

struct zone; /* core/window.h */

/* The constraint KEY of POLICY, or NULL. */
const struct constraint *policy_constraint(const struct policy *policy,
					   enum constraint_key key);

/* Does POLICY have the FLAG constraint KEY set to true? */
bool policy_flag(const struct policy *policy, enum constraint_key key);

/*
 * The number of C for the subject that CTX has in POLICY's scope: its subject
 * limit where one is valid now, else the constraint's own.
 */
int64_t policy_number(const struct policy *policy, const struct constraint *c,
		      const struct context *ctx);

/* Which fact names the subjects of SCOPE; FACT_N: none, SCOPE_GLOBAL has one. */
enum fact_id scope_fact(enum scope scope);

/* The subject of CTX in POLICY's scope: a fact's text, "anonymous" where it
 * is missing, "global" for SCOPE_GLOBAL.  Borrowed from CTX. */
const char *policy_subject(const struct policy *policy,
			   const struct context *ctx);

/* The exemption that is valid for CTX now, or NULL. */
const struct exemption *policy_exemption(const struct policy *policy,
					 const struct context *ctx);

/*
 * The index.  A policy that names exact values of a text fact (or of a tag)
 * in a part of applies_to that must hold stands in the buckets of those
 * values; all others stand in `always`.  A bucket's policies are in the order
 * of the set.  `misfits`: for a tag, the policies to be tried when the
 * context's tag is not text (then their condition is an error).
 *
 * The table is probed from `hash & (buckets_n - 1)` to the next place, round
 * the end; a place without policies is free and ends the search, so at least
 * one place must be free.
 */
struct policy_bucket {
	enum fact_id fact; /* FACT_N: tag */
	const char *tag;
	const char *value;	  /* NULL: misfits of tag */
	const uint32_t *policies; /* [policies_n] ascending indexes */
	size_t policies_n;
};

struct policy_index {
	const struct policy_bucket *buckets; /* open addressing, [buckets_n] */
	size_t buckets_n;		     /* a power of two; 0: no bucket */
	const uint32_t *always;
	size_t always_n;
	bool facts[FACT_N];	 /* which facts have buckets at all */
	const char *const *tags; /* [tags_n] which tags have */
	size_t tags_n;
};

struct policy_set {
	const struct policy *policies; /* [policies_n] priority descending, then
					  name, then policy_id */
	size_t policies_n;
	struct policy_index stages[STAGE_N];
};

/* Hash of a bucket's key: FNV-1a over fact, tag and value. */
uint64_t policy_bucket_hash(enum fact_id fact, const char *tag,
			    const char *value);

/* The bucket of that key, NULL when there is none.  TAG is read for FACT_N
 * only, VALUE may be NULL: the tag's misfits. */
const struct policy_bucket *
policy_index_bucket(const struct policy_index *index, enum fact_id fact,
		    const char *tag, const char *value);

/* Three-valued logic: an error never hides a false of AND, a true of OR. */
enum holds { HOLDS_NO, HOLDS_YES, HOLDS_ERROR };
enum holds condition_holds(const struct condition *condition,
			   const struct context *ctx);

struct arena;

/* A policy that is for this context, or (error) may be. */
struct applying {
	const struct policy *policy;
	bool error; /* its condition could not be evaluated */
};

/**
 * policy_select(set, stage, ctx, arena, out):
 * The policies of STAGE that apply to CTX, highest priority first.
 *
 * Gives:   OUT, an array in ARENA; the return value is its length.
 *          policy_select_by_scan is the same without the index: the reference
 *          that the property tests hold it against.
 */
size_t policy_select(const struct policy_set *set, enum stage stage,
		     const struct context *ctx, struct arena *arena,
		     struct applying **out);
size_t policy_select_by_scan(const struct policy_set *set, enum stage stage,
			     const struct context *ctx, struct arena *arena,
			     struct applying **out);

#endif /* CORE_POLICY_H */
