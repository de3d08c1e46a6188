#include "counter_world.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "counter/account.h"

enum { WORKERS = 24, LATE = 64, HOSTS = 2, LATE_MOST_US = 400000 };

struct actor {
	struct world_worker self;
	void (*run)(struct world_worker *self);
	pthread_t thread;
	pthread_cond_t wake;
	int64_t sleeps_until_us;
	bool ended, died;
};

/* A write that is still on its way. */
struct late {
	struct counter_item item;
	int64_t at_us;
};

struct world {
	struct world_settings settings;
	struct config configs[HOSTS];
	char states[HOSTS][64];
	struct counter *counters[HOSTS];
	struct counter_memory *memory;
	struct counter_store *inner;
	struct actor *actors[WORKERS];
	size_t actors_n, running;
	pthread_mutex_t baton;
	pthread_cond_t done;
	struct actor *turn; /* who runs now; NULL: world_run */
	struct late late[LATE];
	size_t late_n;
	int64_t now_us;
	uint64_t random;
	int died;
};

struct world_store {
	struct counter_store store;
	struct world *world;
	struct actor *actor; /* NULL: outside of world_run */
};

int64_t
world_now_us(const struct world *world)
{
	return world->now_us;
}

unsigned
world_roll(struct world *world, unsigned sides)
{
	/* xorshift64*, never 0 */
	world->random ^= world->random >> 12;
	world->random ^= world->random << 25;
	world->random ^= world->random >> 27;
	return (unsigned)((world->random * UINT64_C(2685821657736338717)) >>
			  33) %
	       sides;
}

int
world_died(const struct world *world)
{
	return world->died;
}

static bool
happens(struct world *world, int per_mil)
{
	return (int)world_roll(world, 1000) < per_mil;
}

/* ---- whose turn it is */

static void
land(struct world *world, int64_t until_us)
{
	for (size_t i = 0; i < world->late_n;) {
		struct late *late = &world->late[i];

		if (late->at_us > until_us) {
			i++;
			continue;
		}
		world->inner->type->swap(world->inner, &late->item, 1);
		free((void *)(uintptr_t)late->item.next);
		world->late[i] = world->late[--world->late_n];
	}
}

/* One that is awake, by chance; time goes on until there is one. */
static struct actor *
pick(struct world *world)
{
	struct actor *awake[WORKERS];
	size_t n = 0;
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < world->actors_n; i++) {
		struct actor *actor = world->actors[i];

		if (actor->ended) {
			continue;
		}
		if (actor->sleeps_until_us <= world->now_us) {
			awake[n++] = actor;
		} else if (actor->sleeps_until_us < next) {
			next = actor->sleeps_until_us;
		}
	}
	if (n > 0) {
		return awake[world_roll(world, (unsigned)n)];
	}
	if (next == INT64_MAX) {
		return NULL;
	}
	world->now_us = next;
	return pick(world);
}

/* Hand the baton on; the lock is held. */
static void
pass(struct world *world)
{
	world->now_us +=
	    world_roll(world, (unsigned)world->settings.step_us + 1);
	land(world, world->now_us);
	world->turn = pick(world);
	if (world->turn == NULL) {
		pthread_cond_signal(&world->done);
	} else {
		pthread_cond_signal(&world->turn->wake);
	}
}

static void
await(struct actor *actor)
{
	while (actor->self.world->turn != actor) {
		pthread_cond_wait(&actor->wake, &actor->self.world->baton);
	}
}

static void
leave(struct actor *actor)
{
	struct world *world = actor->self.world;

	actor->ended = true;
	pass(world);
	pthread_mutex_unlock(&world->baton);
}

/* Let others go first; perhaps this was it. */
static void
step(struct actor *actor)
{
	struct world *world = actor->self.world;

	if (actor->run != world_housekeeper &&
	    happens(world, world->settings.die_per_mil)) {
		actor->died = true;
		world->died++;
		actor->self.worker->slot->pid = -1;
		leave(actor);
		pthread_exit(NULL);
	}
	pass(world);
	await(actor);
}

void
world_sleep_us(struct world_worker *self, int64_t us)
{
	struct actor *actor = (struct actor *)(void *)self;

	actor->sleeps_until_us = self->world->now_us + us;
	step(actor);
}

