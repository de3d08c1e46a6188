#include "counter/account_find.h"

int64_t
account_plus(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum)) {
		return a < 0 ? INT64_MIN : INT64_MAX;
	}
	return sum;
}

int64_t
account_oldest(const struct account *account, enum window_unit window)
{
	return account_part_index(window, account->seen_us) - ACCOUNT_PARTS;
}

struct account_rate *
account_find_rate(const struct account *account,
		  const struct account_entry *entry)
{
	for (size_t i = 0; i < account->rates_n; i++) {
		struct account_rate *rate = &account->rates[i];

		if (rate->counter == entry->counter &&
		    rate->window == entry->window) {
			return rate;
		}
	}
	return NULL;
}

struct account_budget *
account_find_budget(const struct account *account,
		    const struct account_entry *entry)
{
	for (size_t i = 0; i < account->budgets_n; i++) {
		struct account_budget *budget = &account->budgets[i];

		if (budget->counter == entry->counter &&
		    budget->from_s == entry->from_s) {
			return budget;
		}
	}
	return NULL;
}

const struct account_budget *
account_budget(const struct account *account, const struct account_entry *entry)
{
	return account_find_budget(account, entry);
}

struct account_leases *
account_find_leases(const struct account *account, uint64_t counter)
{
	for (size_t i = 0; i < account->leases_n; i++) {
		if (account->leases[i].counter == counter) {
			return &account->leases[i];
		}
	}
	return NULL;
}

bool
account_same(const struct account_entry *a, const struct account_entry *b)
{
	return a->kind == b->kind && a->counter == b->counter &&
	       a->window == b->window &&
	       (a->kind != COUNTER_BUDGET || a->from_s == b->from_s);
}

bool
account_stands(const struct account *account, const struct account_claim *claim)
{
	return claim->stands || claim->deadline_us <= account->seen_us;
}

bool
account_counts(const struct account *account, const struct account_entry *entry)
{
	switch (entry->kind) {
	case COUNTER_RATE:
		return account_part_index(entry->window, entry->at_us) >=
		       account_oldest(account, entry->window);
	case COUNTER_LEASE:
		return entry->expires_us > account->seen_us;
	case COUNTER_BUDGET:
	default:
		return true;
	}
}

int64_t
account_claimed(const struct account *account,
		const struct account_entry *entry, bool all)
{
	int64_t sum = 0;

	for (size_t i = 0; i < account->claims_n; i++) {
		const struct account_claim *claim = &account->claims[i];

		for (size_t j = 0; j < claim->n; j++) {
			const struct account_entry *one = &claim->entries[j];

			if (account_same(one, entry) &&
			    account_counts(account, one) &&
			    (all || account_stands(account, claim))) {
				sum = account_plus(sum, one->amount);
			}
		}
	}
	return sum;
}

void
account_clamp(const struct account *account, struct account_budget *budget,
	      const struct account_entry *entry)
{
	int64_t least = -account_claimed(account, entry, true);

	if (budget->used < least) {
		budget->used = least;
	}
}
