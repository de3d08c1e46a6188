/* account_room: when what an account holds comes back. */
#include "counter/account.h"
#include "counter/account_find.h"

/* What leaves at a time. */
struct leaving {
	int64_t at_us, amount;
};

typedef void leaving_fn(void *arg, struct leaving one);

static int64_t
part_leaves_us(const struct account_entry *entry, int64_t index)
{
	return (index + ACCOUNT_PARTS + 1) * account_part_us(entry->window);
}

static void
each_part(const struct account *account, const struct account_entry *entry,
	  leaving_fn *fn, void *arg)
{
	const struct account_rate *rate = account_find_rate(account, entry);
	int64_t first = account_oldest(account, entry->window);

	for (size_t i = 0; rate != NULL && i < rate->n; i++) {
		const struct account_part *part = &rate->parts[i];

		if (part->index >= first && part->amount > 0) {
			fn(arg,
			   (struct leaving){ part_leaves_us(entry, part->index),
					     part->amount });
		}
	}
}

static void
each_lease(const struct account *account, const struct account_entry *entry,
	   leaving_fn *fn, void *arg)
{
	const struct account_leases *leases =
	    account_find_leases(account, entry->counter);

	for (size_t i = 0; leases != NULL && i < leases->n; i++) {
		if (leases->items[i].expires_us > account->seen_us) {
			fn(arg,
			   (struct leaving){ leases->items[i].expires_us, 1 });
		}
	}
}

static void
each_claimed(const struct account *account, const struct account_entry *entry,
	     leaving_fn *fn, void *arg)
{
	for (size_t i = 0; i < account->claims_n; i++) {
		const struct account_claim *claim = &account->claims[i];

		for (size_t j = 0; j < claim->n; j++) {
			const struct account_entry *one = &claim->entries[j];

			if (account_same(one, entry) &&
			    account_counts(account, one)) {
				fn(arg, (struct leaving){
					    one->kind == COUNTER_LEASE
						? one->expires_us
						: part_leaves_us(
						      one, account_part_index(
							       one->window,
							       one->at_us)),
					    one->amount });
			}
		}
	}
}

/* FN for all that leaves ENTRY's counter, a RATE or a LEASE. */
static void
each(const struct account *account, const struct account_entry *entry,
     leaving_fn *fn, void *arg)
{
	if (entry->kind == COUNTER_RATE) {
		each_part(account, entry, fn, arg);
	} else {
		each_lease(account, entry, fn, arg);
	}
	each_claimed(account, entry, fn, arg);
}

static void
find_first(void *arg, struct leaving one)
{
	int64_t *first_us = arg;

	*first_us = one.at_us < *first_us ? one.at_us : *first_us;
}

int64_t
account_reset_us(const struct account *account,
		 const struct account_entry *entry)
{
	int64_t first_us = INT64_MAX;

	if (entry->kind != COUNTER_BUDGET) {
		each(account, entry, find_first, &first_us);
	} else if (account_used(account, entry, true) > 0) {
		first_us = entry->to_s * 1000000;
	}
	return first_us == INT64_MAX ? account->seen_us : first_us;
}

/* A list in the order of time. */
struct order {
	struct arena *arena;
	struct leaving *all; /* [n] */
	size_t n, cap;
};

static void
insert(void *arg, struct leaving one)
{
	struct order *o = arg;
	size_t at = o->n;

	o->all = arena_grow(o->arena, o->all, o->n, &o->cap, sizeof(one));
	/* nearly always the last */
	for (; at > 0 && o->all[at - 1].at_us > one.at_us; at--) {
		o->all[at] = o->all[at - 1];
	}
	o->all[at] = one;
	o->n++;
}

int64_t
account_room_us(const struct account *account,
		const struct account_entry *entry, int64_t most)
{
	struct order order = { .arena = account->arena };
	int64_t used = account_used(account, entry, true);

	if (most < 0) {
		return INT64_MAX;
	}
	if (used <= most) {
		return account->seen_us;
	}
	if (entry->kind == COUNTER_BUDGET) {
		return entry->to_s * 1000000;
	}
	each(account, entry, insert, &order);
	for (size_t i = 0; i < order.n; i++) {
		used -= order.all[i].amount;
		if (used <= most) {
			return order.all[i].at_us;
		}
	}
	return INT64_MAX;
}
