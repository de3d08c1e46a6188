#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "json/write.h"

/* Lists that the last layer that has them gives. */
static const char *const lists[] = { "models", "regions", "region_aliases",
				     "vendor_aliases", "subjects" };
/* The same, but the elements name their policy by "policy". */
static const char *const of_policies[] = { "subject_limits", "exemptions" };

enum {
	LISTS_N = sizeof(lists) / sizeof(lists[0]),
	OF_POLICIES_N = sizeof(of_policies) / sizeof(of_policies[0]),
	ID_BYTES = 40
};

/* What a policy has when the row does not say it. */
static const struct {
	const char *name, *json;
} fill[] = {
	{ "version", "1" },
	{ "enabled", "true" },
	{ "mode", "\"enforce\"" },
	{ "priority", "50" },
	{ "evaluation_type", "\"pre_flight\"" },
	{ "on_error", "\"default\"" },
	{ "scope", "\"user\"" },
	{ "applies_to", "{}" },
};

struct policies {
	struct json items[WORLD_POLICIES_MAX];
	size_t n;
};

bool
world_member(const char *name)
{
	for (size_t i = 0; i < LISTS_N; i++) {
		if (strcmp(lists[i], name) == 0) {
			return true;
		}
	}
	for (size_t i = 0; i < OF_POLICIES_N; i++) {
		if (strcmp(of_policies[i], name) == 0) {
			return true;
		}
	}
	return strcmp(name, "policies") == 0;
}

static const char *
name_of(const struct json *policy)
{
	struct json at;
	const char *name;

	if (json_type(policy) != JSON_OBJECT ||
	    !json_get(policy, "name", &at) ||
	    json_string(&at, &name, NULL) != STATUS_OK) {
		return "";
	}
	return name;
}

static void
gather(const struct world *world, struct policies *out)
{
	struct json list;

	out->n = 0;
	for (int l = 0; l < WORLD_LAYERS; l++) {
		if (world->layers[l] == NULL ||
		    !json_get(world->layers[l], "policies", &list)) {
			continue;
		}
		for (size_t i = 0; i < json_n(&list); i++) {
			struct json policy = json_item(&list, i);
			size_t at = 0;

			while (at < out->n && strcmp(name_of(&out->items[at]),
						     name_of(&policy)) != 0) {
				at++;
			}
			assert(at < WORLD_POLICIES_MAX);
			out->items[at] = policy;
			out->items[at].up = NULL;
			out->n = at == out->n ? at + 1 : out->n;
		}
	}
}

/* The id of the policy at place I: its own, or one made of the place. */
static const char *
policy_id(const struct policies *policies, size_t i, char out[ID_BYTES])
{
	struct json at;
	const char *own;

	if (i < policies->n &&
	    json_get(&policies->items[i], "policy_id", &at) &&
	    json_string(&at, &own, NULL) == STATUS_OK) {
		return own;
	}
	snprintf(out, ID_BYTES, "00000000-0000-4000-8000-%012u",
		 (unsigned)i + 1);
	return out;
}

static void
put_policy(struct json_writer *w, const struct policies *policies, size_t i)
{
	const struct json *policy = &policies->items[i];
	struct json_iter iter = { 0 };
	struct json member;
	char id[ID_BYTES];

	json_object_begin(w);
	while (json_next(policy, &iter, &member)) {
		json_key(w, member.key);
		json_put_raw(w, json_text(&member));
	}
	if (!json_get(policy, "policy_id", &member)) {
		json_member(w, "policy_id", policy_id(policies, i, id));
	}
	for (size_t f = 0; f < sizeof(fill) / sizeof(fill[0]); f++) {
		if (!json_get(policy, fill[f].name, &member)) {
			json_key(w, fill[f].name);
			json_put_raw(w, fill[f].json);
		}
	}
	json_object_finish(w);
}

/* A list whose elements say "policy": NAME instead of its id. */
static void
put_of_policies(struct json_writer *w, const struct json *list,
		const struct policies *policies)
{
	json_array_begin(w);
	for (size_t i = 0; i < json_n(list); i++) {
		struct json item = json_item(list, i), member;
		struct json_iter iter = { 0 };

		json_object_begin(w);
		while (json_next(&item, &iter, &member)) {
			char id[ID_BYTES];
			const char *name;
			size_t at = 0;

			if (strcmp(member.key, "policy") != 0 ||
			    json_string(&member, &name, NULL) != STATUS_OK) {
				json_key(w, member.key);
				json_put_raw(w, json_text(&member));
				continue;
			}
			while (at < policies->n &&
			       strcmp(name_of(&policies->items[at]), name) !=
				   0) {
				at++;
			}
			json_member(w, "policy_id",
				    policy_id(policies, at, id));
		}
		json_object_finish(w);
	}
	json_array_finish(w);
}

static bool
find(const struct world *world, const char *name, struct json *out)
{
	for (int l = WORLD_LAYERS; l-- > 0;) {
		if (world->layers[l] != NULL &&
		    json_get(world->layers[l], name, out)) {
			return true;
		}
	}
	return false;
}

void
world_key_id(size_t i, char out[WORLD_KEY_ID_BYTES])
{
	snprintf(out, WORLD_KEY_ID_BYTES, "gateway%09u", (unsigned)i + 1);
}

static void
put_key(struct json_writer *w, const struct json *key, size_t i)
{
	static const char hash[] = "0000000000000000000000000000000000000000"
				   "000000000000000000000000";
	static const struct json none = { .value = NULL };
	struct json_iter iter = { 0 };
	struct json member;
	char id[WORLD_KEY_ID_BYTES];

	if (key == NULL || json_type(key) != JSON_OBJECT) {
		key = &none;
	}
	world_key_id(i, id);
	json_object_begin(w);
	json_member(w, "key_id", id);
	json_member(w, "hash", hash);
	json_member_bool(w, "revoked", false);
	if (!json_get(key, "name", &member)) {
		json_member(w, "name", id);
	}
	if (!json_get(key, "role", &member)) {
		json_member(w, "role", "evaluator");
	}
	while (key != &none && json_next(key, &iter, &member)) {
		json_key(w, member.key);
		json_put_raw(w, json_text(&member));
	}
	json_object_finish(w);
}

static void
put_keys(struct json_writer *w, const struct world *world)
{
	const size_t n = world->keys_n > 0 ? world->keys_n : 1;

	json_key(w, "api_keys");
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) {
		put_key(w, world->keys[i], i);
	}
	json_array_finish(w);
}

void
world_compose(const struct world *world, bool turned, struct buf *out)
{
	struct json_writer writer, *w = &writer;
	struct policies policies;
	struct json list;

	gather(world, &policies);
	json_write_init(w, out);
	json_object_begin(w);
	json_member_int(w, "revision", 42);
	json_key(w, "policies");
	json_array_begin(w);
	for (size_t i = 0; i < policies.n; i++) {
		put_policy(w, &policies, turned ? policies.n - 1 - i : i);
	}
	json_array_finish(w);
	for (size_t i = 0; i < LISTS_N; i++) {
		if (find(world, lists[i], &list)) {
			json_key(w, lists[i]);
			json_put_raw(w, json_text(&list));
		}
	}
	for (size_t i = 0; i < OF_POLICIES_N; i++) {
		if (find(world, of_policies[i], &list)) {
			json_key(w, of_policies[i]);
			put_of_policies(w, &list, &policies);
		}
	}
	put_keys(w, world);
	json_object_finish(w);
	json_write_end(w);
}
