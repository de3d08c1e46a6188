#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/money.h"
#include "base/uuid.h"
#include "counter/reservation.h"
#include "policy/snapshot.h"
#include "store/store_snapshot.h"
#include "store/store_usage.h"
#include "store/store_usage_call.h"

enum { ARENA_BYTES = 64 * 1024 };

/* What is needed to say what a call was counted in. */
struct names {
	struct arena *arena;
	struct snapshot *snapshot; /* NULL: policies cannot be named */
	const struct store_usage_call *call;
};

/* A caller's text must not reach into the terminal. */
static void
put(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;
		bool c1 = c == 0xc2 && (unsigned char)at[1] >= 0x80 &&
			  (unsigned char)at[1] < 0xa0;

		if (c < ' ' || c == 0x7f || c1) {
			putchar('?');
			at += c1;
		} else {
			putchar(c);
		}
	}
}

/* "WORD TEXT", after a comma where it is not the first; nothing for "". */
static void
put_fact(const char *word, const char *text, bool *first)
{
	if (text[0] != '\0') {
		printf("%s%s ", *first ? "" : ", ", word);
		put(text);
		*first = false;
	}
}

static const char *
or_none(const char *text)
{
	return text[0] != '\0' ? text : "unknown";
}

/* ---- the call */

static bool
refused(const struct store_usage_call *c)
{
	return strcmp(c->decision, "block") == 0;
}

static void
print_model(const char *label, const char *model, const char *vendor)
{
	printf("%-16s ", label);
	put(or_none(model));
	fputs(" of ", stdout);
	put(or_none(vendor));
	putchar('\n');
}

static void
print_caller(const struct store_usage_call *c)
{
	bool first = true;

	fputs("by               ", stdout);
	put_fact("user", c->user_id, &first);
	put_fact("tier", c->user_tier, &first);
	put_fact("team", c->team_id, &first);
	put_fact("organization", c->organization_id, &first);
	put_fact("api key", c->api_key_id, &first);
	put_fact("environment", c->environment, &first);
	put_fact("with the key", c->key_id, &first);
	putchar('\n');
}

static void
print_report(const struct store_usage_call *c)
{
	if (c->report_id[0] == '\0') {
		printf("report           none%s%s, wanted by %s\n",
		       c->expired_at[0] != '\0' ? ", expired " : "",
		       c->expired_at, or_none(c->expires_at));
		return;
	}
	printf("report           evaluation %s", c->report_id);
	if (c->settled_at[0] != '\0') {
		printf(", settled %s", c->settled_at);
	} else {
		fputs(", waits to be settled", stdout);
	}
	if (c->expired_at[0] != '\0') {
		printf(", late: expired %s", c->expired_at);
	}
	printf("%s%s%s%s\n", c->success[0] == 'f' ? ", the call failed" : "",
	       c->latency_ms[0] != '\0' ? ", took " : "", c->latency_ms,
	       c->latency_ms[0] != '\0' ? " ms" : "");
}

static void
print_call(const char *id, const struct store_usage_call *c)
{
	printf("call             %s\n"
	       "state            %s\n"
	       "decision         %s, %s\n",
	       id, c->state, or_none(c->decision), or_none(c->reserved_at));
	print_model("asked for", c->original_model, c->original_vendor);
	print_model("model", c->model_id, c->vendor_id);
	print_caller(c);
	if (refused(c)) {
		puts("reserved         nothing, the call was refused");
	} else {
		printf("reserved         %s USD\n", or_none(c->reserved));
	}
	print_report(c);
	bool over = !refused(c) && c->overrun[0] != '\0' &&
		    strcmp(c->overrun, "0") != 0;
	printf("cost             %s USD%s%s%s\n", or_none(c->cost),
	       over ? ", above its estimate by " : "", over ? c->overrun : "",
	       strcmp(c->state, "settled") == 0 ? "" : " (not settled)");
	printf("tokens           %s", or_none(c->tokens));
	if (c->input_tokens[0] != '\0' || c->output_tokens[0] != '\0') {
		printf(", %s in, %s out", or_none(c->input_tokens),
		       or_none(c->output_tokens));
	}
	putchar('\n');
}

/* ---- what it was counted in */

/* Is it SUBJECT in SCOPE?  Then it is said. */
static bool
say_subject(const struct counter_subject *wanted, enum scope scope,
	    const char *subject)
{
	struct counter_subject this = counter_subject(scope, subject);

	if (memcmp(&this, wanted, sizeof(this)) != 0) {
		return false;
	}
	fputs(scope_words[scope], stdout);
	if (scope != SCOPE_GLOBAL) {
		putchar(' ');
		put(subject);
	}
	return true;
}

