/*
 * ctl: ims-policyctl, the administrator's hand; one file a verb.
 *
 * What was asked for goes to standard output, everything else to standard
 * error.  A verb returns the exit code: CTL_OK, CTL_FAILED after it has said
 * what was tried, why it did not work and what to do, CTL_USAGE.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/status.h"
#include "store/pg.h"

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl {
	const char *config_path; /* for messages */
	struct config config;
	const char *usage; /* of the verb that runs */
};

/* The verbs; ARGV[0] is the verb's (last) word. */
int ctl_migrate(const struct ctl *ctl, int argc, char **argv);
int ctl_seed(const struct ctl *ctl, int argc, char **argv);
int ctl_key_create(const struct ctl *ctl, int argc, char **argv);
int ctl_key_list(const struct ctl *ctl, int argc, char **argv);
int ctl_key_revoke(const struct ctl *ctl, int argc, char **argv);
int ctl_policy_check(const struct ctl *ctl, int argc, char **argv);
int ctl_policy_put(const struct ctl *ctl, int argc, char **argv);
int ctl_policy_list(const struct ctl *ctl, int argc, char **argv);
int ctl_config(const struct ctl *ctl, int argc, char **argv);
int ctl_status(const struct ctl *ctl, int argc, char **argv);
int ctl_node_list(const struct ctl *ctl, int argc, char **argv);
int ctl_node_remove(const struct ctl *ctl, int argc, char **argv);
int ctl_counters(const struct ctl *ctl, int argc, char **argv);
int ctl_counters_rebuild(const struct ctl *ctl, int argc, char **argv);
int ctl_counters_use(const struct ctl *ctl, int argc, char **argv);
int ctl_call(const struct ctl *ctl, int argc, char **argv);

/* Say how the verb is used; WRONG, where there is something, comes first. */
int ctl_usage(const struct ctl *ctl, const char *wrong, ...) PRINTF_LIKE(2, 3);

/* Say that what FORMAT names could not be done, why, and what to do. */
int ctl_failed(const struct ctl *ctl, const struct err *err, const char *format,
	       ...) PRINTF_LIKE(3, 4);

/* The connection of pg_admin, yours; NULL when it is not set, after saying so.
 */
struct pg *ctl_pg(const struct ctl *ctl);

struct board;

/* The notice board of this host; STATUS_NOT_FOUND: no engine has run here. */
enum status ctl_board(const struct ctl *ctl, struct board **out,
		      struct err *err) MUST_CHECK;

enum { CTL_AGE_BYTES = 32 };

/* MS as "12 s", "5 min", "3 h" or "2 days"; returns OUT. */
const char *ctl_age(int64_t ms, char out[CTL_AGE_BYTES]);

/* Who does this, for the tables' author columns; static. */
const char *ctl_author(void);

/* The file at PATH ("-": standard input) into OUT. */
enum status ctl_read_file(const char *path, struct buf *out,
			  struct err *err) MUST_CHECK;

/* A file of SQL. */
struct ctl_file {
	char name[256];	 /* without the folder */
	struct buf text; /* without the newlines at its end */
};

/* The *.sql files of a folder, by name. */
struct ctl_files {
	struct ctl_file *files; /* [n] */
	size_t n;
};

/**
 * ctl_files_read(folder, numbered, out, err):
 * Read the files of FOLDER that end in .sql.
 *
 * Takes:   NUMBERED: only those that begin with three digits and '_'.
 * Gives:   OUT, end by ctl_files_free.
 * Errors:  STATUS_IO; STATUS_NOT_FOUND when there is none.
 */
enum status ctl_files_read(const char *folder, int numbered,
			   struct ctl_files *out, struct err *err) MUST_CHECK;
void ctl_files_free(struct ctl_files *files);

#endif /* CTL_CTL_H */
