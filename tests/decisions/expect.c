#include "expect.h"

#include <stddef.h>
#include <string.h>

#include "compare.h"

/* Members of an expectation and where the answer has them. */
static const struct {
	const char *name;
	enum { TOP, ANSWER, EXPLANATION } where;
} places[] = {
	{ "status", TOP },
	{ "headers", TOP },
	{ "errors", TOP },
	{ "refused", TOP },
	{ "decision", ANSWER },
	{ "passed", ANSWER },
	{ "evaluation_id", ANSWER },
	{ "correlation_id", ANSWER },
	{ "violations", ANSWER },
	{ "warnings", ANSWER },
	{ "fallback", ANSWER },
	{ "fallback_chain", ANSWER },
	{ "message", ANSWER },
	{ "help_url", ANSWER },
	{ "reservation", ANSWER },
	{ "settlement", ANSWER },
	{ "limits", ANSWER },
	{ "durability", ANSWER },
	{ "policies_evaluated", ANSWER },
	{ "policy_revision", ANSWER },
	{ "explanation", ANSWER },
	{ "facts", EXPLANATION },
	{ "policies", EXPLANATION },
	{ "winner", EXPLANATION },
	{ "estimate", EXPLANATION },
	{ "final_estimate", EXPLANATION },
	{ "ignored_fields", EXPLANATION },
};

enum { PLACES_N = sizeof(places) / sizeof(places[0]) };

static void
compare_one(const struct json *want, const struct json *got,
	    struct buf *complaint)
{
	struct json answer, explanation, have;
	const struct json *in = NULL;
	size_t i = 0;

	while (i < PLACES_N && strcmp(places[i].name, want->key) != 0) {
		i++;
	}
	if (i == PLACES_N) {
		buf_printf(complaint, "%s: is nothing that can be expected\n",
			   want->key);
		return;
	}
	if (places[i].where == TOP) {
		in = got;
	} else if (json_get(got, "answer", &answer)) {
		in = &answer;
	}
	if (in != NULL && places[i].where == EXPLANATION) {
		in = json_get(in, "explanation", &explanation) ? &explanation
							       : NULL;
	}
	if (in == NULL) {
		buf_printf(complaint, "%s: there is none, not even null\n",
			   want->key);
		return;
	}
	bool there = json_get(in, want->key, &have);
	compare(want, there ? &have : NULL, want->key, complaint);
}

void
expect_check(const struct json *root, const struct buf *got_text,
	     struct buf *complaint)
{
	struct json expect, want;
	struct json_iter iter = { 0 };
	struct json_doc *doc;
	struct err err = { 0 };

	if (!json_get(root, "expect", &expect) ||
	    json_type(&expect) != JSON_OBJECT || json_n(&expect) == 0) {
		buf_adds(complaint,
			 "expect: must be an object with a member\n");
		return;
	}
	if (json_doc_parse(buf_text(got_text), got_text->len, &doc, &err) !=
	    STATUS_OK) {
		buf_printf(complaint, "answer: %s\n", err.text);
		return;
	}
	const struct json got = json_root(doc);
	size_t before = complaint->len;
	while (json_next(&expect, &iter, &want)) {
		compare_one(&want, &got, complaint);
	}
	if (complaint->len > before) {
		buf_printf(complaint, "the answer was %s\n",
			   buf_text(got_text));
	}
	json_doc_free(doc);
}
