/* take_write: the accounts of a call, as it makes them. */
#include "counter/take.h"

#include "base/metric.h"

static void
begin(struct take *t)
{
	struct journal_slot *slot = t->worker->slot;

	if (t->begun) {
		return;
	}
	t->begun = true;
	counter_worker_begin(t->worker, JOURNAL_TAKING, t->call->evaluation_id,
			     t->call->now_us, t->store->epoch);
	for (size_t i = 0; i < t->n; i++) {
		slot->entries[i] =
		    counter_worker_entry(t->call, &t->charges[i],
					 &t->places[t->place_of[i]].subject);
		slot->entries_n++;
	}
}

/* What place P is about to count, into the journal. */
static void
note_bits(struct take *t, const struct place *p)
{
	struct journal_slot *slot = t->worker->slot;
	uint64_t taken = 0, alerts = 0;

	for (size_t k = 0; k < p->claim.n; k++) {
		size_t i = p->claim.which[k];

		taken |= (uint64_t)t->out[i].taken << i;
		alerts |= (uint64_t)t->out[i].alert << i;
	}
	slot->alerts = (slot->alerts & ~p->bits) | alerts;
	slot->taken = (slot->taken & ~p->bits) | taken;
}

/* The account as it will be; FENCE: signed, and nothing else. */
static void
fill(struct take *t, struct place *p, struct counter_item *item, bool fence,
     bool claimed)
{
	struct journal_slot *slot = t->worker->slot;
	struct buf *values = &t->worker->values;
	size_t start = values->len;

	counter_worker_mark(t->worker, &p->account);
	account_settle(&p->account);
	if (!fence) {
		note_bits(t, p);
		p->seq = slot->seq;
		p->claimed = claimed;
	}
	if (!fence && claimed) {
		claim_open(&p->claim, &p->account, slot->writer, slot->seq,
			   take_at_us(t) + COUNTER_CLAIM_US);
	} else if (!fence) {
		claim_count(&p->claim, &p->account);
	}
	account_sign(&p->account, slot->writer, slot->seq, !fence);
	item->expires_s = account_encode(&p->account, values);
	item->next_n = values->len - start;
}

/* Let the first N items point at what was filled; false: one is too large, of
 * which there is nothing to be known. */
static bool
point(struct take *t, size_t n)
{
	const unsigned char *at = (const unsigned char *)t->worker->values.data;
	bool fits = true;

	for (size_t i = 0; i < n; i++) {
		t->items[i].next = at;
		at += t->items[i].next_n;
		fits = fits && t->items[i].next_n <= COUNTER_VALUE_MAX_BYTES;
	}
	return fits;
}

static void
lose_large(struct take *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (t->items[i].next_n > COUNTER_VALUE_MAX_BYTES) {
			take_lose(t, t->order[i]);
		}
	}
}

static void
written(struct take *t, struct place *p, enum counter_item_result result,
	bool fence)
{
	switch (result) {
	case ITEM_REPLACED:
		p->state = fence ? PLACE_PENDING : PLACE_WRITTEN;
		break;
	case ITEM_MOVED:
		metric_add(METRIC_counter_conflicts_total, 0, 1);
		break;
	case ITEM_FAILED:
		take_lose(t, p);
		break;
	case ITEM_UNSURE:
	default:
		p->state = PLACE_UNSURE;
		break;
	}
}

/* Accounts in which nothing is to be counted are not written. */
static void
skip_idle(struct take *t)
{
	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if (p->state == PLACE_PENDING && !claim_takes(&p->claim)) {
			p->state = PLACE_IDLE;
		}
	}
}

/*
 * The note of the call, which nobody has written yet: its name is that of a new
 * evaluation.
 */
static struct counter_item
note_item(const struct take *t)
{
	const struct counter_call *call = t->call;
	struct counter_item item = { .state = ITEM_ABSENT };

	counter_call_note(call->evaluation_id, item.key);
	item.next = call->note;
	item.next_n = call->note_n;
	item.expires_s = call->note_expires_us / 1000000 + 1;
	return item;
}

