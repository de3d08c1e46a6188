#include "counter/account_code.h"

#include "base/mapfile.h"

/* Times are not further than that from 1970, so that whatever of them is
 * written as a distance is read again. */
#define MOST_US (INT64_C(1) << 57)
#define MOST_S (INT64_C(1) << 38)

/* A time that is kept as its distance from SINCE_US. */
static int64_t
read_time(struct unpack *in, int64_t since_us)
{
	int64_t us = since_us + unpack_within(in, 2 * MOST_US);

	in->bad = in->bad || us > MOST_US || us < -MOST_US;
	return us;
}

static void
read_writers(struct unpack *in, struct account *account)
{
	size_t n = unpack_n(in, 10);

	account->writers =
	    arena_array(account->arena, n + 1, sizeof(account->writers[0]));
	account->writers_cap = n + 1;
	for (size_t i = 0; i < n && !in->bad; i++) {
		struct account_writer *w = &account->writers[i];

		w->writer = unpack_word(in);
		w->seq = unpack_u(in);
		uint64_t age = unpack_below(in, (uint64_t)MOST_US / 100);
		w->at_us =
		    (account->seen_us / 1000 - (int64_t)(age >> 1)) * 1000;
		in->bad = in->bad || w->at_us < -MOST_US;
		w->counted = (age & 1) != 0;
		account->writers_n++;
	}
}

static enum window_unit
check_rolling(struct unpack *in, uint64_t window)
{
	if (window > WINDOW_DAY) {
		in->bad = true;
		return WINDOW_MINUTE;
	}
	return (enum window_unit)window;
}

static void
read_parts(struct unpack *in, struct account *account,
	   struct account_rate *rate)
{
	int64_t now = account_part_index(rate->window, account->seen_us);
	int64_t index = now - ACCOUNT_PARTS - 1;

	rate->n = unpack_n(in, 2);
	if (rate->n > ACCOUNT_PARTS + 1) {
		in->bad = true;
		return;
	}
	rate->cap = rate->n + 1;
	rate->parts =
	    arena_array(account->arena, rate->cap, sizeof(rate->parts[0]));
	for (size_t i = 0; i < rate->n && !in->bad; i++) {
		uint64_t step = unpack_below(in, ACCOUNT_PARTS + 2);
		uint64_t amount = unpack_u(in);

		index += (int64_t)step;
		rate->parts[i] =
		    (struct account_part){ .index = index,
					   .amount = (int64_t)amount };
		in->bad = in->bad || step == 0 || index > now || amount == 0 ||
			  amount > INT64_MAX;
	}
}

static void
read_rates(struct unpack *in, struct account *account)
{
	size_t n = unpack_n(in, 10);

	account->rates_cap = n + 1;
	account->rates = arena_array(account->arena, account->rates_cap,
				     sizeof(account->rates[0]));
	for (size_t i = 0; i < n && !in->bad; i++) {
		struct account_rate *rate = &account->rates[i];

		rate->counter = unpack_word(in);
		rate->window = check_rolling(in, unpack_u(in));
		read_parts(in, account, rate);
		account->rates_n++;
	}
}

static void
read_budgets(struct unpack *in, struct account *account)
{
	size_t n = unpack_n(in, 11);

	account->budgets_cap = n + 1;
	account->budgets = arena_array(account->arena, account->budgets_cap,
				       sizeof(account->budgets[0]));
	for (size_t i = 0; i < n && !in->bad; i++) {
		struct account_budget *b = &account->budgets[i];

		b->counter = unpack_word(in);
		b->from_s = unpack_within(in, MOST_S);
		uint64_t length = unpack_below(in, (uint64_t)MOST_S * 2);
		b->to_s = b->from_s + (int64_t)(length >> 1);
		b->alerted = (length & 1) != 0;
		b->used = unpack_i(in);
		account->budgets_n++;
	}
}

