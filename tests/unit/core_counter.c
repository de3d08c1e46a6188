#include "core_counter.h"

#include <string.h>

#include "base/money.h"

struct core_counter *
core_counter_new(struct arena *arena)
{
	struct core_counter *counter = arena_alloc(arena, sizeof(*counter));

	counter->arena = arena;
	return counter;
}

static struct core_sum *
sum_add(struct core_counter *counter, struct core_sum sum)
{
	counter->sums = arena_grow(counter->arena, counter->sums, counter->n,
				   &counter->cap, sizeof(*counter->sums));
	counter->sums[counter->n] = sum;
	return &counter->sums[counter->n++];
}

void
core_counter_set(struct core_counter *counter, const char *name,
		 enum constraint_key key, const char *subject, int64_t used)
{
	sum_add(counter, (struct core_sum){ .policy = name,
					    .key = key,
					    .subject = subject,
					    .from_us = INT64_MIN,
					    .used = used });
}

/* The sum of CHARGE; what was set by hand is of any window and id. */
static struct core_sum *
sum_of(struct core_counter *counter, const struct charge *charge)
{
	for (size_t i = 0; i < counter->n; i++) {
		struct core_sum *sum = &counter->sums[i];
		bool by_hand = sum->from_us == INT64_MIN;

		if (sum->key == charge->constraint->key &&
		    strcmp(sum->policy, charge->policy->name) == 0 &&
		    strcmp(sum->subject, charge->subject) == 0 &&
		    (by_hand || (sum->from_us == charge->window.from_us &&
				 strcmp(sum->policy_id,
					charge->policy->policy_id) == 0))) {
			return sum;
		}
	}
	return sum_add(counter,
		       (struct core_sum){
			   .policy = charge->policy->name,
			   .policy_id = charge->policy->policy_id,
			   .key = charge->constraint->key,
			   .subject = charge->subject,
			   .from_us = charge->window.from_us,
			   .used = counter->begin == NULL
				       ? 0
				       : counter->begin(counter, charge),
		       });
}

static void
judge(struct core_counter *counter, const struct charge *charge,
      struct charged *out)
{
	int64_t used = counter->down ? -1 : sum_of(counter, charge)->used;

	*out = (struct charged){ .result = CHARGE_UNKNOWN };
	if (counter->roomy) {
		out->result = CHARGE_FITS;
		return;
	}
	if (used < 0) {
		return;
	}
	bool over = money_add(used, charge->amount) > charge->limit;

	out->result = over ? CHARGE_OVER : CHARGE_FITS;
	out->used = used;
	out->remaining = charge->limit > used ? charge->limit - used : 0;
	out->reset_us = CORE_COUNTER_RESET_US;
	out->retry_us =
	    charge->amount > charge->limit ? INT64_MAX : CORE_COUNTER_RETRY_US;
}

/* May a shadow policy's charges be taken: would it have admitted the call? */
static bool
follows(const struct charge *charges, size_t n, const struct charged *out,
	size_t at)
{
	for (size_t i = 0; i < n; i++) {
		if (charges[i].policy == charges[at].policy &&
		    out[i].result == CHARGE_OVER) {
			return false;
		}
	}
	return true;
}

static void
take(struct core_counter *counter, const struct charge *charge,
     struct charged *out)
{
	struct core_sum *sum = sum_of(counter, charge);

	out->taken = true;
	counter->counted += charge->amount;
	out->remaining = out->remaining > charge->amount
			     ? out->remaining - charge->amount
			     : 0;
	out->alert =
	    !sum->alerted && out->used + charge->amount >= charge->alert_at;
	if (!counter->forgets) {
		sum->used += charge->amount;
		sum->alerted |= out->alert;
	}
}

bool
core_counter_take(struct core_counter *counter,
		  const struct charge_model *model,
		  const struct charge *charges, size_t n, struct charged *out)
{
	bool admitted = true;

	counter->takes++;
	counter->charges_n = n;
	counter->model = *model;
	for (size_t i = 0; i < n; i++) {
		judge(counter, &charges[i], &out[i]);
		admitted &=
		    !(charges[i].mode == CHARGE_LIMITS &&
		      out[i].result == CHARGE_OVER) &&
		    !(charges[i].must_count && out[i].result == CHARGE_UNKNOWN);
	}
	for (size_t i = 0; admitted && i < n; i++) {
		if (out[i].result != CHARGE_UNKNOWN && !counter->roomy &&
		    (charges[i].mode != CHARGE_FOLLOWS ||
		     follows(charges, n, out, i))) {
			take(counter, &charges[i], &out[i]);
		}
	}
	counter->granted += admitted;
	return admitted;
}
