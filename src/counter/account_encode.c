#include "counter/account_code.h"

#include <string.h>

#include "base/mapfile.h"

struct keeping {
	struct buf *out;
	int64_t until_us; /* the longest that anything counts */
};

static void
keep(struct keeping *k, int64_t until_us)
{
	if (until_us > k->until_us) {
		k->until_us = until_us;
	}
}

static bool
has_claim(const struct account *account, uint64_t writer)
{
	for (size_t i = 0; i < account->claims_n; i++) {
		if (account->claims[i].writer == writer) {
			return true;
		}
	}
	return false;
}

/* Exact, or an account that is written often would never forget. */
static int64_t
age_ms(const struct account *account, const struct account_writer *w)
{
	return account->seen_us / 1000 - w->at_us / 1000;
}

static bool
writer_counts(const struct account *account, const struct account_writer *w)
{
	return age_ms(account, w) <= ACCOUNT_SIGNED_US / 1000 ||
	       has_claim(account, w->writer);
}

static void
write_writers(struct keeping *k, const struct account *account)
{
	size_t n = 0;

	for (size_t i = 0; i < account->writers_n; i++) {
		n += writer_counts(account, &account->writers[i]);
	}
	pack_u(k->out, n);
	for (size_t i = 0; i < account->writers_n; i++) {
		const struct account_writer *w = &account->writers[i];

		if (writer_counts(account, w)) {
			pack_word(k->out, w->writer);
			pack_u(k->out, w->seq);
			pack_u(k->out,
			       (uint64_t)age_ms(account, w) << 1 | w->counted);
			keep(k, w->at_us + ACCOUNT_SIGNED_US);
		}
	}
}

/* The first of RATE's parts that counts; its number of parts: none. */
static size_t
first_part(const struct account *account, const struct account_rate *rate,
	   size_t *n)
{
	int64_t first =
	    account_part_index(rate->window, account->seen_us) - ACCOUNT_PARTS;
	size_t at = rate->n;

	*n = 0;
	for (size_t i = rate->n; i > 0 && rate->parts[i - 1].index >= first;
	     i--) {
		if (rate->parts[i - 1].amount > 0) {
			at = i - 1;
			(*n)++;
		}
	}
	return at;
}

static void
write_rates(struct keeping *k, const struct account *account)
{
	size_t n = 0, parts_n;

	for (size_t i = 0; i < account->rates_n; i++) {
		n += first_part(account, &account->rates[i], &parts_n) <
		     account->rates[i].n;
	}
	pack_u(k->out, n);
	for (size_t i = 0; i < account->rates_n; i++) {
		const struct account_rate *rate = &account->rates[i];
		size_t at = first_part(account, rate, &parts_n);
		int64_t before =
		    account_part_index(rate->window, account->seen_us) -
		    ACCOUNT_PARTS - 1;

		if (at == rate->n) {
			continue;
		}
		pack_word(k->out, rate->counter);
		pack_u(k->out, (uint64_t)rate->window);
		pack_u(k->out, parts_n);
		for (; at < rate->n; at++) {
			const struct account_part *part = &rate->parts[at];

			if (part->amount > 0) {
				pack_u(k->out,
				       (uint64_t)(part->index - before));
				pack_u(k->out, (uint64_t)part->amount);
				before = part->index;
			}
		}
		keep(k, (before + ACCOUNT_PARTS + 1) *
			    account_part_us(rate->window));
	}
}

static bool
budget_counts(const struct account *account, const struct account_budget *b)
{
	return b->to_s * 1000000 + ACCOUNT_GRACE_US > account->seen_us;
}

static void
write_budgets(struct keeping *k, const struct account *account)
{
	size_t n = 0;

	for (size_t i = 0; i < account->budgets_n; i++) {
		n += budget_counts(account, &account->budgets[i]);
	}
	pack_u(k->out, n);
	for (size_t i = 0; i < account->budgets_n; i++) {
		const struct account_budget *b = &account->budgets[i];

		if (budget_counts(account, b)) {
			pack_word(k->out, b->counter);
			pack_i(k->out, b->from_s);
			pack_u(k->out, (uint64_t)(b->to_s - b->from_s) << 1 |
					   b->alerted);
			pack_i(k->out, b->used);
			keep(k, b->to_s * 1000000 + ACCOUNT_GRACE_US);
		}
	}
}

