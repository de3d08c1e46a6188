/*
 * account_code: an account as bytes, for account_encode.c and
 * account_decode.c.
 *
 *	version, checksum of the rest, newest time seen
 *	writers: number; each its number, what it did last and how long ago
 *	rates: number; each counter, window, parts as (distance, amount)
 *	budgets, leases, claims likewise
 *
 * Times are kept as distances from the newest time seen, which are small.
 */
#ifndef COUNTER_ACCOUNT_CODE_H
#define COUNTER_ACCOUNT_CODE_H

#include "counter/account.h"
#include "counter/pack.h"

enum {
	ACCOUNT_VERSION = 1,
	ACCOUNT_SUM_BYTES = 4,
	ACCOUNT_HEAD_BYTES = 1 + ACCOUNT_SUM_BYTES
};

#endif /* COUNTER_ACCOUNT_CODE_H */
