#include "store/store_policy.h"

#include <stdlib.h>

/* The columns of a document, in one order for all that follows. */
#define COLUMNS                                                             \
	"category, description, enabled, mode, priority, evaluation_type, " \
	"action_on_violation, on_error, scope, applies_to, constraints, "   \
	"message, help_url, tags"
#define NEW_COLUMNS                                                         \
	"EXCLUDED.category, EXCLUDED.description, EXCLUDED.enabled, "       \
	"EXCLUDED.mode, EXCLUDED.priority, EXCLUDED.evaluation_type, "      \
	"EXCLUDED.action_on_violation, EXCLUDED.on_error, EXCLUDED.scope, " \
	"EXCLUDED.applies_to, EXCLUDED.constraints, EXCLUDED.message, "     \
	"EXCLUDED.help_url, EXCLUDED.tags"
#define OLD_COLUMNS                                                         \
	"policies.category, policies.description, policies.enabled, "       \
	"policies.mode, policies.priority, policies.evaluation_type, "      \
	"policies.action_on_violation, policies.on_error, policies.scope, " \
	"policies.applies_to, policies.constraints, policies.message, "     \
	"policies.help_url, policies.tags"

enum status
store_policy_put(struct pg *pg, const char *document, const char *author,
		 const char *reason, int64_t *version, struct err *err)
{
	const char *params[] = { document, author, reason };
	struct pg_result *result = NULL;
	enum status status = pg_query(
	    pg,
	    "INSERT INTO policies (name, " COLUMNS
	    ", updated_by, update_reason) "
	    "SELECT name, category, description, coalesce(enabled, true), "
	    "coalesce(mode, 'enforce'), priority::integer, "
	    "coalesce(evaluation_type, 'pre_flight'), action_on_violation, "
	    "coalesce(on_error, 'default'), coalesce(scope, 'user'), "
	    "coalesce(applies_to, '{}'), constraints, message, help_url, "
	    "ARRAY(SELECT jsonb_array_elements_text(coalesce(tags, '[]'))), "
	    "$2, $3 "
	    "FROM jsonb_to_record($1::jsonb) AS d (name text, category text, "
	    "description text, enabled boolean, mode text, priority numeric, "
	    "evaluation_type text, action_on_violation text, on_error text, "
	    "scope text, applies_to jsonb, constraints jsonb, message text, "
	    "help_url text, tags jsonb) "
	    "ON CONFLICT (name) DO UPDATE SET (" COLUMNS
	    ", updated_by, update_reason, deleted_at) = (" NEW_COLUMNS
	    ", EXCLUDED.updated_by, EXCLUDED.update_reason, NULL) "
	    "WHERE (" OLD_COLUMNS ") IS DISTINCT FROM (" NEW_COLUMNS
	    ") OR policies.deleted_at IS NOT NULL "
	    "RETURNING version",
	    params, 3, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	*version = pg_rows(result) == 0 ? 0 : pg_int(result, 0, 0);
	pg_result_free(result);
	return STATUS_OK;
}

enum status
store_policy_each(struct pg *pg,
		  void (*each)(void *arg, const struct store_policy_row *row),
		  void *arg, struct err *err)
{
	struct pg_result *result = NULL;
	enum status status = pg_query(
	    pg,
	    "SELECT name, category, evaluation_type, priority, "
	    "coalesce(action_on_violation, ''), "
	    "CASE WHEN enabled THEN mode ELSE 'disabled' END, version, "
	    "rfc3339(updated_at), updated_by FROM policies "
	    "WHERE deleted_at IS NULL ORDER BY priority DESC, name",
	    NULL, 0, &result, err);

	if (status != STATUS_OK) {
		return status;
	}
	for (int i = 0; i < pg_rows(result); i++) {
		struct store_policy_row row = {
			.name = pg_value(result, i, 0),
			.category = pg_value(result, i, 1),
			.evaluation_type = pg_value(result, i, 2),
			.priority = pg_value(result, i, 3),
			.action = pg_value(result, i, 4),
			.state = pg_value(result, i, 5),
			.version = pg_value(result, i, 6),
			.updated_at = pg_value(result, i, 7),
			.updated_by = pg_value(result, i, 8),
		};
		each(arg, &row);
	}
	pg_result_free(result);
	return STATUS_OK;
}
