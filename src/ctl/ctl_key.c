#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/hex.h"
#include "json/write.h"
#include "policy/snapshot.h"
#include "store/store_key.h"

enum { HEX_BYTES = 2 * KEY_HASH_BYTES + 1, BINDS_MAX = 64 };

/* What the command line says. */
struct options {
	const char *role;
	const char *name;
	const char *expires;
	const char *binds[BINDS_MAX]; /* FACT=VALUE */
	size_t binds_n;
	const char *tiers; /* lists by comma; NULL: not given */
	const char *regions;
	const char *asserts;
};

/* The parts of the key as JSON, for the check and for the database. */
struct parts {
	char key[AUTH_KEY_BYTES];
	char id[AUTH_ID_CHARS + 1];
	char hash[HEX_BYTES];
	char expires[CLOCK_TEXT_BYTES];
	struct buf facts, tiers, regions, asserts;
};

/* "a,b" as ["a","b"]; NULL and "" as []. */
static void
list_json(const char *text, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_array_begin(&w);
	while (text != NULL && *text != '\0') {
		size_t n = strcspn(text, ",");
		json_put_string_n(&w, text, n);
		text += n + (text[n] == ',' ? 1 : 0);
	}
	json_array_finish(&w);
	json_write_end(&w);
}

static void
facts_json(const struct options *options, struct buf *out)
{
	struct json_writer w;

	json_write_init(&w, out);
	json_object_begin(&w);
	for (size_t i = 0; i < options->binds_n; i++) {
		char name[64];
		const char *bind = options->binds[i];
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(bind, "="),
			 bind);
		json_member(&w, name, strchr(bind, '=') + 1);
	}
	json_object_finish(&w);
	json_write_end(&w);
}

static void
parts_fini(struct parts *parts)
{
	buf_fini(&parts->facts);
	buf_fini(&parts->tiers);
	buf_fini(&parts->regions);
	buf_fini(&parts->asserts);
}

static void
make_parts(const struct options *options, struct parts *parts)
{
	unsigned char hash[KEY_HASH_BYTES];

	auth_make_key(parts->key, parts->id, hash);
	hex_write(hash, KEY_HASH_BYTES, parts->hash);
	facts_json(options, &parts->facts);
	list_json(options->tiers, &parts->tiers);
	list_json(options->regions, &parts->regions);
	if (options->asserts != NULL) {
		list_json(options->asserts, &parts->asserts);
	}
}

/*
 * A key that the snapshot would refuse must not get into the table: the whole
 * revision would be refused.  So the snapshot's own compiler says.
 */
static enum status
check_key(const struct options *options, const struct parts *parts,
	  struct err *err)
{
	struct buf document = { .data = NULL };
	struct snapshot *snapshot = NULL;
	struct json_writer w;

	json_write_init(&w, &document);
	json_object_begin(&w);
	json_member_int(&w, "revision", 1);
	json_key(&w, "api_keys");
	json_array_begin(&w);
	json_object_begin(&w);
	json_member(&w, "key_id", parts->id);
	json_member(&w, "name", options->name);
	json_member(&w, "hash", parts->hash);
	json_member(&w, "role", options->role);
	if (options->expires != NULL) {
		json_member(&w, "expires_at", parts->expires);
	}
	json_member_bool(&w, "revoked", false);
	json_key(&w, "bound_facts");
	json_put_raw(&w, buf_text(&parts->facts));
	json_key(&w, "user_tiers");
	json_put_raw(&w, buf_text(&parts->tiers));
	json_key(&w, "regions");
	json_put_raw(&w, buf_text(&parts->regions));
	if (options->asserts != NULL) {
		json_key(&w, "asserts");
		json_put_raw(&w, buf_text(&parts->asserts));
	}
	json_object_finish(&w);
	json_array_finish(&w);
	json_object_finish(&w);
	json_write_end(&w);

	enum status status = snapshot_compile(buf_text(&document), document.len,
					      0, &snapshot, err);
	if (status == STATUS_OK) {
		snapshot_unref(snapshot);
	}
	buf_fini(&document);
	return status;
}

static int
insert(const struct ctl *ctl, const struct options *options,
       const struct parts *parts)
{
	struct err err;
	struct store_key key = {
		.key_id = parts->id,
		.name = options->name,
		.hash_hex = parts->hash,
		.role = options->role,
		.bound_facts = buf_text(&parts->facts),
		.user_tiers = buf_text(&parts->tiers),
		.regions = buf_text(&parts->regions),
		.asserts =
		    options->asserts != NULL ? buf_text(&parts->asserts) : NULL,
		.expires_at = options->expires != NULL ? parts->expires : NULL,
		.created_by = ctl_author(),
	};
	struct pg *pg = ctl_pg(ctl);

	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = store_key_insert(pg, &key, &err);
	pg_free(pg);
	if (status != STATUS_OK) {
		return ctl_failed(ctl, &err, "store the key");
	}
	fprintf(stderr,
		"Key %s with role %s is made.  It is shown this once, only its "
		"hash is kept:\n",
		parts->id, options->role);
	puts(parts->key);
	return CTL_OK;
}