static void
read_leases(struct unpack *in, struct account *account)
{
	size_t n = unpack_n(in, 9);

	account->leases_cap = n + 1;
	account->leases = arena_array(account->arena, account->leases_cap,
				      sizeof(account->leases[0]));
	for (size_t i = 0; i < n && !in->bad; i++) {
		struct account_leases *leases = &account->leases[i];
		int64_t before = account->seen_us;

		leases->counter = unpack_word(in);
		size_t items_n = unpack_n(in, 9);
		leases->cap = items_n + 1;
		leases->items = arena_array(account->arena, leases->cap,
					    sizeof(leases->items[0]));
		for (size_t j = 0; j < items_n && !in->bad; j++) {
			leases->items[j].id = unpack_word(in);
			before = read_time(in, before);
			leases->items[j].expires_us = before;
			leases->n++;
		}
		account->leases_n++;
	}
}

static void
read_entry(struct unpack *in, const struct account *account,
	   struct account_entry *entry)
{
	uint64_t head = unpack_below(in, (COUNTER_LEASE + 1) << 4);

	entry->kind = (enum counter_kind)(head >> 4);
	entry->window = (enum window_unit)(head >> 1 & 7);
	in->bad = in->bad || entry->window >= WINDOW_N;
	entry->alert = (head & 1) != 0;
	entry->counter = unpack_word(in);
	entry->amount = (int64_t)unpack_below(in, (uint64_t)INT64_MAX);
	switch (entry->kind) {
	case COUNTER_RATE:
		entry->window = check_rolling(in, entry->window);
		entry->at_us = read_time(in, account->seen_us);
		break;
	case COUNTER_BUDGET:
		entry->from_s = unpack_within(in, MOST_S);
		entry->to_s =
		    entry->from_s + (int64_t)unpack_below(in, (uint64_t)MOST_S);
		break;
	case COUNTER_LEASE:
	default:
		entry->lease = unpack_word(in);
		entry->expires_us = read_time(in, account->seen_us);
	}
}

static void
read_claims(struct unpack *in, struct account *account)
{
	size_t n = unpack_n(in, 11);

	account->claims_cap = n + 1;
	account->claims = arena_array(account->arena, account->claims_cap,
				      sizeof(account->claims[0]));
	for (size_t i = 0; i < n && !in->bad; i++) {
		struct account_claim *claim = &account->claims[i];

		claim->writer = unpack_word(in);
		claim->seq = unpack_u(in);
		claim->deadline_us = read_time(in, account->seen_us);
		size_t entries_n = unpack_n(in, 11);
		claim->entries = arena_array(account->arena, entries_n + 1,
					     sizeof(claim->entries[0]));
		for (size_t j = 0; j < entries_n && !in->bad; j++) {
			read_entry(in, account, &claim->entries[j]);
			claim->n++;
		}
		account->claims_n++;
	}
}

static uint32_t
get_sum(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

enum status
account_decode(const void *bytes, size_t n, struct arena *arena,
	       struct account *out, struct err *err)
{
	const unsigned char *at = bytes;
	struct account account;

	if (n < ACCOUNT_HEAD_BYTES) {
		return err_set(err, STATUS_CORRUPT, "an account is too short");
	}
	if (at[0] != ACCOUNT_VERSION) {
		return err_set(err, STATUS_CONFLICT,
			       "an account is of version %d, not %d", at[0],
			       ACCOUNT_VERSION);
	}
	if (get_sum(at + 1) != mapfile_hash(MAPFILE_HASH,
					    at + ACCOUNT_HEAD_BYTES,
					    n - ACCOUNT_HEAD_BYTES)) {
		return err_set(err, STATUS_CORRUPT, "an account is damaged");
	}
	struct unpack in = { .at = at + ACCOUNT_HEAD_BYTES, .end = at + n };
	account_begin(&account, arena);
	account.seen_us = read_time(&in, 0);
	read_writers(&in, &account);
	read_rates(&in, &account);
	read_budgets(&in, &account);
	read_leases(&in, &account);
	read_claims(&in, &account);
	if (in.bad || in.at != in.end) {
		return err_set(err, STATUS_CORRUPT,
			       "an account makes no sense");
	}
	*out = account;
	return STATUS_OK;
}
