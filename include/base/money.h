/*
 * money: integer nano-dollars, and decimal text on the way in and out.
 *
 * 1 dollar is 1,000,000,000 nano-dollars; a value is an int64_t named
 * _nanousd, so up to 9.2 billion dollars.  A price is nano-dollars per million
 * tokens, named _per_mil.  No floating point takes part.
 */
#ifndef BASE_MONEY_H
#define BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

enum { MONEY_TEXT_BYTES = 32 };
#define MONEY_ONE_USD INT64_C(1000000000)
#define MONEY_UNKNOWN INT64_C(-1)

/*
 * Read a JSON number ("0.05", "1e-3") as dollars.  Digits beyond the ninth
 * are rounded up, away from zero, so that a cost is never less than it was.
 * False when TEXT is not a number or does not fit.
 */
bool money_parse(const char *text, int64_t *nanousd);

/* Shortest decimal dollars: "0.1875", "12", "-0.000000001"; returns OUT. */
char *money_text(int64_t nanousd, char out[MONEY_TEXT_BYTES]);

/* TOKENS at PER_MIL, rounded up to a nano-dollar; INT64_MAX when too large. */
int64_t money_of_tokens(int64_t tokens, int64_t per_mil);

/* A + B, INT64_MAX when too large.  Both not negative. */
int64_t money_add(int64_t a, int64_t b);

#endif /* BASE_MONEY_H */
