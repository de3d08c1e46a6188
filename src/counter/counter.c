#include "counter/counter.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/memory.h"
#include "counter/worker.h"

enum { SUBJECT_BYTES = 16 };

enum status
counter_open(const struct config *config, struct board *board,
	     struct counter **out, struct err *err)
{
	struct journal *journal;
	enum status status = digest_init(err);

	if (status == STATUS_OK) {
		status = journal_open(config->state_dir,
				      board == NULL ? 0 : board->boot, &journal,
				      err);
	}
	if (status != STATUS_OK) {
		return status;
	}
	struct counter *counter = memory_get(sizeof(*counter));
	*counter = (struct counter){ .config = config,
				     .board = board,
				     .journal = journal };
	*out = counter;
	return STATUS_OK;
}

void
counter_close(struct counter *counter)
{
	if (counter != NULL) {
		journal_close(counter->journal);
		free(counter);
	}
}

uint64_t
counter_epoch(const struct counter_worker *worker)
{
	return worker->epoch;
}

struct counter_subject
counter_subject(enum scope scope, const char *subject)
{
	const struct digest_part parts[] = {
		digest_text(scope_words[scope]),
		digest_text(subject),
	};
	struct counter_subject out;

	digest_parts(parts, 2, out.bytes, sizeof(out.bytes));
	return out;
}

static void
key_of(char kind, const unsigned char *bytes, char out[COUNTER_KEY_BYTES])
{
	*out = kind;
	hex_write(bytes, SUBJECT_BYTES, out + 1);
}

void
counter_subject_key(const struct counter_subject *subject,
		    char out[COUNTER_KEY_BYTES])
{
	key_of('a', subject->bytes, out);
}

void
counter_call_note(const char *evaluation_id, char out[COUNTER_KEY_BYTES])
{
	snprintf(out, COUNTER_KEY_BYTES, "%c%s", COUNTER_KEY_CALL,
		 evaluation_id);
}

void
counter_decision_note(const char *const *parts, size_t n,
		      char out[COUNTER_KEY_BYTES])
{
	enum { PARTS_MAX = 8 };
	struct digest_part all[PARTS_MAX];
	unsigned char digest[SUBJECT_BYTES];

	assert(n <= PARTS_MAX);
	for (size_t i = 0; i < n; i++) {
		all[i] = digest_text(parts[i]);
	}
	digest_parts(all, n, digest, sizeof(digest));
	key_of('d', digest, out);
}

struct counter_entry
counter_worker_entry(const struct counter_call *call,
		     const struct charge *charge,
		     const struct counter_subject *subject)
{
	struct counter_entry entry = {
		.subject = *subject,
		.counter = charge->constraint->counter,
		.kind = charge->row->kind,
		.unit = charge->row->unit,
		.window = charge->row->window,
		.amount = charge->amount,
	};

	switch (entry.kind) {
	case COUNTER_RATE:
		entry.from_s = call->now_us / 1000000;
		break;
	case COUNTER_BUDGET:
		entry.from_s = charge->window.from_us / 1000000;
		entry.to_s = charge->window.to_us / 1000000;
		break;
	case COUNTER_LEASE:
	default:
		entry.to_s = (call->expires_us + 999999) / 1000000;
	}
	return entry;
}

size_t
counter_entries(const struct counter_call *call, const struct charge *charges,
		const struct charged *charged, size_t n,
		struct counter_entry *entries)
{
	const struct charge *before = NULL;
	struct counter_subject subject;
	size_t taken = 0;

	for (size_t i = 0; i < n; i++) {
		const struct charge *charge = &charges[i];

		if (!charged[i].taken) {
			continue;
		}
		if (before == NULL ||
		    before->policy->scope != charge->policy->scope ||
		    strcmp(before->subject, charge->subject) != 0) {
			subject = counter_subject(charge->policy->scope,
						  charge->subject);
		}
		before = charge;
		entries[taken] = counter_worker_entry(call, charge, &subject);
		entries[taken++].alert = charged[i].alert;
	}
	return taken;
}
