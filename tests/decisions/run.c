/*
 * run: the rows of tests/decisions, each a question to the engine.
 *
 *	run [FILE ...]     without a FILE: all *.json beside this source
 *
 * Prints a line a case ("ok 7 - cost.json: ...") and a summary; exit status 0
 * when all passed.  How a row is written: tests/decisions/README.md.  Nothing
 * here knows a rule.
 */
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "expect.h"
#include "json/read.h"
#include "trial.h"

struct totals {
	unsigned cases, passed, failed;
};

/* One document of rows. */
struct file {
	const char *path;
	struct trial_file common;
	bool must_fail;
	struct totals *totals;
};

/* One case under way; what is wrong with it is a line of COMPLAINT each. */
struct run {
	const struct file *file;
	struct trial trial;
	struct buf complaint;
};

static struct json_doc *
load(const char *path)
{
	struct err err = { 0 };
	struct buf text = { 0 };
	struct json_doc *doc = NULL;
	FILE *in = fopen(path, "r");

	if (in == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return NULL;
	}
	for (;;) {
		size_t n = fread(buf_room(&text, 65536), 1, 65536, in);
		if (n == 0) {
			break;
		}
		buf_grown(&text, n);
	}
	fclose(in);
	if (json_doc_parse(buf_text(&text), text.len, &doc, &err) !=
	    STATUS_OK) {
		fprintf(stderr, "%s: %s: %s\n", path, err.items[0].pointer,
			err.text);
		doc = NULL;
	}
	buf_fini(&text);
	return doc;
}

/* --- a case --------------------------------------------------------------- */

/* What came back, one after another; CHECKED: as it was expected to. */
struct talk {
	struct run *run;
	bool checked;
	size_t wrong_n; /* the last that was not as expected, + 1 */
	struct buf all;
};

static void
answered(void *arg, size_t n, const struct buf *got)
{
	struct talk *talk = arg;
	struct run *run = talk->run;
	const struct trial *trial = &run->trial;
	const struct json *from = &trial->items[n];
	struct json expect;
	struct buf wrong = { 0 };

	buf_add(&talk->all, got->data, got->len);
	buf_addc(&talk->all, '\n');
	if (!talk->checked || talk->wrong_n == n + 1) {
		return; /* of one that is sent again and again, the first */
	}
	if (n + 1 == trial->question.asks_n) {
		expect_check(run->trial.root, got, &run->complaint);
	} else if (json_get(from, "expect", &expect)) {
		expect_check(from, got, &wrong);
	}
	if (wrong.len > 0) {
		buf_printf(&run->complaint, "before/%zu: %s", n,
			   buf_text(&wrong));
		talk->wrong_n = n + 1;
	}
	buf_fini(&wrong);
}

/*
 * Neither the order of members, nor blanks, nor the order of policies may
 * change an answer (docs/policies.md, "How a decision is made").
 */
static void
ask(struct run *run)
{
	struct talk first = { .run = run, .checked = true };
	struct talk second = { .run = run };

	if (question_ask(&run->trial.question, false, answered, &first)) {
		(void)question_ask(&run->trial.question, true, answered,
				   &second);
		question_scrub(&first.all);
		question_scrub(&second.all);
		if (strcmp(buf_text(&first.all), buf_text(&second.all)) != 0) {
			buf_printf(&run->complaint,
				   "turned round: expected the same answer, "
				   "found %s\n",
				   buf_text(&second.all));
		}
	}
	buf_fini(&first.all);
	buf_fini(&second.all);
}

/* A case of a file that must fail passes when it fails for its reason. */
static bool
judge(struct run *run, const char *name)
{
	const char *because = trial_text(run->trial.root, "because", "");
	bool failed = run->complaint.len > 0;
	bool passed = failed == run->file->must_fail;

	if (passed && failed &&
	    strstr(buf_text(&run->complaint), because) == NULL) {
		buf_adds(&run->complaint, "because: is not why it failed\n");
		passed = false;
	}
	const char *slash = strrchr(run->file->path, '/');
	printf("%s %u - %s: %s\n", passed ? "ok" : "not ok",
	       ++run->file->totals->cases,
	       slash == NULL ? run->file->path : slash + 1, name);
	if (!passed && failed) {
		printf("%s", buf_text(&run->complaint));
	} else if (!passed) {
		printf("it passed, and must not\n");
	}
	return passed;
}