/* Options into OUT; false after saying what is wrong. */
static bool
read_options(const struct ctl *ctl, int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		{ "role", required_argument, NULL, 'r' },
		{ "name", required_argument, NULL, 'n' },
		{ "expires", required_argument, NULL, 'e' },
		{ "bind", required_argument, NULL, 'b' },
		{ "tiers", required_argument, NULL, 't' },
		{ "regions", required_argument, NULL, 'g' },
		{ "asserts", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r':
			out->role = optarg;
			break;
		case 'n':
			out->name = optarg;
			break;
		case 'e':
			out->expires = optarg;
			break;
		case 'b':
			if (strchr(optarg, '=') == NULL ||
			    out->binds_n == BINDS_MAX) {
				ctl_usage(ctl, "--bind wants FACT=VALUE: %s",
					  optarg);
				return false;
			}
			out->binds[out->binds_n++] = optarg;
			break;
		case 't':
			out->tiers = optarg;
			break;
		case 'g':
			out->regions = optarg;
			break;
		case 'a':
			out->asserts = optarg;
			break;
		default:
			ctl_usage(ctl, "%s", "");
			return false;
		}
	}
	if (optind < argc) {
		ctl_usage(ctl, "unexpected: %s", argv[optind]);
		return false;
	}
	return true;
}

static bool
known_role(const char *role)
{
	for (size_t i = 0; role != NULL && role_words[i] != NULL; i++) {
		if (strcmp(role_words[i], role) == 0) {
			return true;
		}
	}
	return false;
}

/* Two binds of one fact would be one JSON name twice. */
static const char *
bound_twice(const struct options *options)
{
	for (size_t i = 1; i < options->binds_n; i++) {
		size_t n = strcspn(options->binds[i], "=") + 1;
		for (size_t j = 0; j < i; j++) {
			if (strncmp(options->binds[i], options->binds[j], n) ==
			    0) {
				return options->binds[i];
			}
		}
	}
	return NULL;
}

int
ctl_key_create(const struct ctl *ctl, int argc, char **argv)
{
	struct options options = { .role = NULL };
	struct parts parts = { .expires = "" };
	struct err err = { .status = STATUS_OK };
	int64_t expires_us = 0;

	if (!read_options(ctl, argc, argv, &options)) {
		return CTL_USAGE;
	}
	if (!known_role(options.role)) {
		return ctl_usage(ctl, "%s",
				 "--role wants evaluator, viewer, resolver or "
				 "admin");
	}
	if (bound_twice(&options) != NULL) {
		return ctl_usage(ctl, "bound twice: %s", bound_twice(&options));
	}
	if (options.expires != NULL) {
		if (!clock_parse(options.expires, &expires_us) ||
		    expires_us <= clock_now_us()) {
			return ctl_usage(ctl,
					 "--expires wants a time to come, such "
					 "as 2030-01-31T00:00:00Z: %s",
					 options.expires);
		}
		clock_rfc3339(expires_us, parts.expires);
	}
	make_parts(&options, &parts);
	int code;
	if (check_key(&options, &parts, &err) != STATUS_OK) {
		code = ctl_failed(ctl, &err, "make such a key (%s)",
				  err.items_n > 0 ? err.items[0].pointer : "/");
	} else {
		code = insert(ctl, &options, &parts);
	}
	parts_fini(&parts);
	return code;
}

static void
print_row(void *arg, const struct store_key_row *row)
{
	(void)arg;
	printf("%s %-9s %-7s made %s%s%s %s%s%s\n", row->key_id, row->role,
	       row->state, row->created_at,
	       row->expires_at[0] != '\0' ? " until " : "", row->expires_at,
	       row->name, strcmp(row->bound_facts, "{}") != 0 ? " " : "",
	       strcmp(row->bound_facts, "{}") != 0 ? row->bound_facts : "");
}

int
ctl_key_list(const struct ctl *ctl, int argc, char **argv)
{
	struct err err;

	if (argc > 1) {
		return ctl_usage(ctl, "unexpected: %s", argv[1]);
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = store_key_each(pg, print_row, NULL, &err);
	pg_free(pg);
	return status == STATUS_OK ? CTL_OK
				   : ctl_failed(ctl, &err, "list the keys");
}

int
ctl_key_revoke(const struct ctl *ctl, int argc, char **argv)
{
	struct err err;

	if (argc != 2) {
		return ctl_usage(ctl, "%s", "one ID is needed, see key list");
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = store_key_revoke(pg, argv[1], &err);
	pg_free(pg);
	if (status != STATUS_OK) {
		return ctl_failed(ctl, &err, "revoke a key");
	}
	printf("%s is revoked\n", argv[1]);
	return CTL_OK;
}