static int64_t
clock_of(void *arg)
{
	return ((struct world *)arg)->now_us;
}

static int64_t
actor_clock(void *arg)
{
	return ((struct actor *)arg)->self.world->now_us;
}

static void
actor_sleep(void *arg, int64_t us)
{
	struct actor *actor = arg;

	world_sleep_us(&actor->self, us);
}

static void
sleep_outside(void *arg, int64_t us)
{
	((struct world *)arg)->now_us += us;
}

/* ---- the store */

static void
turn_of(struct world_store *store)
{
	if (store->actor != NULL) {
		step(store->actor);
	}
}

static void
world_read(struct counter_store *base, struct arena *arena,
	   struct counter_item *items, size_t n)
{
	struct world_store *store = (struct world_store *)(void *)base;
	struct counter_store *inner = store->world->inner;

	base->round_trips++;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || !base->type->atomic) {
			turn_of(store);
		}
		if (i == 0 && base->type->atomic) {
			inner->type->read(inner, arena, items, n);
		} else if (!base->type->atomic) {
			inner->type->read(inner, arena, &items[i], 1);
		}
	}
	turn_of(store); /* the answer */
}

static void
delay(struct world *world, const struct counter_item *item)
{
	if (world->late_n == LATE) {
		return; /* it is lost for good */
	}
	struct late *late = &world->late[world->late_n++];
	unsigned char *copy = memory_get(item->next_n);
	memcpy(copy, item->next, item->next_n);
	*late = (struct late){
		.item = *item,
		.at_us = world->now_us + world_roll(world, LATE_MOST_US),
	};
	late->item.next = copy;
}

/* A call that takes never makes less of what a budget holds. */
static void
look_at(struct world_store *store, const struct counter_item *item,
	struct account *before, bool replaced)
{
	struct account after;
	struct actor *actor = store->actor;
	uint64_t writer = actor == NULL ? 0 : actor->self.worker->slot->writer;
	enum status status = account_decode(item->next, item->next_n,
					    before->arena, &after, NULL);

	assert(status == STATUS_OK);
	const struct account_writer *w = account_signed(&after, writer);
	if (w == NULL || actor->self.worker->slot->phase != JOURNAL_TAKING) {
		return;
	}
	for (size_t i = 0; replaced && w->counted && i < before->budgets_n;
	     i++) {
		const struct account_budget *b = &before->budgets[i];
		const struct account_entry entry = { .kind = COUNTER_BUDGET,
						     .counter = b->counter,
						     .window = WINDOW_DAY,
						     .from_s = b->from_s };

		if (account_budget(&after, &entry) != NULL) {
			assert(account_used(&after, &entry, true) >=
			       account_used(before, &entry, true));
		}
	}
	for (int i = 0; w->counted && i < 8; i++) {
		char *key = actor->self.counted[i].key;

		if (key[0] == '\0' || strcmp(key, item->key) == 0) {
			memcpy(key, item->key, COUNTER_KEY_BYTES);
			actor->self.counted[i].at_us = after.seen_us;
			break;
		}
	}
}

static void
read_before(struct world_store *store, const struct counter_item *item,
	    struct account *out)
{
	struct counter_store *inner = store->world->inner;
	struct counter_item was = *item;

	was.next = NULL;
	inner->type->read(inner, out->arena, &was, 1);
	struct arena *arena = out->arena;
	account_begin(out, arena);
	if (was.state == ITEM_FOUND && was.key[0] == 'a') {
		enum status status =
		    account_decode(was.value, was.value_n, arena, out, NULL);
		assert(status == STATUS_OK);
	}
}

static void
swap_some(struct world_store *store, struct counter_item *items, size_t n)
{
	struct world *world = store->world;
	struct account before[8] = { { .arena = NULL } };
	bool unsure = store->actor != NULL &&
		      happens(world, world->settings.unsure_per_mil);

	assert(n <= 8);
	/* an atomic store's late write happens or does not, at once */
	unsigned way = unsure ? world_roll(world, n == 1 ? 3 : 2) : 0;
	struct arena *arena = arena_new(4096);
	for (size_t i = 0; i < n; i++) {
		before[i].arena = arena;
		read_before(store, &items[i], &before[i]);
	}
	if (way == 0) {
		world->inner->type->swap(world->inner, items, n);
	}
	for (size_t i = 0; i < n; i++) {
		bool replaced = way == 0 && items[i].result == ITEM_REPLACED;

		if ((replaced || way == 2) && items[i].key[0] == 'a') {
			look_at(store, &items[i], &before[i], replaced);
		}
		if (way == 2) {
			delay(world, &items[i]);
		}
		if (unsure) {
			items[i].result = ITEM_UNSURE;
		}
	}
	arena_free(arena);
}

