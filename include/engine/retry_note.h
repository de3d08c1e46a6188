/*
 * retry_note: what is kept of a request that has an id, as bytes.
 *
 * The form, whether it is answered, the digest, the time of the claim, the
 * texts; of an answered one the status, its headers and its body.  Numbers are
 * as the machine has them: the hosts of a cluster are of one kind.
 */
#ifndef ENGINE_RETRY_NOTE_H
#define ENGINE_RETRY_NOTE_H

#include <stdbool.h>

#include "counter/counter.h"
#include "engine/engine.h"
#include "engine/meaning.h"

struct retry_note {
	bool answered;
	unsigned char digest[MEANING_DIGEST_BYTES];
	int64_t claimed_us;
	int64_t until_us; /* from then on it is decided anew */
	const char *evaluation_id, *correlation_id; /* "": none */
	int http_status;
	struct engine_header headers[ENGINE_HEADERS];
	size_t headers_n;
	const char *body; /* [body_n] */
	size_t body_n;
};

/* NOTE as bytes instead of what OUT held. */
void retry_note_write(const struct retry_note *note, struct buf *out);

/* False: they are not of this form, or damaged.  Texts are borrowed. */
bool retry_note_read(const struct counter_note *bytes,
		     struct retry_note *out) MUST_CHECK;

#endif /* ENGINE_RETRY_NOTE_H */
