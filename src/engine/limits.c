#include "engine/limits.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

enum { NANOUSD_PER_MICRO = 1000 };

/* The largest integer of a structured field (RFC 9651, 3.3.1). */
#define FIELD_INTEGER_MAX INT64_C(999999999999999)
#define SECOND_US INT64_C(1000000)

static const char *
excuse(const struct decision *d, const struct policy *policy)
{
	for (size_t i = 0; i < d->executions_n; i++) {
		if (d->executions[i].policy == policy) {
			return d->executions[i].excused;
		}
	}
	return NULL;
}

/* Does the I-th charge limit anybody, and is its counter known? */
static bool
tells(const struct decision *d, size_t i)
{
	const struct policy *policy = d->charges[i].policy;

	return d->charged[i].result != CHARGE_UNKNOWN &&
	       policy->mode == MODE_ENFORCE && excuse(d, policy) == NULL;
}

void
limits_amount(struct json_writer *w, const char *name, enum counter_unit unit,
	      int64_t amount)
{
	if (unit == COUNTER_COST) {
		json_member_money(w, name, amount);
	} else {
		json_member_int(w, name, amount);
	}
}

static void
put_limit(struct json_writer *w, const struct charge *charge,
	  const struct charged *charged)
{
	const struct counter_row *row = charge->row;

	json_object_begin(w);
	json_member(w, "policy_name", charge->policy->name);
	json_member(w, "scope", scope_words[charge->policy->scope]);
	json_member(w, "constraint", constraint_row(row->key)->key);
	json_member(w, "window", window_words[row->window]);
	json_member(w, "unit", counter_unit_words[row->unit]);
	limits_amount(w, "limit", row->unit, charge->limit);
	limits_amount(w, "remaining", row->unit, charged->remaining);
	json_key(w, "reset_at");
	json_put_time(w, charged->reset_us);
	json_object_finish(w);
}

void
limits_write(struct json_writer *w, const struct decision *d)
{
	json_array_begin(w);
	for (size_t i = 0; i < d->charges_n; i++) {
		if (tells(d, i)) {
			put_limit(w, &d->charges[i], &d->charged[i]);
		}
	}
	json_array_finish(w);
}

/* --- header fields -------------------------------------------------------- */

/* Can TEXT be a string of a structured field: printable ASCII? */
static bool
is_field_string(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~') {
			return false;
		}
	}
	return true;
}

/* NULL: it has none that a field can hold. */
static const char *
field_name(const struct policy *policy)
{
	if (is_field_string(policy->name)) {
		return policy->name;
	}
	return is_field_string(policy->policy_id) ? policy->policy_id : NULL;
}

/*
 * The name of a quota: its policy and its window, and its unit where the
 * window alone does not tell which of a policy's counters it is.
 */
static void
put_name(struct buf *out, const struct charge *charge)
{
	const char *name = field_name(charge->policy);

	buf_addc(out, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\') {
			buf_addc(out, '\\');
		}
		buf_addc(out, *name);
	}
	buf_addc(out, '.');
	buf_adds(out, window_words[charge->row->window]);
	if (charge->row->unit == COUNTER_TOKENS) {
		buf_adds(out, ".tokens");
	}
	buf_addc(out, '"');
}

static int64_t
field_integer(enum counter_unit unit, int64_t amount)
{
	if (unit == COUNTER_COST) {
		amount /= NANOUSD_PER_MICRO;
	}
	return amount < FIELD_INTEGER_MAX ? amount : FIELD_INTEGER_MAX;
}

/* From NOW to AT, rounded up. */
static int64_t
seconds_until(int64_t now_us, int64_t at_us)
{
	if (at_us <= now_us) {
		return 0;
	}
	int64_t us = at_us - now_us;

	return us / SECOND_US + (us % SECOND_US != 0);
}