static void
world_swap(struct counter_store *base, struct counter_item *items, size_t n)
{
	struct world_store *store = (struct world_store *)(void *)base;

	base->round_trips++;
	if (base->type->atomic) {
		turn_of(store);
		swap_some(store, items, n);
	}
	for (size_t i = 0; !base->type->atomic && i < n; i++) {
		turn_of(store);
		if (items[i].next != NULL) {
			swap_some(store, &items[i], 1);
		}
	}
	turn_of(store); /* the answer */
}

static void
world_put(struct counter_store *base, const struct counter_item *items,
	  size_t n)
{
	struct world_store *store = (struct world_store *)(void *)base;
	struct counter_store *inner = store->world->inner;

	inner->type->put(inner, items, n);
}

static enum status
world_begin(struct counter_store *store, uint64_t epoch, struct err *err)
{
	(void)store;
	(void)epoch;
	return err_set(err, STATUS_UNAVAILABLE, "not here");
}

static enum status
world_check(struct counter_store *store, struct err *err)
{
	return world_begin(store, 0, err);
}

static void
world_store_free(struct counter_store *store)
{
	free(store);
}

static const struct counter_store_type types[] = {
	{ .name = "memory",
	  .atomic = false,
	  .read = world_read,
	  .swap = world_swap,
	  .put = world_put,
	  .begin = world_begin,
	  .check = world_check,
	  .free = world_store_free },
	{ .name = "memory",
	  .atomic = true,
	  .read = world_read,
	  .swap = world_swap,
	  .put = world_put,
	  .begin = world_begin,
	  .check = world_check,
	  .free = world_store_free },
};

static struct counter_store *
store_new(struct world *world, struct actor *actor)
{
	struct world_store *store = memory_get(sizeof(*store));

	*store = (struct world_store){
		.store = { .type = &types[world->settings.atomic],
			   .epoch = world->inner->epoch },
		.world = world,
		.actor = actor,
	};
	return &store->store;
}

/* ---- the world */

struct world *
world_new(const struct world_settings *settings)
{
	struct world *world = memory_get(sizeof(*world));

	*world = (struct world){ .settings = *settings,
				 .now_us = FIXTURE_NOW_US,
				 .random = settings->seed * 2654435761u + 1 };
	pthread_mutex_init(&world->baton, NULL);
	pthread_cond_init(&world->done, NULL);
	world->memory = counter_memory_new();
	struct counter_store *first = counter_memory_store(world->memory);
	enum status status = first->type->begin(first, 1, NULL);
	assert(status == STATUS_OK);
	counter_store_free(first);
	world->inner = counter_memory_store(world->memory);
	for (int i = 0; i < HOSTS; i++) {
		config_default(&world->configs[i]);
		make_state(world->states[i]);
		snprintf(world->configs[i].state_dir, CONFIG_TEXT_BYTES, "%s",
			 world->states[i]);
		world->configs[i].counter_wait_ms = settings->wait_ms;
		status = counter_open(&world->configs[i], NULL,
				      &world->counters[i], NULL);
		assert(status == STATUS_OK);
	}
	return world;
}

void
world_free(struct world *world)
{
	assert(world->actors_n == 0);
	land(world, INT64_MAX);
	counter_store_free(world->inner);
	counter_memory_free(world->memory);
	for (int i = 0; i < HOSTS; i++) {
		counter_close(world->counters[i]);
		remove_state(world->states[i]);
	}
	pthread_mutex_destroy(&world->baton);
	pthread_cond_destroy(&world->done);
	free(world);
}