static size_t
open_n(const struct account *account, const struct account_leases *leases)
{
	size_t n = 0;

	for (size_t i = 0; i < leases->n; i++) {
		n += leases->items[i].expires_us > account->seen_us;
	}
	return n;
}

static void
write_open(struct keeping *k, const struct account *account,
	   const struct account_leases *leases)
{
	int64_t before = account->seen_us;

	for (size_t i = 0; i < leases->n; i++) {
		const struct account_lease *lease = &leases->items[i];

		if (lease->expires_us > account->seen_us) {
			pack_word(k->out, lease->id);
			pack_i(k->out, lease->expires_us - before);
			before = lease->expires_us;
			keep(k, lease->expires_us);
		}
	}
}

static void
write_leases(struct keeping *k, const struct account *account)
{
	size_t n = 0;

	for (size_t i = 0; i < account->leases_n; i++) {
		n += open_n(account, &account->leases[i]) > 0;
	}
	pack_u(k->out, n);
	for (size_t i = 0; i < account->leases_n; i++) {
		const struct account_leases *leases = &account->leases[i];

		n = open_n(account, leases);
		if (n > 0) {
			pack_word(k->out, leases->counter);
			pack_u(k->out, n);
			write_open(k, account, leases);
		}
	}
}

static void
write_entry(struct keeping *k, const struct account *account,
	    const struct account_entry *entry)
{
	pack_u(k->out, (uint64_t)entry->kind << 4 |
			   (uint64_t)entry->window << 1 | entry->alert);
	pack_word(k->out, entry->counter);
	pack_u(k->out, (uint64_t)entry->amount);
	switch (entry->kind) {
	case COUNTER_RATE:
		pack_i(k->out, entry->at_us - account->seen_us);
		keep(k, entry->at_us + window_length_us(entry->window) +
			    account_part_us(entry->window));
		break;
	case COUNTER_BUDGET:
		pack_i(k->out, entry->from_s);
		pack_u(k->out, (uint64_t)(entry->to_s - entry->from_s));
		keep(k, entry->to_s * 1000000 + ACCOUNT_GRACE_US);
		break;
	case COUNTER_LEASE:
	default:
		pack_word(k->out, entry->lease);
		pack_i(k->out, entry->expires_us - account->seen_us);
		keep(k, entry->expires_us);
	}
}

static void
write_claims(struct keeping *k, const struct account *account)
{
	pack_u(k->out, account->claims_n);
	for (size_t i = 0; i < account->claims_n; i++) {
		const struct account_claim *claim = &account->claims[i];

		pack_word(k->out, claim->writer);
		pack_u(k->out, claim->seq);
		pack_i(k->out, claim->deadline_us - account->seen_us);
		pack_u(k->out, claim->n);
		for (size_t j = 0; j < claim->n; j++) {
			write_entry(k, account, &claim->entries[j]);
		}
		keep(k, claim->deadline_us);
	}
}

static void
put_sum(char *at, uint32_t sum)
{
	for (int i = 0; i < ACCOUNT_SUM_BYTES; i++) {
		at[i] = (char)(unsigned char)(sum >> (8 * i));
	}
}

int64_t
account_encode(const struct account *account, struct buf *out)
{
	struct keeping k = { .out = out, .until_us = account->seen_us };
	size_t start = out->len;

	memset(buf_room(out, ACCOUNT_HEAD_BYTES), ACCOUNT_VERSION,
	       ACCOUNT_HEAD_BYTES);
	buf_grown(out, ACCOUNT_HEAD_BYTES);
	pack_i(out, account->seen_us);
	write_writers(&k, account);
	write_rates(&k, account);
	write_budgets(&k, account);
	write_leases(&k, account);
	write_claims(&k, account);
	char *head = out->data + start;
	put_sum(head + 1, mapfile_hash(MAPFILE_HASH, head + ACCOUNT_HEAD_BYTES,
				       out->len - start - ACCOUNT_HEAD_BYTES));
	return k.until_us / 1000000 + 1 + ACCOUNT_MARGIN_S;
}