static bool
run_case(const struct file *file, const struct json *root)
{
	static struct run run; /* large */
	const char *name = trial_text(root, "name", NULL);

	run.file = file;
	run.complaint = (struct buf){ 0 };
	trial_read(&file->common, root, &run.trial, &run.complaint);
	if (name == NULL) {
		buf_adds(&run.complaint, "name: is missing\n");
		name = "?";
	}
	ask(&run);
	bool passed = judge(&run, name);
	buf_fini(&run.complaint);
	return passed;
}

static bool
run_cases(struct file *file)
{
	static const char *const known[] = { "about",	 "world_file", "world",
					     "settings", "must_fail",  "cases",
					     NULL };
	const struct json *root = file->common.root;
	struct buf complaint = { 0 };
	struct json cases, must_fail;

	trial_members(root, known, false, file->path, &complaint);
	if (complaint.len > 0 || !json_get(root, "cases", &cases) ||
	    json_n(&cases) == 0) {
		printf("%s%s: no good file of cases\n", buf_text(&complaint),
		       file->path);
		buf_fini(&complaint);
		return false;
	}
	if (json_get(root, "must_fail", &must_fail) &&
	    json_bool(&must_fail, &file->must_fail, NULL) != STATUS_OK) {
		return false;
	}
	for (size_t i = 0; i < json_n(&cases); i++) {
		struct json one = json_item(&cases, i);
		bool passed = run_case(file, &one);

		file->totals->passed += passed;
		file->totals->failed += !passed;
	}
	return true;
}

/* PATH's document, with the world that it names beside it. */
static bool
run_file(const char *path, struct totals *totals)
{
	struct json_doc *doc = load(path), *world_doc = NULL;
	char folder[PATH_MAX], world_path[PATH_MAX + 256];
	bool ok = false;

	if (doc == NULL) {
		return false;
	}
	const struct json root = json_root(doc);
	struct file file = { .path = path,
			     .common = { .root = &root },
			     .totals = totals };
	struct json outer, world;
	const char *name = trial_text(&root, "world_file", NULL);
	if (name != NULL) {
		snprintf(folder, sizeof(folder), "%s", path);
		snprintf(world_path, sizeof(world_path), "%s/%s",
			 dirname(folder), name);
		world_doc = load(world_path);
		if (world_doc == NULL) {
			goto out;
		}
		outer = json_root(world_doc);
		file.common.world_file = &outer;
	}
	if (json_get(&root, "world", &world)) {
		file.common.world = &world;
	}
	ok = run_cases(&file);
out:
	json_doc_free(world_doc);
	json_doc_free(doc);
	return ok;
}

int
main(int argc, char **argv)
{
	struct totals totals = { 0 };
	const char *srcdir = getenv("srcdir");
	char pattern[PATH_MAX];
	glob_t found = { 0 };
	bool ok = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (digest_init(NULL) != STATUS_OK) {
		return 1;
	}
	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			ok &= run_file(argv[i], &totals);
		}
	} else {
		snprintf(pattern, sizeof(pattern), "%s/tests/decisions/*.json",
			 srcdir != NULL ? srcdir : ".");
		if (glob(pattern, 0, NULL, &found) != 0) {
			fprintf(stderr, "%s: no rows\n", pattern);
			return 1;
		}
		for (size_t i = 0; i < found.gl_pathc; i++) {
			ok &= run_file(found.gl_pathv[i], &totals);
		}
		globfree(&found);
	}
	printf("%u passed, %u failed\n", totals.passed, totals.failed);
	return ok && totals.failed == 0 && totals.passed > 0 ? 0 : 1;
}
