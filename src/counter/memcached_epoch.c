#include "counter/memcached_epoch.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"

enum {
	MARKER_BYTES = 200,
	/* memcached counts in whole seconds, and so may be one ahead */
	AHEAD_MAX_S = 2,
	OLDEST = 10, /* 1.6.OLDEST */
	VERSION_PARTS = 3
};

/* What a server says of itself. */
struct self {
	struct memcached_link *link;
	bool has_version, old, ended;
	char version[32];
	uint64_t pid, time, uptime, flushes, evictions, moved, stuck;
	/* the marker */
	enum memcached_wire_kind marker;
	uint64_t cas;		  /* memcached's version of it */
	char saved[MARKER_BYTES]; /* its value, without its number */
	uint64_t number;
	bool asked; /* for another marker */
};

struct question {
	size_t n;
	struct self selves[MEMCACHED_PLACE_SERVERS];
};

void
memcached_epoch_key(uint64_t epoch, const char *name,
		    char out[MEMCACHED_WIRE_KEY_BYTES])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char number[16];
	size_t at = sizeof(number);

	do {
		number[--at] = digits[epoch % 36];
		epoch /= 36;
	} while (epoch > 0);
	const size_t n = sizeof(number) - at, name_n = strlen(name);
	assert(n + 1 + name_n < MEMCACHED_WIRE_KEY_BYTES);
	memcpy(out, number + at, n);
	out[n] = '.';
	memcpy(out + n + 1, name, name_n + 1);
}

/* What a marker says that is written now: whatever must not change while an
 * epoch lasts.  Behind it, after NUMBER, comes which of several it is. */
#define NUMBER " number "
static void
marker_text(const struct self *self, char out[MARKER_BYTES])
{
	/* when it was started, since a pid may be had by two in turn */
	snprintf(out, MARKER_BYTES,
		 "pid %" PRIu64 " start %" PRIu64 " flushes %" PRIu64
		 " evictions %" PRIu64 " moved %" PRIu64 " stuck %" PRIu64,
		 self->pid, self->time - self->uptime, self->flushes,
		 self->evictions, self->moved, self->stuck);
}

static bool
is_true(const struct self *self)
{
	char now[MARKER_BYTES];

	marker_text(self, now);
	return self->marker == WIRE_VALUE && strcmp(now, self->saved) == 0;
}

static void
take_version(struct self *self, const char *text)
{
	unsigned long part[VERSION_PARTS];
	char *at = self->version;

	snprintf(self->version, sizeof(self->version), "%.31s", text);
	self->has_version = true;
	for (size_t i = 0; i < VERSION_PARTS; i++) {
		self->has_version =
		    self->has_version && isdigit((unsigned char)*at);
		part[i] = strtoul(at, &at, 10);
		at += *at == '.';
	}
	self->old = part[0] < 1 || (part[0] == 1 && part[1] < 6) ||
		    (part[0] == 1 && part[1] == 6 && part[2] < OLDEST);
}

/* A line "STAT name value" or "VERSION x". */
static bool
take_line(struct self *self, const char *line)
{
	const struct {
		const char *name;
		uint64_t *value;
	} known[] = {
		{ "pid ", &self->pid },
		{ "time ", &self->time },
		{ "uptime ", &self->uptime },
		{ "cmd_flush ", &self->flushes },
		{ "evictions ", &self->evictions },
		/* lost while memory was moved between sizes, also with -M */
		{ "slab_reassign_evictions_nomem ", &self->moved },
		{ "slab_reassign_busy_deletes ", &self->stuck },
	};

	if (strncmp(line, "VERSION ", 8) == 0) {
		take_version(self, line + 8);
		return true;
	}
	if (strncmp(line, "STAT ", 5) != 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t n = strlen(known[i].name);
		if (strncmp(line + 5, known[i].name, n) == 0) {
			*known[i].value = strtoull(line + 5 + n, NULL, 10);
		}
	}
	return true;
}

static struct self *
self_of(struct question *question, const struct memcached_link *link)
{
	for (size_t i = 0; i < question->n; i++) {
		if (question->selves[i].link == link) {
			return &question->selves[i];
		}
	}
	return NULL;
}

