#include "ctl/ctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "json/read.h"
#include "policy/source.h"
#include "store/store_policy.h"

/* Every wrong place on a line of its own. */
static void
print_places(const char *path, const struct err *err)
{
	size_t n = err->items_n < ERR_ITEMS ? err->items_n : ERR_ITEMS;

	if (n == 0) {
		fprintf(stderr, "%s: %s\n", path, err->text);
	}
	for (size_t i = 0; i < n; i++) {
		fprintf(stderr, "%s: %s: %s\n", path,
			err->items[i].pointer[0] != '\0' ? err->items[i].pointer
							 : "/",
			err->items[i].detail);
	}
	if (err->items_n > n) {
		fprintf(stderr, "%s: and %zu more\n", path, err->items_n - n);
	}
}

/* Read and check the policy at PATH; true: its text is in OUT. */
static bool
read_policy(const struct ctl *ctl, const char *path, struct buf *out)
{
	struct err err = { .status = STATUS_OK };
	struct json_doc *doc = NULL;

	if (ctl_read_file(path, out, &err) != STATUS_OK) {
		ctl_failed(ctl, &err, "check a policy");
		return false;
	}
	enum status status =
	    json_doc_parse(buf_text(out), out->len, &doc, &err);
	if (status == STATUS_OK) {
		struct json root = json_root(doc);
		status = source_check_policy(&root, &err);
	}
	if (status != STATUS_OK) {
		print_places(path, &err);
	}
	json_doc_free(doc);
	return status == STATUS_OK;
}

int
ctl_policy_check(const struct ctl *ctl, int argc, char **argv)
{
	struct buf text = { .data = NULL };

	if (argc != 2) {
		return ctl_usage(ctl, "%s", "one FILE is needed");
	}
	bool good = read_policy(ctl, argv[1], &text);
	buf_fini(&text);
	if (good) {
		printf("%s: nothing is wrong\n", argv[1]);
	}
	return good ? CTL_OK : CTL_FAILED;
}

/* Write the checked text. */
static int
put(const struct ctl *ctl, const char *path, const char *text,
    const char *reason)
{
	struct err err;
	int64_t version = 0;
	struct pg *pg = ctl_pg(ctl);

	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status =
	    store_policy_put(pg, text, ctl_author(), reason, &version, &err);
	pg_free(pg);
	if (status != STATUS_OK) {
		return ctl_failed(ctl, &err, "write the policy of %s", path);
	}
	if (version == 0) {
		printf("%s: unchanged\n", path);
	} else {
		printf("%s: is version %" PRId64 " now\n", path, version);
	}
	return CTL_OK;
}

int
ctl_policy_put(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "reason", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	const char *reason = NULL;
	struct buf text = { .data = NULL };
	int code = CTL_FAILED;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'r') {
			return ctl_usage(ctl, "%s", "");
		}
		reason = optarg;
	}
	if (argc - optind != 1) {
		return ctl_usage(ctl, "%s", "one FILE is needed");
	}
	if (read_policy(ctl, argv[optind], &text)) {
		code = put(ctl, argv[optind], buf_text(&text), reason);
	}
	buf_fini(&text);
	return code;
}

static void
print_row(void *arg, const struct store_policy_row *row)
{
	(void)arg;
	printf("%-32s %-14s %-14s %3s %-8s %-8s v%s %s %s\n", row->name,
	       row->category, row->evaluation_type, row->priority,
	       row->action[0] != '\0' ? row->action : "default", row->state,
	       row->version, row->updated_at, row->updated_by);
}

int
ctl_policy_list(const struct ctl *ctl, int argc, char **argv)
{
	struct err err;

	if (argc > 1) {
		return ctl_usage(ctl, "unexpected: %s", argv[1]);
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	enum status status = store_policy_each(pg, print_row, NULL, &err);
	pg_free(pg);
	return status == STATUS_OK ? CTL_OK
				   : ctl_failed(ctl, &err, "list the policies");
}
