/* take_read: the accounts of a call, as they are now. */
#include "counter/take.h"

#include <string.h>

static size_t
find_place(const struct take *t, size_t i)
{
	const struct charge *charge = &t->charges[i];

	for (size_t k = 0; k < i; k++) {
		const struct charge *other = &t->charges[k];

		if (other->policy->scope == charge->policy->scope &&
		    (other->subject == charge->subject ||
		     strcmp(other->subject, charge->subject) == 0)) {
			return t->place_of[k];
		}
	}
	return t->places_n;
}

void
take_places(struct take *t)
{
	struct arena *arena = t->worker->arena;
	size_t *which = arena_array(arena, t->n * t->n, sizeof(*which));
	bool *contended = arena_array(arena, t->n, sizeof(*contended));

	t->place_of = arena_array(arena, t->n, sizeof(*t->place_of));
	t->places = arena_array(arena, t->n, sizeof(*t->places));
	for (size_t i = 0; i < t->n; i++) {
		size_t at = find_place(t, i);
		struct place *p = &t->places[at];

		t->place_of[i] = at;
		if (at == t->places_n) {
			t->places_n++;
			p->subject = counter_subject(
			    t->charges[i].policy->scope, t->charges[i].subject);
			counter_subject_key(&p->subject, p->item.key);
			p->claim = (struct claim){ .call = t->call,
						   .charges = t->charges,
						   .which = which + at * t->n,
						   .out = t->out,
						   .contended = contended };
		}
		which[at * t->n + p->claim.n++] = i;
		p->bits |= UINT64_C(1) << i;
	}
	t->items = arena_array(arena, t->places_n + 1, sizeof(*t->items));
	t->order = arena_array(arena, t->places_n, sizeof(struct place *));
}

int64_t
take_elapsed_us(const struct take *t)
{
	return counter_worker_mono_us(t->worker) - t->began_us;
}

int64_t
take_at_us(const struct take *t)
{
	return t->call->now_us + take_elapsed_us(t);
}

size_t
take_places_in(const struct take *t, enum place_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < t->places_n; i++) {
		n += t->places[i].state == state;
	}
	return n;
}

size_t
take_list(struct take *t, enum place_state state, enum place_state other)
{
	size_t n = 0;

	for (size_t i = 0; i < t->places_n; i++) {
		struct place *p = &t->places[i];

		if (p->state == state || p->state == other) {
			t->items[n] = p->item;
			t->order[n++] = p;
		}
	}
	return n;
}

void
take_lose(struct take *t, struct place *p)
{
	if (p->state == PLACE_UNSURE) {
		counter_worker_abandon(t->worker, p->bits);
	} else if (t->begun) {
		t->worker->slot->taken &= ~p->bits;
	}
	p->state = PLACE_LOST;
	p->verdict = claim_unknown(&p->claim);
	counter_worker_failed(t->store);
}

/* Did what was perhaps written happen? */
static void
resolve(const struct take *t, struct place *p)
{
	const struct account_writer *w =
	    account_signed(&p->account, t->worker->slot->writer);

	if (w != NULL && w->seq >= p->seq) {
		p->state = w->counted ? PLACE_WRITTEN : PLACE_PENDING;
	}
}

static void
receive(struct take *t, struct place *p)
{
	if (!counter_worker_account(t->worker, t->store, &p->item,
				    take_at_us(t), &p->account)) {
		take_lose(t, p);
		return;
	}
	if (p->state == PLACE_UNSURE) {
		resolve(t, p);
	}
	if (p->state == PLACE_PENDING) {
		p->verdict = claim_judge(&p->claim, &p->account);
	}
}

void
take_read(struct take *t)
{
	size_t n = take_list(t, PLACE_PENDING, PLACE_UNSURE);

	if (n > 0) {
		t->store->type->read(t->store, t->worker->arena, t->items, n);
	}
	for (size_t i = 0; i < n; i++) {
		t->order[i]->item = t->items[i];
		receive(t, t->order[i]);
	}
}