/* A counter knows its subject by a digest; it is one of the call's. */
static void
print_subject(const struct names *names, const struct counter_entry *entry)
{
	const struct store_usage_call *c = names->call;
	const struct {
		enum scope scope;
		const char *text;
	} all[] = {
		{ SCOPE_GLOBAL, "global" },
		{ SCOPE_ORGANIZATION, c->organization_id },
		{ SCOPE_TEAM, c->team_id },
		{ SCOPE_USER, c->user_id },
		{ SCOPE_API_KEY, c->api_key_id },
		{ SCOPE_MODEL, arena_lower(names->arena, c->model_id) },
		{ SCOPE_MODEL, arena_lower(names->arena, c->original_model) },
		{ SCOPE_VENDOR, arena_lower(names->arena, c->vendor_id) },
		{ SCOPE_VENDOR, arena_lower(names->arena, c->original_vendor) },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *text =
		    all[i].text[0] != '\0' ? all[i].text : "anonymous";
		if (say_subject(&entry->subject, all[i].scope, text)) {
			return;
		}
	}
	char hex[2 * sizeof(entry->subject.bytes) + 1];
	hex_write(entry->subject.bytes, sizeof(entry->subject.bytes), hex);
	printf("subject %s", hex);
}

/* The policy and constraint of a counter, as policies are now. */
static void
print_counter(const struct names *names, uint64_t counter)
{
	const struct policy_set *set =
	    names->snapshot == NULL ? NULL
				    : &snapshot_data(names->snapshot)->policies;

	for (size_t i = 0; set != NULL && i < set->policies_n; i++) {
		const struct policy *policy = &set->policies[i];
		for (size_t k = 0; k < policy->constraints_n; k++) {
			const struct constraint *c = &policy->constraints[k];
			if (c->counter == counter) {
				printf("%s of the policy %s",
				       constraint_row(c->key)->key,
				       policy->name);
				return;
			}
		}
	}
	printf("counter %" PRId64 " of no policy that is in force now",
	       (int64_t)counter);
}

static void
print_charge(const struct names *names, const struct counter_entry *entry)
{
	static const char *const kinds[] = { "rate", "budget", "lease" };
	char amount[MONEY_TEXT_BYTES];

	if (entry->unit == COUNTER_COST) {
		money_text(entry->amount, amount);
	} else {
		snprintf(amount, sizeof(amount), "%" PRId64, entry->amount);
	}
	printf("        %-6s %s %s, ", kinds[entry->kind], amount,
	       counter_unit_words[entry->unit]);
	if (entry->kind == COUNTER_BUDGET) {
		char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];

		printf("%s %s to %s, ", window_words[entry->window],
		       clock_rfc3339(entry->from_s * 1000000, from),
		       clock_rfc3339(entry->to_s * 1000000, to));
	} else if (entry->kind == COUNTER_RATE) {
		printf("%s, ", window_words[entry->window]);
	}
	print_subject(names, entry);
	fputs(", ", stdout);
	print_counter(names, entry->counter);
	puts(entry->alert ? ", raised its alert" : "");
}

static void
print_charges(const struct names *names, const char *charges)
{
	struct counter_entry *entries = NULL;
	size_t n = 0;
	struct err err;

	if (charges[0] == '\0') {
		return;
	}
	if (reservation_charges_parse(charges, names->arena, &entries, &n,
				      &err) != STATUS_OK) {
		printf("        unreadable: %s\n", err.text);
	}
	for (size_t i = 0; i < n; i++) {
		print_charge(names, &entries[i]);
	}
}

static void
print_entries(const struct names *names)
{
	puts("entries of the ledger, and what they changed in counters");
	for (size_t i = 0; i < names->call->entries_n; i++) {
		const struct store_usage_entry_row *row =
		    &names->call->entries[i];
		printf("    %-7s %s ", row->entry, row->at);
		put(or_none(row->model_id));
		printf(", cost %s USD, tokens %s, ", or_none(row->cost),
		       or_none(row->tokens));
		if (row->charges[0] == '\0') {
			puts("no counter");
		} else {
			printf("%s in epoch %s\n",
			       row->counted[0] == 't' ? "counted"
						      : "NOT COUNTED YET",
			       row->epoch);
		}
		print_charges(names, row->charges);
	}
}

