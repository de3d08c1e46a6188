/*
 * fuzz_account: what is kept of counters, as an account, a reservation or the
 * ledger's column, by the first byte.
 *
 * Any bytes are refused, or what was read is written as bytes that read the
 * same; counting in an account that came from anywhere stays within bounds.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mapfile.h"
#include "counter/account_code.h"
#include "counter/reservation.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Whatever is in it, it can be asked, counted in, settled and written. */
static void
count_in(struct account *account)
{
	struct account_entry entries[] = {
		{ .counter = 1, .kind = COUNTER_RATE, .amount = 3 },
		{ .counter = 2, .kind = COUNTER_BUDGET, .amount = 4 },
		{ .counter = 3, .kind = COUNTER_LEASE, .amount = 1 },
	};
	struct buf out = { 0 };
	struct account again;

	if (account->rates_n > 0) {
		entries[0].counter = account->rates[0].counter;
		entries[0].window = account->rates[0].window;
	}
	if (account->budgets_n > 0) {
		entries[1].counter = account->budgets[0].counter;
		entries[1].from_s = account->budgets[0].from_s;
		entries[1].to_s = account->budgets[0].to_s;
	}
	if (account->claims_n > 0 && account->claims[0].n > 0) {
		entries[2] = account->claims[0].entries[0];
	}
	account_see(account, 1795435200000000);
	for (int i = 0; i < 3; i++) {
		entries[i].at_us = account->seen_us;
		int64_t used = account_used(account, &entries[i], true);

		assert(used >= 0);
		assert(account_used(account, &entries[i], false) <= used ||
		       entries[i].kind == COUNTER_BUDGET);
		(void)account_alerted(account, &entries[i]);
		(void)account_reset_us(account, &entries[i]);
		(void)account_room_us(account, &entries[i], used / 2);
		account_add(account, &entries[i]);
	}
	account_settle(account);
	account_sign(account, 7, 8, true);
	(void)account_encode(account, &out);
	enum status status =
	    account_decode(out.data, out.len, account->arena, &again, NULL);
	assert(status == STATUS_OK);
	buf_fini(&out);
}

/* The bytes as they are, or behind a head that fits them. */
static void
read_account(const uint8_t *data, size_t n, struct arena *arena)
{
	struct account account;
	struct err err = { 0 };
	struct buf out = { 0 };

	enum status status = account_decode(data, n, arena, &account, &err);
	if (status != STATUS_OK) {
		assert(status == STATUS_CORRUPT || status == STATUS_CONFLICT);
		assert(err.text[0] != '\0');
		return;
	}
	(void)account_encode(&account, &out);
	struct account again;
	status = account_decode(out.data, out.len, arena, &again, &err);
	assert(status == STATUS_OK);
	/* what did not count any more is gone, the rest stays */
	struct buf same = { 0 };
	(void)account_encode(&again, &same);
	assert(same.len == out.len &&
	       memcmp(same.data, out.data, out.len) == 0);
	buf_fini(&same);
	buf_fini(&out);
	count_in(&account);
}

static void
with_head(const uint8_t *data, size_t n, struct arena *arena)
{
	uint8_t *bytes = malloc(n + ACCOUNT_HEAD_BYTES);
	uint32_t sum = mapfile_hash(MAPFILE_HASH, data, n);

	assert(bytes != NULL);
	bytes[0] = ACCOUNT_VERSION;
	for (int i = 0; i < ACCOUNT_SUM_BYTES; i++) {
		bytes[1 + i] = (uint8_t)(sum >> (8 * i));
	}
	if (n > 0) {
		memcpy(bytes + ACCOUNT_HEAD_BYTES, data, n);
	}
	read_account(bytes, n + ACCOUNT_HEAD_BYTES, arena);
	free(bytes);
}

static void
read_reservation(const uint8_t *data, size_t n, struct arena *arena)
{
	struct reservation r, again;
	struct err err = { 0 };
	struct buf out = { 0 }, same = { 0 };

	enum status status = reservation_decode(data, n, arena, &r, &err);
	if (status != STATUS_OK) {
		assert(status == STATUS_CORRUPT || status == STATUS_CONFLICT);
		assert(err.text[0] != '\0');
		return;
	}
	reservation_encode(&r, &out);
	status = reservation_decode(out.data, out.len, arena, &again, &err);
	assert(status == STATUS_OK);
	reservation_encode(&again, &same);
	assert(same.len == out.len &&
	       memcmp(same.data, out.data, out.len) == 0);
	buf_fini(&out);
	buf_fini(&same);
}

static void
read_charges(const uint8_t *data, size_t n, struct arena *arena)
{
	struct counter_entry *entries = NULL;
	struct err err = { 0 };
	struct buf out = { 0 }, same = { 0 };
	char *text = input_text(data, n);
	size_t entries_n = 0;

	enum status status =
	    reservation_charges_parse(text, arena, &entries, &entries_n, &err);
	free(text);
	if (status != STATUS_OK) {
		assert(status == STATUS_CORRUPT && err.text[0] != '\0');
		return;
	}
	reservation_charges(entries, entries_n, &out);
	status = reservation_charges_parse(buf_text(&out), arena, &entries,
					   &entries_n, &err);
	assert(status == STATUS_OK);
	reservation_charges(entries, entries_n, &same);
	assert(strcmp(buf_text(&out), buf_text(&same)) == 0);
	buf_fini(&out);
	buf_fini(&same);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const readers[])(const uint8_t *, size_t,
				       struct arena *) = {
		read_account, with_head, read_reservation, read_charges
	};

	if (n == 0) {
		return 0;
	}
	struct arena *arena = arena_new(4096);
	readers[data[0] % 4](data + 1, n - 1, arena);
	arena_free(arena);
	return 0;
}