void
world_add(struct world *world, int host, void (*run)(struct world_worker *self),
	  void *arg)
{
	struct actor *actor = memory_get(sizeof(*actor));

	assert(world->actors_n < WORKERS);
	*actor = (struct actor){
		.self = { .world = world, .host = host, .arg = arg }, .run = run
	};
	pthread_cond_init(&actor->wake, NULL);
	actor->self.worker =
	    counter_worker_on(world->counters[host], store_new(world, actor));
	actor->self.worker->clock =
	    (struct counter_clock){ actor_clock, actor_sleep, actor };
	actor->self.worker->random = world->random | 1;
	(void)world_roll(world, 2);
	world->actors[world->actors_n++] = actor;
}

static void *
act(void *arg)
{
	struct actor *actor = arg;

	pthread_mutex_lock(&actor->self.world->baton);
	await(actor);
	actor->run(&actor->self);
	leave(actor);
	return NULL;
}

void
world_run(struct world *world)
{
	pthread_mutex_lock(&world->baton);
	for (size_t i = 0; i < world->actors_n; i++) {
		int rc = pthread_create(&world->actors[i]->thread, NULL, act,
					world->actors[i]);
		assert(rc == 0);
	}
	pass(world);
	while (world->turn != NULL) {
		pthread_cond_wait(&world->done, &world->baton);
	}
	pthread_mutex_unlock(&world->baton);
	for (size_t i = 0; i < world->actors_n; i++) {
		struct actor *actor = world->actors[i];

		pthread_join(actor->thread, NULL);
		counter_worker_free(actor->self.worker);
		pthread_cond_destroy(&actor->wake);
		free(actor);
	}
	world->actors_n = 0;
}

int64_t
world_counted_us(const struct world_worker *self, enum scope scope,
		 const char *subject)
{
	struct counter_subject id = counter_subject(scope, subject);
	char key[COUNTER_KEY_BYTES];

	counter_subject_key(&id, key);
	for (int i = 0; i < 8; i++) {
		if (strcmp(self->counted[i].key, key) == 0) {
			return self->counted[i].at_us;
		}
	}
	return -1;
}

int64_t
world_used(struct world *world, enum scope scope, const char *subject,
	   const struct account_entry *entry)
{
	struct counter_subject id = counter_subject(scope, subject);
	struct counter_item item = { .next = NULL };
	struct arena *arena = arena_new(4096);
	struct account account;
	int64_t used = 0;

	counter_subject_key(&id, item.key);
	world->inner->type->read(world->inner, arena, &item, 1);
	if (item.state == ITEM_FOUND) {
		enum status status = account_decode(item.value, item.value_n,
						    arena, &account, NULL);
		assert(status == STATUS_OK);
		account_see(&account, world->now_us);
		used = account_used(&account, entry, true);
	}
	arena_free(arena);
	return used;
}

/* ---- what is left */

static bool
settle_host(struct world *world, struct counter_worker *worker, int host,
	    recorded_fn *recorded)
{
	struct arena *arena = arena_new(4096);
	struct counter_left *left;
	size_t n = counter_left(world->counters[host], arena, &left);
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		bool keep = !left[i].refused &&
			    recorded(left[i].evaluation_id, left[i].adjusting);

		all = counter_left_settle(worker, world->now_us, &left[i],
					  keep) &&
		      all;
	}
	arena_free(arena);
	return all;
}

void
world_settle(struct world *world, recorded_fn *recorded)
{
	land(world, INT64_MAX);
	for (int host = 0; host < HOSTS; host++) {
		struct counter_worker *worker = counter_worker_on(
		    world->counters[host], store_new(world, NULL));

		worker->clock =
		    (struct counter_clock){ clock_of, sleep_outside, world };
		bool all = settle_host(world, worker, host, recorded);
		assert(all);
		counter_worker_free(worker);
	}
}

static bool
is_alone(const struct world *world)
{
	size_t n = 0;

	for (size_t i = 0; i < world->actors_n; i++) {
		n += !world->actors[i]->ended &&
		     world->actors[i]->run != world_housekeeper;
	}
	return n == 0;
}

void
world_housekeeper(struct world_worker *self)
{
	recorded_fn *recorded = *(recorded_fn *const *)self->arg;

	while (!is_alone(self->world)) {
		(void)settle_host(self->world, self->worker, self->host,
				  recorded);
		world_sleep_us(self, 20000);
	}
}
