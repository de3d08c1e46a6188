#include "counter/reservation.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counter/pack.h"

enum {
	FORM_VERSION = 1,
	SUBJECT_BYTES = sizeof(struct counter_subject),
	WORDS = 7, /* integers of an entry in usage.charges */
	KIND_STEP = 64,
	UNIT_STEP = 8,
	/* in usage.charges alone */
	ALERT_STEP = 512,
	EPOCH_STEP = 1024
};

/* Times of entries, in seconds: nobody multiplies them over the edge. */
#define MOST_S (INT64_C(1) << 38)

static const enum counter_unit units_n = COUNTER_CALLS + 1;
static const enum counter_kind kinds_n = COUNTER_LEASE + 1;

/* The texts, in the order in which they are written. */
enum { TEXTS = 11 };

static void
texts_of(struct reservation *r, const char **out[TEXTS])
{
	const char **const all[TEXTS] = {
		&r->key_id,	 &r->user_id,	      &r->user_tier,
		&r->team_id,	 &r->organization_id, &r->api_key_id,
		&r->environment, &r->original_model,  &r->original_vendor,
		&r->model_id,	 &r->vendor_id,
	};

	memcpy(out, all, sizeof(all));
}

/* ---- the note */

static uint64_t
code_of(const struct counter_entry *entry)
{
	return (uint64_t)entry->kind * KIND_STEP +
	       (uint64_t)entry->unit * UNIT_STEP + (uint64_t)entry->window;
}

static void
write_entry(struct buf *out, const struct counter_entry *entry)
{
	buf_add(out, entry->subject.bytes, SUBJECT_BYTES);
	pack_word(out, entry->counter);
	pack_u(out, code_of(entry));
	pack_i(out, entry->from_s);
	pack_i(out, entry->to_s);
	pack_i(out, entry->amount);
}

void
reservation_encode(const struct reservation *r, struct buf *out)
{
	struct reservation copy = *r;
	const char **texts[TEXTS];

	texts_of(&copy, texts);
	pack_u(out, FORM_VERSION);
	pack_u(out, (uint64_t)r->state);
	buf_add(out, r->evaluation_id, UUID_TEXT_BYTES);
	for (int i = 0; i < TEXTS; i++) {
		pack_text(out, *texts[i]);
	}
	pack_u(out, (uint64_t)r->decision);
	pack_i(out, r->made_us);
	pack_i(out, r->expires_us);
	pack_i(out, r->cost_nanousd);
	pack_i(out, r->tokens);
	pack_u(out, r->entries_n);
	for (size_t i = 0; i < r->entries_n; i++) {
		write_entry(out, &r->entries[i]);
	}
	buf_add(out, r->report_id, UUID_TEXT_BYTES);
	buf_add(out, r->report, RESERVATION_DIGEST_BYTES);
	pack_i(out, r->settled_us);
	pack_i(out, r->settled_nanousd);
	pack_i(out, r->settled_tokens);
}

/* A UUID's text, or none at all. */
static void
read_id(struct unpack *in, char out[UUID_TEXT_BYTES])
{
	const unsigned char *bytes = unpack_bytes(in, UUID_TEXT_BYTES);

	if (bytes == NULL) {
		return;
	}
	memcpy(out, bytes, UUID_TEXT_BYTES);
	in->bad = out[UUID_TEXT_BYTES - 1] != '\0' ||
		  (out[0] != '\0' && !uuid_valid(out));
}

/* False: CODE is of no counter. */
static bool
decode(uint64_t code, struct counter_entry *entry)
{
	if (code >= (uint64_t)kinds_n * KIND_STEP ||
	    code % KIND_STEP / UNIT_STEP >= (uint64_t)units_n ||
	    code % UNIT_STEP >= WINDOW_N) {
		return false;
	}
	entry->kind = (enum counter_kind)(code / KIND_STEP);
	entry->unit = (enum counter_unit)(code % KIND_STEP / UNIT_STEP);
	entry->window = (enum window_unit)(code % UNIT_STEP);
	return entry->kind != COUNTER_RATE || entry->window <= WINDOW_DAY;
}

static void
read_entry(struct unpack *in, struct counter_entry *entry)
{
	const unsigned char *subject = unpack_bytes(in, SUBJECT_BYTES);

	if (subject != NULL) {
		memcpy(entry->subject.bytes, subject, SUBJECT_BYTES);
	}
	entry->counter = unpack_word(in);
	in->bad = !decode(unpack_u(in), entry) || in->bad;
	entry->from_s = unpack_within(in, MOST_S);
	entry->to_s = unpack_within(in, MOST_S);
	entry->amount = unpack_i(in);
}

static void
read_entries(struct unpack *in, struct arena *arena, struct reservation *r)
{
	size_t n = unpack_n(in, SUBJECT_BYTES + sizeof(uint64_t) + 4);
	struct counter_entry *entries =
	    arena_array(arena, n, sizeof(entries[0]));

	for (size_t i = 0; i < n && !in->bad; i++) {
		read_entry(in, &entries[i]);
	}
	r->entries = entries;
	r->entries_n = n;
}

