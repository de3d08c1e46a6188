/*
 * account_find: finding one's way in an account, for its own files.
 */
#ifndef COUNTER_ACCOUNT_FIND_H
#define COUNTER_ACCOUNT_FIND_H

#include "counter/account.h"

/* The sum, at the edge instead of past it: amounts are bounded by the tables,
 * sums of them are not. */
int64_t account_plus(int64_t a, int64_t b);

/* The oldest part of WINDOW that counts now. */
int64_t account_oldest(const struct account *account, enum window_unit window);

/* ENTRY's counter, or NULL. */
struct account_rate *account_find_rate(const struct account *account,
				       const struct account_entry *entry);
struct account_budget *account_find_budget(const struct account *account,
					   const struct account_entry *entry);
struct account_leases *account_find_leases(const struct account *account,
					   uint64_t counter);

/* Are both the same counter, in the same window where it is a budget? */
bool account_same(const struct account_entry *a, const struct account_entry *b);

bool account_stands(const struct account *account,
		    const struct account_claim *claim);

/* Does a claim's ENTRY still count? */
bool account_counts(const struct account *account,
		    const struct account_entry *entry);

/* What claims hold of ENTRY's counter; ALL: also those that do not stand. */
int64_t account_claimed(const struct account *account,
			const struct account_entry *entry, bool all);

/* What claims hold may be given back as well as what the sum holds, and no
 * more. */
void account_clamp(const struct account *account, struct account_budget *budget,
		   const struct account_entry *entry);

#endif /* COUNTER_ACCOUNT_FIND_H */
