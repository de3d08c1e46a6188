#include "counter/account.h"

#include <string.h>

#include "counter/account_find.h"

void
account_begin(struct account *account, struct arena *arena)
{
	*account = (struct account){ .arena = arena };
}

int64_t
account_part_us(enum window_unit window)
{
	return window_length_us(window) / ACCOUNT_PARTS;
}

int64_t
account_part_index(enum window_unit window, int64_t at_us)
{
	int64_t part = account_part_us(window);

	return at_us / part - (at_us % part < 0);
}

uint64_t
account_lease_id(const char *evaluation_id)
{
	/* FNV-1a, 64 bits; most bits of the id are random */
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *at = evaluation_id; *at != '\0'; at++) {
		hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
	}
	return hash;
}

/* ---- what is used */

static int64_t
used_rate(const struct account *account, const struct account_entry *entry)
{
	const struct account_rate *rate = account_find_rate(account, entry);
	int64_t sum = 0, first = account_oldest(account, entry->window);

	for (size_t i = 0; rate != NULL && i < rate->n; i++) {
		if (rate->parts[i].index >= first) {
			sum = account_plus(sum, rate->parts[i].amount);
		}
	}
	return sum;
}

static int64_t
used_leases(const struct account *account, const struct account_entry *entry)
{
	const struct account_leases *leases =
	    account_find_leases(account, entry->counter);
	int64_t n = 0;

	for (size_t i = 0; leases != NULL && i < leases->n; i++) {
		n += leases->items[i].expires_us > account->seen_us;
	}
	return n;
}

int64_t
account_used(const struct account *account, const struct account_entry *entry,
	     bool all)
{
	const struct account_budget *budget;
	int64_t sum = 0;

	switch (entry->kind) {
	case COUNTER_RATE:
		sum = used_rate(account, entry);
		break;
	case COUNTER_LEASE:
		sum = used_leases(account, entry);
		break;
	case COUNTER_BUDGET:
	default:
		budget = account_find_budget(account, entry);
		sum = budget == NULL ? 0 : budget->used;
	}
	if (account->claims_n > 0) {
		sum = account_plus(sum, account_claimed(account, entry, all));
	}
	return sum < 0 ? 0 : sum;
}

bool
account_alerted(const struct account *account,
		const struct account_entry *entry)
{
	const struct account_budget *budget =
	    account_find_budget(account, entry);

	if (budget != NULL && budget->alerted) {
		return true;
	}
	for (size_t i = 0; i < account->claims_n; i++) {
		const struct account_claim *claim = &account->claims[i];

		for (size_t j = 0; j < claim->n; j++) {
			if (claim->entries[j].alert &&
			    account_same(&claim->entries[j], entry)) {
				return true;
			}
		}
	}
	return false;
}

/* ---- time */

static int64_t
earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

/* What is counted in parts after the current one is counted in that. */
static void
pull_back_rate(struct account *account, struct account_rate *rate)
{
	int64_t now = account_part_index(rate->window, account->seen_us);

	while (rate->n > 0 && rate->parts[rate->n - 1].index > now) {
		struct account_part *last = &rate->parts[rate->n - 1];

		if (rate->n > 1 && last[-1].index >= now) {
			last[-1].amount =
			    account_plus(last[-1].amount, last->amount);
			rate->n--;
		} else {
			last->index = now;
		}
	}
}

static void
pull_back(struct account *account, int64_t at_us)
{
	account->seen_us = at_us;
	for (size_t i = 0; i < account->rates_n; i++) {
		pull_back_rate(account, &account->rates[i]);
	}
	for (size_t i = 0; i < account->writers_n; i++) {
		struct account_writer *w = &account->writers[i];

		w->at_us = earlier(w->at_us, at_us);
	}
	for (size_t i = 0; i < account->claims_n; i++) {
		struct account_claim *claim = &account->claims[i];

		claim->deadline_us = earlier(claim->deadline_us, at_us);
		for (size_t j = 0; j < claim->n; j++) {
			claim->entries[j].at_us =
			    earlier(claim->entries[j].at_us, at_us);
		}
	}
}

void
account_see(struct account *account, int64_t at_us)
{
	if (at_us > account->seen_us) {
		account->seen_us = at_us;
	} else if (account->seen_us - at_us > ACCOUNT_AHEAD_US) {
		pull_back(account, at_us);
	}
}

/* ---- adding */

static struct account_rate *
make_rate(struct account *account, const struct account_entry *entry)
{
	account->rates =
	    arena_grow(account->arena, account->rates, account->rates_n,
		       &account->rates_cap, sizeof(account->rates[0]));
	struct account_rate *rate = &account->rates[account->rates_n++];
	*rate = (struct account_rate){ .counter = entry->counter,
				       .window = entry->window };
	return rate;
}

