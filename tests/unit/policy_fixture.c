#include "policy_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/source.h"

char *
fixture_text(const char *quoted)
{
	char *text = strdup(quoted);

	assert_non_null(text);
	for (char *c = text; *c != '\0'; c++) {
		if (*c == '\'') {
			*c = '"';
		}
	}
	return text;
}

struct json_doc *
fixture_doc(const char *quoted)
{
	char *text = fixture_text(quoted);
	struct json_doc *doc = NULL;
	struct err err = { 0 };

	if (json_doc_parse(text, strlen(text), &doc, &err) != STATUS_OK) {
		fail_msg("%s: %s: %s", quoted, err.items[0].pointer, err.text);
	}
	free(text);
	return doc;
}

const char *
fixture_said(const struct err *err)
{
	static char said[ERR_ITEMS * (ERR_POINTER_BYTES + ERR_TEXT_BYTES)];
	size_t n = 0;

	said[0] = '\0';
	for (size_t i = 0; i < err->items_n && i < ERR_ITEMS; i++) {
		n += (size_t)snprintf(said + n, sizeof(said) - n, "%s: %s\n",
				      err->items[i].pointer,
				      err->items[i].detail);
	}
	return said;
}

/* Does the line at SAID begin with the pointer of WANT and hold its rest? */
static bool
line_fits(const char *want, size_t want_n, const char *said, size_t said_n)
{
	const char *colon = memmem(want, want_n, ": ", 2);

	assert_non_null(colon);
	size_t pointer_n = (size_t)(colon - want) + 2;
	if (said_n < pointer_n || memcmp(want, said, pointer_n) != 0) {
		return false;
	}
	return memmem(said + pointer_n, said_n - pointer_n, colon + 2,
		      want_n - pointer_n) != NULL;
}

static void
compare(const char *quoted, const char *want, const char *said)
{
	const char *w = want, *s = said;

	while (*w != '\0' && *s != '\0') {
		size_t w_n = strcspn(w, "\n"), s_n = strcspn(s, "\n");

		if (!line_fits(w, w_n, s, s_n)) {
			break;
		}
		w += w_n + (w[w_n] == '\n');
		s += s_n + (s[s_n] == '\n');
	}
	if (*w != '\0' || *s != '\0') {
		fail_msg("%s\nwanted:\n%s\nsaid:\n%s", quoted, want, said);
	}
}

void
fixture_check_policy(const char *quoted, const char *want)
{
	struct json_doc *doc = fixture_doc(quoted);
	struct json root = json_root(doc);
	struct err err = { 0 };
	enum status status = source_check_policy(&root, &err);

	compare(quoted, want, fixture_said(&err));
	assert_int_equal(status, want[0] == '\0' ? STATUS_OK : STATUS_BODY);
	assert_int_equal(source_check_policy(&root, NULL), status);
	json_doc_free(doc);
}

struct snapshot *
fixture_compile(const char *quoted, const char *want)
{
	char *text = fixture_text(quoted);
	struct snapshot *snapshot = NULL;
	struct err err = { 0 };
	enum status status =
	    snapshot_compile(text, strlen(text), 0, &snapshot, &err);

	compare(quoted, want, fixture_said(&err));
	assert_int_equal(status, want[0] == '\0' ? STATUS_OK : STATUS_BODY);
	assert_true((snapshot != NULL) == (status == STATUS_OK));
	free(text);
	return snapshot;
}

void
fixture_compile_each(const struct fixture_document *documents, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char document[4096];

		print_message("case %zu: %s\n", i, documents[i].members);
		(void)snprintf(document, sizeof(document), "{'revision':1%s}",
			       documents[i].members);
		snapshot_unref(fixture_compile(document, documents[i].want));
	}
}
