/*
 * limits: what a decision says of counters: how much is left, and when to try
 * again.
 *
 * The header fields are those of draft-ietf-httpapi-ratelimit-headers-11:
 * lists of structured fields (RFC 9651), whose numbers are integers, so money
 * is in micro-dollars there.
 */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/decision.h"
#include "json/write.h"

enum { LIMITS_HEADER_BYTES = 4000 };

/* The array of every counter that enforces and is known. */
void limits_write(struct json_writer *w, const struct decision *decision);

/* The member NAME: AMOUNT, dollars where UNIT is money. */
void limits_amount(struct json_writer *w, const char *name,
		   enum counter_unit unit, int64_t amount);

struct limits_headers {
	const char *policy; /* RateLimit-Policy; NULL: there is none */
	const char *limit;  /* RateLimit */
};

/*
 * Both fields, in ARENA: what may refuse, rates first, then leases and budgets;
 * as many as fit into LIMITS_HEADER_BYTES each.
 */
struct limits_headers limits_headers(const struct decision *decision,
				     int64_t now_us, struct arena *arena);

/*
 * Seconds until a call that its counters refused would fit, rounded up; -1
 * where waiting does not help.
 */
int64_t limits_retry_after(const struct decision *decision, int64_t now_us);

#endif /* ENGINE_LIMITS_H */
