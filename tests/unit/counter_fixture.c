#include "counter_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_US INT64_C(86400000000)

struct window
fixture_day(int64_t now_us)
{
	int64_t from = now_us / DAY_US * DAY_US;

	return (struct window){ .from_us = from, .to_us = from + DAY_US };
}

struct charge *
charging_add(struct charging *c, enum constraint_key key, enum scope scope,
	     const char *subject, int64_t limit, int64_t amount)
{
	size_t i = c->n++;

	assert(i < FIXTURE_CHARGES && counter_row(key) != NULL);
	c->policies[i] = (struct policy){ .scope = scope };
	c->constraints[i] = (struct constraint){
		.key = key, .number = limit, .counter = 1000 + (uint64_t)key
	};
	c->items[i] = (struct charge){ .policy = &c->policies[i],
				       .constraint = &c->constraints[i],
				       .row = counter_row(key),
				       .subject = subject,
				       .mode = CHARGE_LIMITS,
				       .amount = amount,
				       .limit = limit,
				       .alert_at = INT64_MAX };
	if (c->items[i].row->kind == COUNTER_BUDGET) {
		c->items[i].window = fixture_day(FIXTURE_NOW_US);
	}
	return &c->items[i];
}

void
make_state(char path[64])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, 64, "%s/ims-counter.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	char *made = mkdtemp(path);
	assert(made != NULL);
}

void
remove_state(const char *path)
{
	char claims[80];

	snprintf(claims, sizeof(claims), "%s/claims", path);
	(void)unlink(claims);
	int rc = rmdir(path);
	assert(rc == 0);
}

void
counting_begin(struct counting *on, struct board *board)
{
	make_state(on->state);
	config_default(&on->config);
	snprintf(on->config.state_dir, sizeof(on->config.state_dir), "%s",
		 on->state);
	enum status status =
	    counter_open(&on->config, board, &on->counter, NULL);
	assert(status == STATUS_OK);
	on->memory = counter_memory_new();
	on->arena = arena_new(4096);
}

void
counting_end(struct counting *on, struct counter_worker *worker)
{
	counter_worker_free(worker);
	counter_memory_free(on->memory);
	counter_close(on->counter);
	arena_free(on->arena);
	remove_state(on->state);
}
