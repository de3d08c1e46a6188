#include "count_fixture.h"

#include <stdio.h>
#include <string.h>

static void
set_used(struct fixture *fx, const char *text)
{
	char name[8], key[64], subject[32];
	long long used;
	int n = 0;

	while (sscanf(text, " %7[^.].%63[^.].%31[^=]=%lld%n", name, key,
		      subject, &used, &n) == 4) {
		core_counter_set(fx->counter, arena_strdup(fx->arena, name),
				 constraint_find(key),
				 arena_strdup(fx->arena, subject),
				 (int64_t)used);
		text += n;
	}
	assert_string_equal(text, "");
}

struct fixture *
count_world(const char *context, const char *used, const char *const *policies)
{
	static const char *const names[] = { "a", "b", "c" };
	struct fixture *fx = fixture_new();

	for (size_t p = 0; p < 3 && policies[p] != NULL; p++) {
		fixture_policy(fx, names[p], policies[p]);
	}
	fixture_count(fx);
	set_used(fx, used);
	fixture_context(fx, context);
	return fx;
}

void
count_rows(const struct count_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fixture *fx = count_world(rows[i].context, rows[i].used,
						 rows[i].policies);
		struct decision d;

		fixture_decide(fx, &d);
		const char *answer = fixture_answer(fx, &d);

		if (strcmp(answer, rows[i].answer) != 0) {
			fail_msg("row %zu: %s, not %s", i, answer,
				 rows[i].answer);
		}
		if (fx->counter->takes != rows[i].takes) {
			fail_msg("row %zu: %d takes, not %d", i,
				 fx->counter->takes, rows[i].takes);
		}
		assert_int_equal(d.taken, rows[i].taken);
		assert_int_equal(fx->counter->granted, rows[i].taken);
		if (!d.taken) {
			assert_int_equal(fx->counter->counted, 0);
		}
		fixture_free(fx);
	}
}