static bool
has_note(const struct take *t)
{
	return t->call->note_n > 0 &&
	       t->call->note_n <= COUNTER_VALUE_MAX_BYTES;
}

/*
 * Replace the first N items, and where that is done at once anyway, make the
 * note with them.  Once: what moved may be the note.
 */
static void
swap(struct take *t, size_t n, bool fence)
{
	const struct counter_store_type *type = t->store->type;
	bool with_note =
	    type->atomic && !fence && !t->note_tried && has_note(t);

	if (with_note) {
		t->note_tried = true;
		t->items[n] = note_item(t);
	}
	type->swap(t->store, t->items, with_note ? n + 1 : n);
	if (with_note) {
		t->noted = t->items[n].result == ITEM_REPLACED;
	}
}

static void
put_note(struct take *t, const void *value, size_t n)
{
	char name[COUNTER_KEY_BYTES];

	counter_call_note(t->call->evaluation_id, name);
	counter_note_put(t->worker, name, value, n, t->call->note_expires_us);
}

void
take_note(struct take *t)
{
	if (!t->noted && has_note(t)) {
		put_note(t, t->call->note, t->call->note_n);
	}
}

void
take_unnote(struct take *t)
{
	if (t->noted) {
		put_note(t, NULL, 0);
	}
}

void
take_write(struct take *t)
{
	skip_idle(t);
	bool fence = take_places_in(t, PLACE_UNSURE) > 0;
	enum place_state state = fence ? PLACE_UNSURE : PLACE_PENDING;
	size_t n = take_list(t, state, state);

	if (n == 0) {
		return;
	}
	begin(t);
	t->worker->slot->seq++;
	buf_reset(&t->worker->values);
	for (size_t i = 0; i < n; i++) {
		fill(t, t->order[i], &t->items[i], fence,
		     n > 1 && !t->store->type->atomic);
	}
	if (!point(t, n)) {
		lose_large(t, n);
		return;
	}
	swap(t, n, fence);
	for (size_t i = 0; i < n; i++) {
		written(t, t->order[i], t->items[i].result, fence);
	}
}

void
take_withdraw(struct take *t)
{
	struct journal_slot *slot = t->worker->slot;
	uint64_t bits = 0;

	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if (p->state == PLACE_WRITTEN || p->state == PLACE_UNSURE) {
			bits |= p->bits;
		}
	}
	bits &= slot->taken;
	uint64_t open =
	    bits == 0 ? 0
		      : counter_worker_settle(t->worker, t->store, slot, bits,
					      false, take_at_us(t), t->wait_us);
	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if ((p->bits & bits) == 0) {
			continue;
		}
		if ((p->bits & open) != 0) {
			p->state = PLACE_UNSURE;
			take_lose(t, p);
		} else {
			p->state = PLACE_PENDING;
		}
	}
	slot->taken &= ~(bits & ~open);
}

/* The accounts that hold claims of this call, listed; 0: none of them is so
 * full that others may have to wait for them. */
static size_t
list_full(struct take *t)
{
	bool fills = false;
	size_t n = 0;

	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if (p->state == PLACE_WRITTEN && p->claimed) {
			fills = fills || claim_fills(&p->claim);
			t->items[n++] = p->item;
		}
	}
	return fills ? n : 0;
}

void
take_settle(struct take *t)
{
	struct counter_worker *worker = t->worker;
	size_t n = list_full(t), writes = 0;
	struct account account;

	if (n == 0) {
		return;
	}
	t->store->type->read(t->store, worker->arena, t->items, n);
	buf_reset(&worker->values);
	for (size_t i = 0; i < n; i++) {
		size_t start = worker->values.len;
		struct counter_item *item = &t->items[writes];

		*item = t->items[i];
		if (counter_worker_account(worker, t->store, item,
					   take_at_us(t), &account)) {
			counter_worker_mark(worker, &account);
			account_settle(&account);
			item->expires_s =
			    account_encode(&account, &worker->values);
			item->next_n = worker->values.len - start;
			writes++;
		}
	}
	if (writes > 0 && point(t, writes)) {
		t->store->type->swap(t->store, t->items, writes);
	}
}
