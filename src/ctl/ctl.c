#include "ctl/ctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

enum { PG_TIMEOUT_MS = 600000 };

struct verb {
	const char *words[2]; /* the second may be NULL */
	int (*run)(const struct ctl *ctl, int argc, char **argv);
	const char *usage;
	const char *doc;
};

static const struct verb verbs[] = {
	{ { "migrate", NULL },
	  ctl_migrate,
	  "[--status] [--schemas DIR]",
	  "apply the migrations that are missing, or list them" },
	{ { "seed", NULL },
	  ctl_seed,
	  "[--seed DIR]",
	  "load the model catalogue and the first policies" },
	{ { "key", "create" },
	  ctl_key_create,
	  "--role ROLE [--name NAME] [--expires TIME] "
	  "[--bind FACT=VALUE]...\n"
	  "\t[--tiers A,B] [--regions A,B] [--asserts FACT,FACT]",
	  "make an API key; it is printed once" },
	{ { "key", "list" }, ctl_key_list, "", "list the API keys" },
	{ { "key", "revoke" }, ctl_key_revoke, "ID", "end an API key" },
	{ { "policy", "check" },
	  ctl_policy_check,
	  "FILE",
	  "say what is wrong with a policy document" },
	{ { "policy", "put" },
	  ctl_policy_put,
	  "[--reason TEXT] FILE",
	  "write a policy, new or the next version of its name" },
	{ { "policy", "list" }, ctl_policy_list, "", "list the policies" },
	{ { "node", "list" },
	  ctl_node_list,
	  "",
	  "list the hosts that take part" },
	{ { "node", "remove" },
	  ctl_node_remove,
	  "[--force] NAME|ID",
	  "take out a host that will never come back" },
	{ { "counters", "rebuild" },
	  ctl_counters_rebuild,
	  "--reason TEXT",
	  "have every counter rebuilt from the ledger" },
	{ { "counters", "use" },
	  ctl_counters_use,
	  "--reason TEXT memcached|postgresql|host",
	  "the same, and that one counts from then on" },
	{ { "counters", NULL },
	  ctl_counters,
	  "[status]",
	  "say what counts, why, and whom it waits for" },
	{ { "usage", NULL },
	  ctl_call,
	  "CALL-ID",
	  "say what a call cost and what it was counted in" },
	{ { "config", NULL },
	  ctl_config,
	  "",
	  "list every setting with its value and default" },
	{ { "status", NULL },
	  ctl_status,
	  "",
	  "say what this host's processes are doing" },
};
enum { VERBS_N = sizeof(verbs) / sizeof(verbs[0]) };

static void
print_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "%s%s%s%s%s", verb->words[0],
		verb->words[1] != NULL ? " " : "",
		verb->words[1] != NULL ? verb->words[1] : "",
		verb->usage[0] != '\0' ? " " : "", verb->usage);
}

static void
print_help(FILE *out)
{
	fputs("Usage: ims-policyctl [--config FILE] VERB ...\n\n", out);
	for (int i = 0; i < VERBS_N; i++) {
		fputs("    ", out);
		print_verb(out, &verbs[i]);
		fprintf(out, "\n\t%s\n", verbs[i].doc);
	}
	fputs("\n    --config FILE   settings; else $IMS_CONFIG, "
	      "else " CONFIG_PATH_DEFAULT "\n"
	      "    --version, --help\n"
	      "\nExit: 0 done, 1 it could not be done, 2 wrong usage.\n",
	      out);
}

int
ctl_usage(const struct ctl *ctl, const char *wrong, ...)
{
	va_list args;

	if (wrong[0] != '\0') {
		va_start(args, wrong);
		fputs("ims-policyctl: ", stderr);
		vfprintf(stderr, wrong, args);
		fputc('\n', stderr);
		va_end(args);
	}
	fprintf(stderr, "Usage: ims-policyctl [--config FILE] %s\n",
		ctl->usage);
	return CTL_USAGE;
}

/* What a person can do about it. */
static const char *
advice(const struct err *err)
{
	if (err->status == STATUS_UNAVAILABLE) {
		return "is PostgreSQL running, and is pg_admin right?";
	}
	if (strstr(err->text, "42P01") != NULL ||
	    strstr(err->text, "42883") != NULL) {
		return "the schema is not there: run ims-policyctl migrate";
	}
	if (strstr(err->text, "42501") != NULL) {
		return "pg_admin must be a member of ims_policy_owner";
	}
	return NULL;
}

