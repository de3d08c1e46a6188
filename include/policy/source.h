/*
 * source: the document that a snapshot is compiled from.
 *
 *	{ "revision": 42,
 *	  "policies": [ policy ... ],         as docs/policies.md, with
 *	                                      policy_id, version and
 *	                                      policy_version_id
 *	  "subject_limits": [ { "policy_id", "constraint", "subject", "value",
 *	                        "until": time|null } ],
 *	  "exemptions": [ { "exemption_id", "policy_id", "scope", "subject",
 *	                    "valid_from", "valid_until" } ],
 *	  "models": [ { "model_id", "vendor_id", "capability_tier": 1..3|null,
 *	       "active", "context_tokens", "max_output_tokens",
 *	       "input_price_per_mil_tokens", "output_price_per_mil_tokens",
 *	       "cached_input_price_per_mil_tokens",
 *	       "tier_from_tokens", "tier_input_price_per_mil_tokens",
 *	       "tier_output_price_per_mil_tokens",
 *	       "features": ["function_calling"...], "regions": ["us-east"...] } ],
 *	  "regions": [ { "region", "region_group" } ],
 *	  "region_aliases": [ { "alias", "region" } ],
 *	  "vendor_aliases": [ { "alias", "vendor_id" } ],
 *	  "api_keys": [ { "key_id", "name", "hash": hex, "role", "expires_at",
 *	       "revoked": bool, "bound_facts": {fact: text}, "user_tiers": [],
 *	       "regions": [], "asserts": [fact...]|null } ],
 *	  "subjects": [ { "user_id", "user_tier", "team_id",
 *	                  "organization_id" } ] }
 *
 * Made by the SQL function snapshot_document() in one transaction, so that no
 * revision is half of two; the rows of tests/decisions are such documents too.
 *
 * Every member but revision may be missing and is then empty; null is as if
 * the member were missing, which means unknown.  A policy must have policy_id,
 * name, category and constraints; the others default to version 1, enabled,
 * mode enforce, priority 50, evaluation_type pre_flight, on_error default,
 * scope user, applies_to {}.  asserts null: all that a body may say.  Names of
 * models, vendors and regions become lower case and go through the aliases,
 * also in policies.  Equal names, ids or pairs of model and vendor are refused,
 * and what refers to a policy or region that is not there; a limit for a
 * constraint that its policy does not have (any more) is passed over.
 */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

#include "base/arena.h"
#include "base/status.h"
#include "json/read.h"

/**
 * source_check_policy(at, err):
 * Is the policy document AT one that may be written?
 *
 * Everything of docs/policies.md, section 2: names, types, ranges, stages,
 * categories, conditions that can never hold, patterns that do not compile,
 * degrade beside a constraint that does not depend on the model.  policy_id
 * may be missing here.
 * Errors:  STATUS_BODY; every wrong place is an item of ERR.
 */
enum status source_check_policy(const struct json *at,
				struct err *err) MUST_CHECK;

#endif /* POLICY_SOURCE_H */