static enum memcached_link_answer
take_marker(struct self *self, const struct memcached_wire_reply *reply)
{
	self->marker = reply->kind;
	if (reply->kind != WIRE_VALUE) {
		return reply->kind == WIRE_MISS ? ANSWER_TAKEN : ANSWER_WRONG;
	}
	const size_t n = reply->value_n < MARKER_BYTES - 1 ? reply->value_n
							   : MARKER_BYTES - 1;
	memcpy(self->saved, reply->value, n);
	self->saved[n] = '\0';
	char *number = strstr(self->saved, NUMBER);
	if (number != NULL) {
		self->number = strtoull(number + strlen(NUMBER), NULL, 16);
		*number = '\0';
	}
	self->cas = reply->version;
	return ANSWER_TAKEN;
}

/* In this order: version, stats, the marker. */
static enum memcached_link_answer
take_reply(void *arg, struct memcached_link *link, size_t i,
	   const struct memcached_wire_reply *reply)
{
	struct self *self = self_of(arg, link);
	char line[256];

	assert(self != NULL);
	if (i < 2) {
		snprintf(
		    line, sizeof(line), "%.*s",
		    (int)(reply->line_n < sizeof(line) ? reply->line_n : 255),
		    reply->line);
		if (i == 1 && strcmp(line, "END") == 0) {
			return ANSWER_TAKEN;
		}
		if (reply->kind != WIRE_OTHER || !take_line(self, line) ||
		    (i == 0 && !self->has_version)) {
			return ANSWER_WRONG;
		}
		return i == 0 ? ANSWER_TAKEN : ANSWER_MORE;
	}
	return take_marker(self, reply);
}

/* What became of a marker. */
static enum memcached_link_answer
take_stored(void *arg, struct memcached_link *link, size_t i,
	    const struct memcached_wire_reply *reply)
{
	struct self *self = self_of(arg, link);

	(void)i;
	assert(self != NULL);
	self->marker = reply->kind;
	switch (reply->kind) {
	case WIRE_STORED:
	case WIRE_NOT_STORED:
	case WIRE_EXISTS:
	case WIRE_NOT_FOUND:
	case WIRE_REFUSED:
		return ANSWER_TAKEN;
	default:
		return ANSWER_WRONG;
	}
}

static enum status
not_answering(const struct memcached_link *link, struct err *err)
{
	return err_set(err, STATUS_UNAVAILABLE,
		       "the memcached server %s does not answer",
		       link->address.server->name);
}

/* Ask all of them for version, statistics and marker. */
static enum status
ask_selves(struct question *question, uint64_t epoch, int64_t timeout_ms,
	   struct memcached_link *const *links, struct err *err)
{
	const int64_t now_us = clock_mono_us();
	char key[MEMCACHED_WIRE_KEY_BYTES];

	memcached_epoch_key(epoch, MEMCACHED_EPOCH_MARKER, key);
	for (size_t i = 0; i < question->n; i++) {
		question->selves[i].link = links[i];
		if (memcached_link_ask(links[i], now_us, true)) {
			memcached_wire_version(&links[i]->out);
			memcached_wire_stats(&links[i]->out);
			memcached_wire_look_at(&links[i]->out, key);
			links[i]->wants = 3;
			links[i]->again = true;
		}
	}
	memcached_link_run(links, question->n, now_us + timeout_ms * 1000,
			   take_reply, question);
	for (size_t i = 0; i < question->n; i++) {
		if (links[i]->state != LINK_DONE) {
			return not_answering(links[i], err);
		}
	}
	return STATUS_OK;
}

static enum status
ask_whether_usable(const struct self *self, enum status no, struct err *err)
{
	const char *name = self->link->address.server->name;
	const int64_t now_s = clock_now_us() / 1000000;

	if (self->old) {
		return err_set(err, no,
			       "the memcached server %s is version %s: 1.6.%d "
			       "or newer is needed",
			       name, self->version, OLDEST);
	}
	if (self->time > (uint64_t)(now_s + AHEAD_MAX_S)) {
		return err_set(
		    err, no,
		    "the clock of the memcached server %s is %" PRIu64
		    " s ahead: it would forget too early",
		    name, self->time - (uint64_t)now_s);
	}
	return STATUS_OK;
}

/* A marker for SELF, in place of what was read there. */
static void
ask_for_marker(struct self *self, const char *key, int64_t now_us)
{
	struct memcached_link *link = self->link;
	char text[MARKER_BYTES], value[MARKER_BYTES + 32];

	marker_text(self, text);
	digest_random(&self->number, sizeof(self->number));
	snprintf(value, sizeof(value), "%s" NUMBER "%" PRIx64, text,
		 self->number);
	const struct memcached_wire_item item = {
		.key = key,
		.value = value,
		.value_n = strlen(value),
	};
	self->asked = true;
	if (!memcached_link_ask(link, now_us, true)) {
		return;
	}
	if (self->marker == WIRE_VALUE) {
		memcached_wire_cas(&link->out, &item, self->cas);
	} else {
		memcached_wire_add(&link->out, &item);
	}
	link->wants = 1;
}