static int64_t
window_seconds(const struct charge *charge)
{
	if (charge->row->kind == COUNTER_BUDGET) {
		return (charge->window.to_us - charge->window.from_us) /
		       SECOND_US;
	}
	return window_length_us(charge->row->window) / SECOND_US;
}

static void
put_policy(struct buf *out, const struct charge *charge)
{
	static const char *const units[] = {
		[COUNTER_REQUESTS] = NULL, /* the draft's default */
		[COUNTER_TOKENS] = "tokens",
		[COUNTER_COST] = "micro-usd",
		[COUNTER_CALLS] = "concurrent-requests",
	};
	const enum counter_unit unit = charge->row->unit;

	put_name(out, charge);
	buf_adds(out, ";q=");
	buf_addi(out, field_integer(unit, charge->limit));
	if (units[unit] != NULL) {
		buf_printf(out, ";qu=\"%s\"", units[unit]);
	}
	if (charge->row->kind != COUNTER_LEASE) {
		buf_adds(out, ";w=");
		buf_addi(out, window_seconds(charge));
	}
}

static void
put_left(struct buf *out, const struct charge *charge,
	 const struct charged *charged, int64_t now_us)
{
	put_name(out, charge);
	buf_adds(out, ";r=");
	buf_addi(out, field_integer(charge->row->unit, charged->remaining));
	buf_adds(out, ";t=");
	buf_addi(out, seconds_until(now_us, charged->reset_us));
}

/* Both fields grow together, so that they name the same quotas. */
struct fields {
	struct buf policy, limit;
	bool full;
};

static void
add_field(struct fields *fields, const struct charge *charge,
	  const struct charged *charged, int64_t now_us)
{
	const size_t policy_n = fields->policy.len, limit_n = fields->limit.len;

	if (fields->full || field_name(charge->policy) == NULL) {
		return;
	}
	if (policy_n > 0) {
		buf_adds(&fields->policy, ", ");
		buf_adds(&fields->limit, ", ");
	}
	put_policy(&fields->policy, charge);
	put_left(&fields->limit, charge, charged, now_us);
	if (fields->policy.len > LIMITS_HEADER_BYTES ||
	    fields->limit.len > LIMITS_HEADER_BYTES) {
		fields->policy.len = policy_n;
		fields->limit.len = limit_n;
		fields->full = true;
	}
}

struct limits_headers
limits_headers(const struct decision *d, int64_t now_us, struct arena *arena)
{
	static const enum counter_kind order[] = { COUNTER_RATE, COUNTER_LEASE,
						   COUNTER_BUDGET };
	struct fields fields = { .full = false };
	struct limits_headers out = { NULL, NULL };

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < d->charges_n; i++) {
			const struct charge *charge = &d->charges[i];

			if (charge->row->kind == order[k] &&
			    charge->mode == CHARGE_LIMITS && tells(d, i)) {
				add_field(&fields, charge, &d->charged[i],
					  now_us);
			}
		}
	}
	if (fields.policy.len > 0) {
		out.policy =
		    arena_strndup(arena, fields.policy.data, fields.policy.len);
		out.limit =
		    arena_strndup(arena, fields.limit.data, fields.limit.len);
	}
	buf_fini(&fields.policy);
	buf_fini(&fields.limit);
	return out;
}

int64_t
limits_retry_after(const struct decision *d, int64_t now_us)
{
	int64_t retry_us = -1;

	if (d->action != ACTION_BLOCK || d->taken) {
		return -1;
	}
	for (size_t i = 0; i < d->charges_n; i++) {
		if (d->charges[i].mode != CHARGE_LIMITS ||
		    d->charged[i].result != CHARGE_OVER) {
			continue;
		}
		if (d->charged[i].retry_us > retry_us) {
			retry_us = d->charged[i].retry_us;
		}
	}
	if (retry_us < 0 || retry_us == INT64_MAX) {
		return -1;
	}
	int64_t seconds = seconds_until(now_us, retry_us);
	return seconds > 0 ? seconds : 1;
}