int
ctl_failed(const struct ctl *ctl, const struct err *err, const char *format,
	   ...)
{
	va_list args;
	const char *hint = advice(err);

	va_start(args, format);
	fputs("ims-policyctl: cannot ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", err->text);
	if (hint != NULL) {
		fprintf(stderr, "  %s (settings: %s)\n", hint,
			ctl->config_path);
	}
	return CTL_FAILED;
}

struct pg *
ctl_pg(const struct ctl *ctl)
{
	if (ctl->config.pg_admin[0] == '\0') {
		fprintf(stderr,
			"ims-policyctl: cannot reach PostgreSQL: pg_admin is "
			"not set\n  set it in %s to a libpq connection "
			"string, such as\n  pg_admin = "
			"host=/run/postgresql dbname=ims_policy "
			"user=ims_policy_admin\n",
			ctl->config_path);
		return NULL;
	}
	return pg_new(ctl->config.pg_admin, "ims-policyctl", PG_TIMEOUT_MS);
}

const char *
ctl_age(int64_t ms, char out[CTL_AGE_BYTES])
{
	static const struct {
		int64_t from_s, unit_s;
		const char *word;
	} units[] = { { 172800, 86400, "days" },
		      { 7200, 3600, "h" },
		      { 120, 60, "min" },
		      { INT64_MIN, 1, "s" } };
	int64_t s = ms / 1000;
	size_t i = 0;

	while (s < units[i].from_s) {
		i++;
	}
	snprintf(out, CTL_AGE_BYTES, "%" PRId64 " %s", s / units[i].unit_s,
		 units[i].word);
	return out;
}

static const struct verb *
find_verb(const char *first, const char *second)
{
	for (int i = 0; i < VERBS_N; i++) {
		const struct verb *verb = &verbs[i];
		if (strcmp(verb->words[0], first) == 0 &&
		    (verb->words[1] == NULL ||
		     (second != NULL && strcmp(verb->words[1], second) == 0))) {
			return verb;
		}
	}
	return NULL;
}

/* The options before the verb; -1: go on. */
static int
main_options(int argc, char **argv, const char **config_path)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};

	/* '+': what follows the verb is the verb's. */
	for (int c;
	     (c = getopt_long(argc, argv, "+c:h", options, NULL)) != -1;) {
		switch (c) {
		case 'c':
			*config_path = optarg;
			break;
		case 'v':
			puts("ims-policyctl " PACKAGE_VERSION);
			return CTL_OK;
		case 'h':
			print_help(stdout);
			return CTL_OK;
		default:
			print_help(stderr);
			return CTL_USAGE;
		}
	}
	return -1;
}

static int
run_verb(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	char usage[512] = "";
	FILE *text = fmemopen(usage, sizeof(usage), "w");

	if (text != NULL) {
		print_verb(text, verb);
		fclose(text);
	}
	ctl->usage = usage;
	if (verb->words[1] != NULL) {
		argc--;
		argv++;
	}
	optind = 0; /* begin a new scan */
	return verb->run(ctl, argc, argv);
}

int
main(int argc, char **argv)
{
	static struct ctl ctl;
	const char *path = NULL;
	struct err err;
	int code = main_options(argc, argv, &path);

	if (code >= 0) {
		return code;
	}
	argc -= optind;
	argv += optind;
	const struct verb *verb =
	    argc > 0 ? find_verb(argv[0], argc > 1 ? argv[1] : NULL) : NULL;
	if (verb == NULL) {
		if (argc > 0) {
			fprintf(stderr, "ims-policyctl: unknown verb: %s%s%s\n",
				argv[0], argc > 1 ? " " : "",
				argc > 1 ? argv[1] : "");
		}
		print_help(stderr);
		return CTL_USAGE;
	}
	log_open("ims-policyctl", LOG_WARNING);
	if (digest_init(&err) != STATUS_OK) {
		fprintf(stderr, "ims-policyctl: %s\n", err.text);
		return CTL_FAILED;
	}
	ctl.config_path = path != NULL			 ? path
			  : getenv("IMS_CONFIG") != NULL ? getenv("IMS_CONFIG")
							 : CONFIG_PATH_DEFAULT;
	if (config_load(path, &ctl.config, &err) != STATUS_OK) {
		fprintf(stderr,
			"ims-policyctl: cannot read the settings: %s\n"
			"  name the file by --config FILE or IMS_CONFIG\n",
			err.text);
		return CTL_FAILED;
	}
	return run_verb(&ctl, verb, argc, argv);
}
