#include "ctl/ctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_migrate.h"

#ifndef PKGDATADIR
#define PKGDATADIR "/usr/share/ims-policy"
#endif

enum { MIGRATIONS_MAX = 1000 };

/* What is recorded, by version. */
struct recorded {
	char name[256];
	char sha256[STORE_MIGRATE_SHA_BYTES];
	char applied_at[40];
	bool there;
};

struct migrate {
	const struct ctl *ctl;
	const char *folder;
	bool status_only;
	struct ctl_files files;
	struct recorded recorded[MIGRATIONS_MAX];
	int64_t highest; /* recorded version */
	struct pg *pg;
};

static int64_t
version_of(const struct ctl_file *file)
{
	return strtoll(file->name, NULL, 10);
}

/* The files must be 001, 002, ... without a gap. */
static enum status
check_files(const struct migrate *m, struct err *err)
{
	for (size_t i = 0; i < m->files.n; i++) {
		if (version_of(&m->files.files[i]) != (int64_t)i + 1) {
			return err_set(err, STATUS_CONFLICT,
				       "%s/%s stands where number %03zu is "
				       "wanted: a file is missing or there "
				       "twice",
				       m->folder, m->files.files[i].name,
				       i + 1);
		}
	}
	return STATUS_OK;
}

static void
keep_row(void *arg, const struct store_migrate_row *row)
{
	struct migrate *m = arg;

	if (row->version < 0 || row->version >= MIGRATIONS_MAX) {
		return;
	}
	struct recorded *kept = &m->recorded[row->version];
	kept->there = true;
	snprintf(kept->name, sizeof(kept->name), "%s", row->name);
	snprintf(kept->sha256, sizeof(kept->sha256), "%s", row->sha256);
	snprintf(kept->applied_at, sizeof(kept->applied_at), "%s",
		 row->applied_at);
	m->highest = row->version > m->highest ? row->version : m->highest;
}

/* "applied", "pending", "edited" */
static enum status
state_of(const struct migrate *m, const struct ctl_file *file,
	 const char **state, struct err *err)
{
	const struct recorded *kept = &m->recorded[version_of(file)];
	char sha256[STORE_MIGRATE_SHA_BYTES];

	if (!kept->there) {
		*state = "pending";
		return STATUS_OK;
	}
	enum status status =
	    store_migrate_sha256(m->pg, buf_text(&file->text), sha256, err);
	if (status == STATUS_OK) {
		bool same = strcmp(sha256, kept->sha256) == 0 &&
			    strcmp(file->name, kept->name) == 0;
		*state = same ? "applied" : "edited";
	}
	return status;
}

/* What is recorded must be there as it was. */
static enum status
check_recorded(const struct migrate *m, struct err *err)
{
	if (m->highest > (int64_t)m->files.n) {
		return err_set(err, STATUS_CONFLICT,
			       "%s is applied, but is not in %s: the database "
			       "is newer than this program",
			       m->recorded[m->highest].name, m->folder);
	}
	for (size_t i = 0; i < m->files.n; i++) {
		const char *state = "";
		enum status status =
		    state_of(m, &m->files.files[i], &state, err);
		if (status != STATUS_OK) {
			return status;
		}
		if (strcmp(state, "edited") == 0) {
			return err_set(
			    err, STATUS_CONFLICT,
			    "%s was edited after it was applied (as %s): "
			    "restore it and add a new migration",
			    m->files.files[i].name, m->recorded[i + 1].name);
		}
	}
	return STATUS_OK;
}

static int
list(const struct migrate *m)
{
	struct err err;
	int code = CTL_OK;

	for (size_t i = 0; i < m->files.n; i++) {
		const struct ctl_file *file = &m->files.files[i];
		const char *state = "";
		if (state_of(m, file, &state, &err) != STATUS_OK) {
			return ctl_failed(m->ctl, &err, "list the migrations");
		}
		printf("%-8s %-32s %s\n", state, file->name,
		       m->recorded[version_of(file)].applied_at);
		code = strcmp(state, "edited") == 0 ? CTL_FAILED : code;
	}
	for (int64_t v = (int64_t)m->files.n + 1; v <= m->highest; v++) {
		if (m->recorded[v].there) {
			printf("%-8s %-32s %s\n", "missing",
			       m->recorded[v].name, m->recorded[v].applied_at);
			code = CTL_FAILED;
		}
	}
	return code;
}

static int
apply(const struct migrate *m)
{
	struct err err;
	int applied_n = 0;

	if (check_recorded(m, &err) != STATUS_OK) {
		return ctl_failed(m->ctl, &err, "migrate");
	}
	for (size_t i = 0; i < m->files.n; i++) {
		const struct ctl_file *file = &m->files.files[i];
		struct store_migration migration = {
			.version = version_of(file),
			.name = file->name,
			.sql = buf_text(&file->text),
		};
		int applied = 0;
		if (m->recorded[migration.version].there) {
			continue;
		}
		if (store_migrate_apply(m->pg, &migration, &applied, &err) !=
		    STATUS_OK) {
			return ctl_failed(m->ctl, &err, "apply %s/%s",
					  m->folder, file->name);
		}
		printf("%s %s\n",
		       applied ? "applied" : "applied meanwhile:", file->name);
		fflush(stdout);
		applied_n += applied;
	}
	printf("%d applied now, %zu in all\n", applied_n, m->files.n);
	return CTL_OK;
}

static int
run(struct migrate *m)
{
	struct err err;

	if (ctl_files_read(m->folder, 1, &m->files, &err) != STATUS_OK) {
		return ctl_failed(m->ctl, &err,
				  "find the migrations (--schemas DIR)");
	}
	int code = CTL_FAILED;
	m->pg = ctl_pg(m->ctl);
	if (m->pg != NULL) {
		if (check_files(m, &err) != STATUS_OK ||
		    store_migrate_each(m->pg, keep_row, m, &err) != STATUS_OK) {
			code = ctl_failed(m->ctl, &err, "migrate");
		} else {
			code = m->status_only ? list(m) : apply(m);
		}
	}
	pg_free(m->pg);
	ctl_files_free(&m->files);
	return code;
}

int
ctl_migrate(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "status", no_argument, NULL, 's' },
		{ "schemas", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	static struct migrate m;

	m = (struct migrate){ .ctl = ctl, .folder = PKGDATADIR "/schemas" };
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 's':
			m.status_only = true;
			break;
		case 'd':
			m.folder = optarg;
			break;
		default:
			return ctl_usage(ctl, "%s", "");
		}
	}
	if (optind < argc) {
		return ctl_usage(ctl, "unexpected: %s", argv[optind]);
	}
	return run(&m);
}
