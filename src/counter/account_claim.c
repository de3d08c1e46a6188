/* account_claim: what an account knows of its writers, and their claims. */
#include "counter/account.h"

#include <string.h>

#include "counter/account_find.h"

static struct account_writer *
find_writer(const struct account *account, uint64_t writer)
{
	for (size_t i = 0; i < account->writers_n; i++) {
		if (account->writers[i].writer == writer) {
			return &account->writers[i];
		}
	}
	return NULL;
}

const struct account_writer *
account_signed(const struct account *account, uint64_t writer)
{
	return find_writer(account, writer);
}

void
account_sign(struct account *account, uint64_t writer, uint64_t seq,
	     bool counted)
{
	struct account_writer *at = find_writer(account, writer);

	if (at == NULL) {
		account->writers = arena_grow(
		    account->arena, account->writers, account->writers_n,
		    &account->writers_cap, sizeof(account->writers[0]));
		at = &account->writers[account->writers_n++];
	}
	*at = (struct account_writer){ .writer = writer,
				       .seq = seq,
				       .at_us = account->seen_us,
				       .counted = counted };
}

struct account_claim *
account_claim(struct account *account, uint64_t writer, uint64_t seq,
	      int64_t deadline_us, size_t n)
{
	account->claims =
	    arena_grow(account->arena, account->claims, account->claims_n,
		       &account->claims_cap, sizeof(account->claims[0]));
	struct account_claim *claim = &account->claims[account->claims_n++];
	*claim = (struct account_claim){
		.writer = writer,
		.seq = seq,
		.deadline_us = deadline_us,
		.entries =
		    arena_array(account->arena, n, sizeof(claim->entries[0])),
		.n = n,
	};
	return claim;
}

/* Forget the claim at I, in order. */
static void
drop(struct account *account, size_t i)
{
	account->claims_n--;
	memmove(&account->claims[i], &account->claims[i + 1],
		(account->claims_n - i) * sizeof(account->claims[0]));
}

bool
account_withdraw(struct account *account, uint64_t writer, uint64_t seq)
{
	for (size_t i = 0; i < account->claims_n; i++) {
		const struct account_claim claim = account->claims[i];

		if (claim.writer != writer || claim.seq < seq) {
			continue;
		}
		drop(account, i);
		for (size_t j = 0; j < claim.n; j++) {
			struct account_budget *budget =
			    claim.entries[j].kind == COUNTER_BUDGET
				? account_find_budget(account,
						      &claim.entries[j])
				: NULL;

			if (budget != NULL) {
				account_clamp(account, budget,
					      &claim.entries[j]);
			}
		}
		return true;
	}
	return false;
}

void
account_settle(struct account *account)
{
	for (size_t i = 0; i < account->claims_n;) {
		const struct account_claim claim = account->claims[i];

		if (!account_stands(account, &claim)) {
			i++;
			continue;
		}
		drop(account, i);
		for (size_t j = 0; j < claim.n; j++) {
			account_add(account, &claim.entries[j]);
		}
	}
}
