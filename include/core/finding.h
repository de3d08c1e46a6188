/*
 * finding: how a check says what it found.
 *
 * A finding is added for the policy that is checked and gets its details
 * afterwards; the pointer is good until the next one is added.
 */
#ifndef CORE_FINDING_H
#define CORE_FINDING_H

#include "core/decide.h"

struct check;

/* Whose finding it is. */
struct finding_of {
	const struct policy *policy; /* NULL: no policy's */
	enum constraint_key key;     /* CONSTRAINT_N: none */
	const char *excused;
	bool fail_closed; /* what on_error default means */
};

struct finding *finding_add(struct findings *findings, struct arena *arena,
			    const struct finding_of *of, enum finding_kind kind,
			    const char *type, const char *message);

/* The same for CHECK's policy and constraint. */
struct finding *check_add(struct check *check, enum finding_kind kind,
			  const char *type, const char *message);

/* What POLICY's on_error asks for: ACTION_ALLOW or ACTION_BLOCK. */
enum action finding_on_error(const struct policy *policy, bool fail_closed);

/* Add a detail to F.  Texts, models and hits are borrowed. */
void finding_text(struct finding *f, const char *name, const char *text);
void finding_count(struct finding *f, const char *name, int64_t n);
void finding_money(struct finding *f, const char *name, int64_t nanousd);
void finding_time(struct finding *f, const char *name, int64_t us);
void finding_flag(struct finding *f, const char *name, bool flag);
void finding_texts(struct finding *f, const char *name,
		   const char *const *texts, size_t n);
void finding_models(struct finding *f, const char *name,
		    const struct model *const *models, size_t n);
void finding_hits(struct finding *f, const char *name,
		  const struct content_hit *hits, size_t n);

/* Does F ask, as part of the decision, for something stronger than allow?
 * Only violations do, and what could not be evaluated and must not pass. */
bool finding_counts(const struct finding *f);

/* Sort by policy, then key; in the order they were added where equal. */
void findings_sort(struct findings *findings, struct arena *arena);

#endif /* CORE_FINDING_H */
