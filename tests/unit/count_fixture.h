/*
 * count_fixture: decisions that count, as rows.
 *
 * 1000 tokens cost 45000000 on big, 375000 on mini, 750000 on little and
 * 2500000 on middle; that is the order in which others are tried for big: mini,
 * little, middle (of google), middle (of openai).
 */
#ifndef COUNT_FIXTURE_H
#define COUNT_FIXTURE_H

#include "core_fixture.h"

#define BIG "model_id=big user_id=u estimated_tokens=1000"
#define RATE "behavioral 75 max_requests_per_minute=3"
#define DAY "cost 60 max_daily_cost=50000000"

struct count_row {
	const char *context;
	const char *used; /* "a.max_daily_cost.u=7 b....=-1": not known */
	const char *answer;
	int takes;
	bool taken;
	const char *policies[3]; /* a, b, c up to the first NULL */
};

struct fixture *count_world(const char *context, const char *used,
			    const char *const *policies);
void count_rows(const struct count_row *rows, size_t n);

#endif /* COUNT_FIXTURE_H */
