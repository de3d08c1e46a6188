/* policy_fixture: JSON that is readable in C, and what was refused in it. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include "base/status.h"
#include "json/read.h"
#include "policy/snapshot.h"

/* QUOTED with each ' made a ", yours to free. */
char *fixture_text(const char *quoted);

/* QUOTED parsed, yours to free. */
struct json_doc *fixture_doc(const char *quoted);

/* "pointer: detail" of each item of ERR, a line each, static. */
const char *fixture_said(const struct err *err);

/* source_check_policy on QUOTED; fails the test unless it says each of the
 * lines in WANT ("pointer: part of the detail"), in order, and no more. */
void fixture_check_policy(const char *quoted, const char *want);

/* snapshot_compile of QUOTED, held against WANT in the same way. */
struct snapshot *fixture_compile(const char *quoted, const char *want);

/* A document {'revision':1MEMBERS}, and what is said about it. */
struct fixture_document {
	const char *members; /* "" or ",'policies':[...]..." */
	const char *want;
};

/* fixture_compile of each of the N documents. */
void fixture_compile_each(const struct fixture_document *documents, size_t n);

#endif /* POLICY_FIXTURE_H */