static void
read_rest(struct unpack *in, struct arena *arena, struct reservation *r)
{
	r->decision = (enum action)unpack_below(in, ACTION_N);
	r->made_us = unpack_i(in);
	r->expires_us = unpack_i(in);
	r->cost_nanousd = unpack_i(in);
	r->tokens = unpack_i(in);
	read_entries(in, arena, r);
	read_id(in, r->report_id);
	const unsigned char *report =
	    unpack_bytes(in, RESERVATION_DIGEST_BYTES);
	if (report != NULL) {
		memcpy(r->report, report, RESERVATION_DIGEST_BYTES);
	}
	r->settled_us = unpack_i(in);
	r->settled_nanousd = unpack_i(in);
	r->settled_tokens = unpack_i(in);
}

enum status
reservation_decode(const void *bytes, size_t n, struct arena *arena,
		   struct reservation *out, struct err *err)
{
	struct unpack in = { .at = bytes,
			     .end = (const unsigned char *)bytes + n };
	struct reservation r = { .key_id = NULL };
	const char **texts[TEXTS];
	uint64_t version = unpack_u(&in);

	if (!in.bad && version != FORM_VERSION) {
		return err_set(err, STATUS_CONFLICT,
			       "a reservation is of version %" PRIu64
			       ", not %d",
			       version, FORM_VERSION);
	}
	texts_of(&r, texts);
	r.state =
	    (enum reservation_state)unpack_below(&in, RESERVATION_REFUSED + 1);
	read_id(&in, r.evaluation_id);
	for (int i = 0; i < TEXTS; i++) {
		*texts[i] = unpack_text(&in, arena);
	}
	read_rest(&in, arena, &r);
	if (in.bad || in.at != in.end) {
		return err_set(err, STATUS_CORRUPT, "a reservation is damaged");
	}
	*out = r;
	return STATUS_OK;
}

/* ---- the column of the ledger */

static int64_t
half(const unsigned char *bytes)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++) {
		n = n << 8 | bytes[i];
	}
	return (int64_t)n;
}

static void
put_half(unsigned char *bytes, int64_t half)
{
	for (int i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)((uint64_t)half >> (8 * (7 - i)));
	}
}

void
reservation_charges(const struct counter_entry *entries, size_t n,
		    struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < n; i++) {
		const struct counter_entry *e = &entries[i];
		const int64_t words[WORDS] = {
			half(e->subject.bytes),
			half(e->subject.bytes + 8),
			(int64_t)e->counter,
			(int64_t)(e->counted_epoch * EPOCH_STEP +
				  e->alert * ALERT_STEP + code_of(e)),
			e->from_s,
			e->to_s,
			e->amount,
		};

		for (int k = 0; k < WORDS; k++) {
			if (i > 0 || k > 0) {
				buf_addc(out, ',');
			}
			buf_addi(out, words[k]);
		}
	}
	buf_addc(out, '}');
}

/* The integer at *AT and what follows it, which is END or a comma. */
static bool
read_word(const char **at, int64_t *out)
{
	char *end;

	errno = 0;
	/* strtoll would skip blanks and take a plus sign */
	if (**at != '-' && (**at < '0' || **at > '9')) {
		return false;
	}
	*out = strtoll(*at, &end, 10);
	if (errno != 0 || end == *at || (*end != ',' && *end != '}')) {
		return false;
	}
	*at = end + 1;
	return true;
}

static bool
read_words(const char **at, struct counter_entry *entry)
{
	int64_t words[WORDS];

	for (int k = 0; k < WORDS; k++) {
		if (!read_word(at, &words[k]) ||
		    ((*at)[-1] == '}') > (k == WORDS - 1)) {
			return false;
		}
	}
	*entry = (struct counter_entry){ .counter = (uint64_t)words[2],
					 .from_s = words[4],
					 .to_s = words[5],
					 .amount = words[6] };
	put_half(entry->subject.bytes, words[0]);
	put_half(entry->subject.bytes + 8, words[1]);
	entry->counted_epoch = (uint64_t)words[3] / EPOCH_STEP;
	entry->alert = (words[3] & ALERT_STEP) != 0;
	return words[3] >= 0 &&
	       decode((uint64_t)words[3] % ALERT_STEP, entry) &&
	       (!entry->alert || entry->kind == COUNTER_BUDGET) &&
	       entry->from_s >= -MOST_S && entry->from_s <= MOST_S &&
	       entry->to_s >= -MOST_S && entry->to_s <= MOST_S;
}

enum status
reservation_charges_parse(const char *text, struct arena *arena,
			  struct counter_entry **out, size_t *n,
			  struct err *err)
{
	struct counter_entry *entries = NULL;
	const char *at = text;
	size_t entries_n = 0, cap = 0;

	if (strcmp(text, "{}") == 0) {
		*out = NULL;
		*n = 0;
		return STATUS_OK;
	}
	bool good = *at == '{';
	at += good;
	do {
		struct counter_entry entry;

		good = good && read_words(&at, &entry);
		if (good) {
			entries = arena_grow(arena, entries, entries_n, &cap,
					     sizeof(entries[0]));
			entries[entries_n++] = entry;
		}
	} while (good && at[-1] == ',');
	if (!good || *at != '\0') {
		return err_set(err, STATUS_CORRUPT,
			       "usage.charges is not as it was written");
	}
	*out = entries;
	*n = entries_n;
	return STATUS_OK;
}