/* The policies as the database has them.  Without them the rest is said. */
static struct snapshot *
read_policies(struct pg *pg)
{
	struct buf document = { .data = NULL };
	struct snapshot *snapshot = NULL;
	int64_t revision = 0;
	struct err err;
	enum status status =
	    store_snapshot_fetch(pg, &document, &revision, &err);

	if (status == STATUS_OK) {
		status = snapshot_compile(buf_text(&document), document.len, 0,
					  &snapshot, &err);
	}
	buf_fini(&document);
	if (status != STATUS_OK) {
		fprintf(stderr, "ims-policyctl: policies cannot be named: %s\n",
			err.text);
		return NULL;
	}
	return snapshot;
}

/* ---- the verb */

/* Why the ledger has no such call. */
static enum status
why_not(struct pg *pg, const char *id, struct arena *arena, struct err *err)
{
	struct store_usage usage;
	enum status status = store_usage_find(pg, id, arena, &usage, err);

	if (status != STATUS_OK) {
		return status;
	}
	switch (usage.state) {
	case STORE_USAGE_REFUSED:
		return err_set(err, STATUS_NOT_FOUND,
			       "the call was refused: it cost nothing and was "
			       "counted in nothing");
	case STORE_USAGE_UNKNOWN:
		return err_set(err, STATUS_NOT_FOUND,
			       "it is not in the ledger, and not every host "
			       "has drained its spool past it, see node list");
	default:
		return err_set(err, STATUS_NOT_FOUND,
			       "there is no such call; the evaluation_id of "
			       "its pre_flight evaluation is wanted");
	}
}

static const char *
or_else(const char *text, const char *other)
{
	return text[0] != '\0' || other == NULL ? text : other;
}

/* What was reserved for no call, and reported all the same: was it refused?
 * Then its evaluation says what the ledger does not. */
static enum status
add_refused(struct pg *pg, const char *id, struct arena *arena,
	    struct store_usage_call *c, struct err *err)
{
	char made[CLOCK_TEXT_BYTES];
	struct store_usage u;

	if (c->reserved_at[0] != '\0') {
		return STATUS_OK;
	}
	enum status status = store_usage_find(pg, id, arena, &u, err);
	if (status != STATUS_OK || u.decision == NULL ||
	    strcmp(u.decision, "block") != 0) {
		return status;
	}
	c->decision = u.decision;
	c->reserved_at = arena_strdup(arena, clock_rfc3339(u.made_us, made));
	c->user_id = or_else(c->user_id, u.user_id);
	c->user_tier = or_else(c->user_tier, u.user_tier);
	c->team_id = or_else(c->team_id, u.team_id);
	c->organization_id = or_else(c->organization_id, u.organization_id);
	c->api_key_id = or_else(c->api_key_id, u.api_key_id);
	c->environment = or_else(c->environment, u.environment);
	c->original_model = or_else(c->original_model, u.original_model);
	c->original_vendor = or_else(c->original_vendor, u.original_vendor);
	if (c->model_id[0] == '\0') {
		c->model_id = or_else(c->model_id, u.model_id);
		c->vendor_id = or_else(c->vendor_id, u.vendor_id);
	}
	return STATUS_OK;
}

int
ctl_call(const struct ctl *ctl, int argc, char **argv)
{
	struct store_usage_call call;
	struct err err;

	if (argc != 2 || !uuid_valid(argv[1])) {
		return ctl_usage(ctl, "%s",
				 "one evaluation_id of a call is needed");
	}
	struct pg *pg = ctl_pg(ctl);
	if (pg == NULL) {
		return CTL_FAILED;
	}
	struct arena *arena = arena_new(ARENA_BYTES);
	struct names names = { .arena = arena, .call = &call };
	enum status status = store_usage_call(pg, argv[1], arena, &call, &err);
	if (status == STATUS_NOT_FOUND) {
		status = why_not(pg, argv[1], arena, &err);
	} else if (status == STATUS_OK) {
		status = add_refused(pg, argv[1], arena, &call, &err);
	}
	if (status == STATUS_OK) {
		names.snapshot = read_policies(pg);
		print_call(argv[1], &call);
		print_entries(&names);
		snapshot_unref(names.snapshot);
	}
	arena_free(arena);
	pg_free(pg);
	return status == STATUS_OK
		   ? CTL_OK
		   : ctl_failed(ctl, &err, "say what the call %s cost",
				argv[1]);
}