static void
add_part(struct account *account, struct account_rate *rate, int64_t index,
	 int64_t amount)
{
	size_t at = rate->n;

	while (at > 0 && rate->parts[at - 1].index > index) {
		at--;
	}
	if (at > 0 && rate->parts[at - 1].index == index) {
		rate->parts[at - 1].amount =
		    account_plus(rate->parts[at - 1].amount, amount);
		return;
	}
	/* The oldest go first, so that there are never more than can count. */
	rate->parts = arena_grow(account->arena, rate->parts, rate->n,
				 &rate->cap, sizeof(rate->parts[0]));
	memmove(&rate->parts[at + 1], &rate->parts[at],
		(rate->n - at) * sizeof(rate->parts[0]));
	rate->parts[at] =
	    (struct account_part){ .index = index, .amount = amount };
	rate->n++;
}

static void
give_back_parts(struct account_rate *rate, int64_t from, int64_t amount)
{
	for (size_t i = 0; i < rate->n && amount > 0; i++) {
		struct account_part *part = &rate->parts[i];

		if (part->index >= from) {
			int64_t less =
			    part->amount < amount ? part->amount : amount;

			part->amount -= less;
			amount -= less;
		}
	}
}

static void
add_rate(struct account *account, const struct account_entry *entry)
{
	struct account_rate *rate = account_find_rate(account, entry);
	int64_t index = account_part_index(entry->window, entry->at_us);
	int64_t now = account_oldest(account, entry->window) + ACCOUNT_PARTS;

	index = index < now ? index : now;
	if (entry->amount <= 0) {
		if (rate != NULL && entry->amount < 0) {
			give_back_parts(rate, index, -entry->amount);
		}
		return;
	}
	if (index < account_oldest(account, entry->window)) {
		return;
	}
	if (rate == NULL) {
		rate = make_rate(account, entry);
	}
	add_part(account, rate, index, entry->amount);
}

static void
add_budget(struct account *account, const struct account_entry *entry)
{
	struct account_budget *budget = account_find_budget(account, entry);

	if (entry->to_s < entry->from_s ||
	    entry->to_s * 1000000 + ACCOUNT_GRACE_US <= account->seen_us) {
		return; /* over */
	}
	if (budget == NULL) {
		account->budgets = arena_grow(
		    account->arena, account->budgets, account->budgets_n,
		    &account->budgets_cap, sizeof(account->budgets[0]));
		budget = &account->budgets[account->budgets_n++];
		*budget = (struct account_budget){
			.counter = entry->counter,
			.from_s = entry->from_s,
			.to_s = entry->to_s,
		};
	}
	budget->used = account_plus(budget->used, entry->amount);
	if (entry->alert) {
		budget->alerted = entry->amount >= 0;
	}
	account_clamp(account, budget, entry);
}

static void
end_lease(struct account *account, const struct account_entry *entry)
{
	struct account_leases *leases =
	    account_find_leases(account, entry->counter);

	for (size_t i = 0; leases != NULL && i < leases->n; i++) {
		if (leases->items[i].id == entry->lease) {
			leases->items[i] = leases->items[--leases->n];
			break;
		}
	}
	for (size_t i = 0; i < account->claims_n; i++) {
		struct account_claim *claim = &account->claims[i];

		for (size_t j = 0; j < claim->n; j++) {
			if (account_same(&claim->entries[j], entry) &&
			    claim->entries[j].lease == entry->lease) {
				claim->entries[j] = claim->entries[--claim->n];
				break;
			}
		}
	}
}

static void
add_lease(struct account *account, const struct account_entry *entry)
{
	end_lease(account, entry); /* the same call has one only */
	if (entry->amount <= 0 || entry->expires_us <= account->seen_us) {
		return;
	}
	struct account_leases *leases =
	    account_find_leases(account, entry->counter);
	if (leases == NULL) {
		account->leases = arena_grow(
		    account->arena, account->leases, account->leases_n,
		    &account->leases_cap, sizeof(account->leases[0]));
		leases = &account->leases[account->leases_n++];
		*leases = (struct account_leases){ .counter = entry->counter };
	}
	leases->items = arena_grow(account->arena, leases->items, leases->n,
				   &leases->cap, sizeof(leases->items[0]));
	leases->items[leases->n++] =
	    (struct account_lease){ .id = entry->lease,
				    .expires_us = entry->expires_us };
}

void
account_add(struct account *account, const struct account_entry *entry)
{
	switch (entry->kind) {
	case COUNTER_RATE:
		add_rate(account, entry);
		break;
	case COUNTER_BUDGET:
		add_budget(account, entry);
		break;
	case COUNTER_LEASE:
	default:
		add_lease(account, entry);
		break;
	}
}
