/*
 * reading: a JSON object read by a table that describes its members.
 *
 * The table is the only description there is: what it does not name is
 * refused, and what it reads is what is compiled.  Every wrong place is
 * complained about, not only the first.  Texts are borrowed from the document
 * or lie in the arena.
 *
 * Used by the files source_*.c; must not know what a policy is.
 */
#ifndef POLICY_READING_H
#define POLICY_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "json/read.h"

struct catalogue;

/* One document being read. */
struct reading {
	struct arena *arena;
	struct err *err; /* or NULL */
	bool bad;	 /* something was refused */
	/* Regular expressions are compiled together, later: not one by one. */
	bool patterns_later;
	int64_t now_us; /* around which time zones are known */
	/* Whose aliases names are put through; NULL: they stay. */
	const struct catalogue *catalogue;
};

enum reading_kind {
	READING_TEXT, /* const char *; LOW to HIGH bytes, no control character */
	READING_LOWER, /* the same, ASCII made lower case */
	READING_PROSE, /* const char *; as TEXT, but newlines and tabs may be */
	READING_FLAG,  /* bool */
	READING_INT,   /* int, LOW to HIGH */
	READING_COUNT, /* int64_t, LOW to HIGH */
	READING_WORD,  /* an enum: index in WORDS */
	READING_TIME,  /* int64_t microseconds; RFC 3339 */
	READING_PRICE, /* int64_t nano-dollars, 0 to HIGH dollars */
	READING_PLACE, /* struct json: read by the caller afterwards */
	READING_BY     /* READ does it */
};

typedef void reading_fn(struct reading *r, const struct json *at, void *out);

/* A member; one that is null is as one that is missing. */
struct reading_field {
	const char *name;
	enum reading_kind kind;
	bool required;
	size_t offset; /* in the struct that is read into */
	int64_t low, high;
	const char *const *words;
	reading_fn *read; /* handed the struct itself */
};

/**
 * reading_object(r, at, fields, n, out):
 * Read AT by its N FIELDS into the struct OUT, whose members already hold what
 * a missing field means.
 *
 * Returns: true when all of it is good.
 */
bool reading_object(struct reading *r, const struct json *at,
		    const struct reading_field *fields, size_t n, void *out);

/**
 * reading_rows(r, at, fields, n, fallback, size, out):
 * Read AT, an array of objects, into an array of structs of SIZE bytes.
 *
 * Takes:   AT, or null for none; FALLBACK, what a struct holds beforehand.
 * Gives:   OUT, in the arena.
 * Returns: its length.
 */
size_t reading_rows(struct reading *r, const struct json *at,
		    const struct reading_field *fields, size_t n,
		    const void *fallback, size_t size, void **out);

/* The order of two rows; 0: they may not both be there. */
typedef int reading_order(const void *a, const void *b);

/* Sort N ROWS, the elements of AT in its order; refuse those that are equal. */
void reading_sort(struct reading *r, const struct json *at, void *rows,
		  size_t n, size_t size, reading_order *order);

/* Each is false, and complained about, when AT is not what it must be. */
bool reading_text(struct reading *r, const struct json *at, int64_t low,
		  int64_t high, const char **out);
bool reading_time(struct reading *r, const struct json *at, int64_t *us);
/* A list of texts of 1 to BYTES_MAX bytes, at most ITEMS_MAX. */
bool reading_texts(struct reading *r, const struct json *at, int64_t bytes_max,
		   size_t items_max, const char *const **out, size_t *n);

/* Remember whether STATUS is good; returns that. */
bool reading_ok(struct reading *r, enum status status);

/* Complain about AT; returns false. */
bool reading_refuse(struct reading *r, const struct json *at,
		    const char *format, ...) PRINTF_LIKE(3, 4);

/* Complain about a member of AT, which may be missing. */
bool reading_refuse_member(struct reading *r, const struct json *at,
			   const char *name, const char *why);

#endif /* POLICY_READING_H */