static enum status
whether_stored(const struct self *self, struct err *err)
{
	const char *name = self->link->address.server->name;

	if (self->link->state != LINK_DONE) {
		return not_answering(self->link, err);
	}
	if (self->marker == WIRE_REFUSED) {
		return err_set(err, STATUS_UNAVAILABLE,
			       "the memcached server %s has no room", name);
	}
	if (self->marker != WIRE_STORED) {
		return err_set(err, STATUS_BUSY,
			       "somebody else begins the same epoch on the "
			       "memcached server %s",
			       name);
	}
	return STATUS_OK;
}

/* A marker on each of them that has none, or one that is not true any more. */
static enum status
write_markers(struct question *question, uint64_t epoch, int64_t timeout_ms,
	      struct memcached_link *const *links, struct err *err)
{
	const int64_t now_us = clock_mono_us();
	char key[MEMCACHED_WIRE_KEY_BYTES];
	enum status status = STATUS_OK;

	memcached_epoch_key(epoch, MEMCACHED_EPOCH_MARKER, key);
	for (size_t i = 0; i < question->n; i++) {
		if (!is_true(&question->selves[i])) {
			ask_for_marker(&question->selves[i], key, now_us);
		}
	}
	memcached_link_run(links, question->n, now_us + timeout_ms * 1000,
			   take_stored, question);
	for (size_t i = 0; status == STATUS_OK && i < question->n; i++) {
		if (question->selves[i].asked) {
			status = whether_stored(&question->selves[i], err);
		}
	}
	return status;
}

enum status
memcached_epoch_begin(struct memcached_link *const *links, size_t n,
		      uint64_t epoch, int64_t timeout_ms,
		      struct memcached_epoch_mark *marks, struct err *err)
{
	struct question question = { .n = n };
	enum status status =
	    ask_selves(&question, epoch, timeout_ms, links, err);

	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		status = ask_whether_usable(&question.selves[i],
					    STATUS_UNAVAILABLE, err);
	}
	if (status == STATUS_OK) {
		status =
		    write_markers(&question, epoch, timeout_ms, links, err);
	}
	for (size_t i = 0; status == STATUS_OK && i < n; i++) {
		marks[i] =
		    (struct memcached_epoch_mark){ true, epoch,
						   question.selves[i].number };
	}
	return status;
}

static enum status
compare(const struct self *self, uint64_t epoch,
	const struct memcached_epoch_mark *mark, struct err *err)
{
	const char *name = self->link->address.server->name;
	char now[MARKER_BYTES];

	if (self->marker != WIRE_VALUE) {
		return err_set(err, STATUS_CORRUPT,
			       "the memcached server %s has lost its counters: "
			       "it was restarted or flushed",
			       name);
	}
	if (!is_true(self)) {
		marker_text(self, now);
		return err_set(err, STATUS_CORRUPT,
			       "the memcached server %s has lost counters "
			       "(start it with -M, and give it more memory): "
			       "when they were begun %.120s, now %.120s",
			       name, self->saved, now);
	}
	if (mark->begun && mark->epoch == epoch &&
	    mark->number != self->number) {
		return err_set(err, STATUS_CORRUPT,
			       "the memcached server %s had lost its counters, "
			       "and somebody else has begun the epoch again",
			       name);
	}
	return ask_whether_usable(self, STATUS_CORRUPT, err);
}

enum status
memcached_epoch_check(struct memcached_link *const *links, size_t n,
		      uint64_t epoch, int64_t timeout_ms,
		      const struct memcached_epoch_mark *marks, struct err *err)
{
	struct question question = { .n = n };
	enum status silent =
	    ask_selves(&question, epoch, timeout_ms, links, err);

	/* one that has lost it matters more than one that does not answer */
	for (size_t i = 0; i < n; i++) {
		if (links[i]->state == LINK_DONE) {
			enum status status =
			    compare(&question.selves[i], epoch, &marks[i], err);
			if (status != STATUS_OK) {
				return status;
			}
		}
	}
	return silent;
}
