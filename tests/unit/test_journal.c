#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/digest.h"
#include "counter/journal.h"
#include "counter_fixture.h"

#define ID "01a20846-fe00-710a-bf3e-cc9cabefba7a"

enum { BOOT = 7, NOW_US = 1000 };

static char state[64];
static struct journal *journal;

static int
begin(void **unused)
{
	(void)unused;
	make_state(state);
	assert_int_equal(digest_init(NULL), STATUS_OK);
	assert_int_equal(journal_open(state, BOOT, &journal, NULL), STATUS_OK);
	return 0;
}

static int
end(void **unused)
{
	(void)unused;
	journal_close(journal);
	journal_close(NULL);
	remove_state(state);
	return 0;
}

/* As if the process had died that has SLOT: one that is gone by now. */
static void
die(struct journal_slot *slot)
{
	pid_t pid = fork();

	if (pid == 0) {
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	slot->pid = pid;
}

static size_t
left_n(void)
{
	size_t at = 0, n = 0;

	while (journal_left(journal, &at) != NULL) {
		n++;
	}
	return n;
}

static void
begin_taking(struct journal_slot *slot)
{
	journal_begin(slot, JOURNAL_TAKING, ID, NOW_US, 42);
}

static void
each_worker_has_a_slot(void **unused)
{
	struct journal_slot *a = journal_join(journal);
	struct journal_slot *b = journal_join(journal);

	(void)unused;
	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	assert_true(a->writer != b->writer);
	assert_int_equal(a->pid, getpid());
	journal_leave(a);
	assert_int_equal(a->pid, 0);
	uint64_t writer = a->writer;
	assert_ptr_equal(journal_join(journal), a);
	assert_true(a->writer != writer);
}

static void
slots_come_to_an_end(void **unused)
{
	struct journal_slot *slots[JOURNAL_SLOTS];

	(void)unused;
	for (int i = 0; i < JOURNAL_SLOTS; i++) {
		slots[i] = journal_join(journal);
		assert_non_null(slots[i]);
	}
	assert_null(journal_join(journal));
	slots[3]->taken = 1;
	assert_false(journal_abandon(journal, slots[3], 1));
	assert_int_equal(slots[3]->taken, 0);
	/* the slot of a process that is gone is free, but not what it left */
	begin_taking(slots[3]);
	die(slots[3]);
	assert_null(journal_join(journal));
	die(slots[5]);
	assert_ptr_equal(journal_join(journal), slots[5]);
	assert_null(journal_join(journal));
	journal_clear(slots[3]);
	assert_ptr_equal(journal_join(journal), slots[3]);
	assert_int_equal(slots[3]->phase, JOURNAL_IDLE);
}

static void
what_was_begun_is_left(void **unused)
{
	struct journal_slot *slot = journal_join(journal);
	struct journal_slot *other = journal_join(journal);
	size_t at = 0;

	(void)unused;
	begin_taking(slot);
	begin_taking(other);
	assert_int_equal(left_n(), 0);
	die(slot);
	assert_ptr_equal(journal_left(journal, &at), slot);
	assert_null(journal_left(journal, &at));
	assert_string_equal(slot->evaluation_id, ID);
	assert_int_equal(slot->now_us, NOW_US);
	assert_int_equal(slot->epoch, 42);
	journal_clear(slot);
	assert_int_equal(left_n(), 0);
	/* a worker that ends in the middle has left something, too */
	journal_leave(other);
	assert_int_equal(left_n(), 1);
}

static void
another_boot(void **unused)
{
	struct journal_slot *slot = journal_join(journal);
	struct journal *again;

	(void)unused;
	begin_taking(slot);
	/* the same boot: the process is alive */
	assert_int_equal(journal_open(state, BOOT, &again, NULL), STATUS_OK);
	journal_close(again);
	assert_int_equal(left_n(), 0);
	assert_int_equal(journal_open(state, BOOT + 1, &again, NULL),
			 STATUS_OK);
	journal_close(again);
	assert_int_equal(left_n(), 1);
}

static void
who_knows_a_claim(void **unused)
{
	static const struct {
		enum journal_phase phase;
		enum journal_known known;
	} rows[] = { { JOURNAL_IDLE, JOURNAL_OVER },
		     { JOURNAL_TAKING, JOURNAL_OPEN },
		     { JOURNAL_TAKEN, JOURNAL_OVER },
		     { JOURNAL_ADJUSTING, JOURNAL_OPEN },
		     { JOURNAL_ADJUSTED, JOURNAL_OPEN },
		     { JOURNAL_UNDOING, JOURNAL_OPEN } };
	struct journal_slot *slot = journal_join(journal);

	(void)unused;
	slot->first_seq = 10;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		slot->phase = rows[i].phase;
		assert_int_equal(journal_knows(journal, slot->writer, 10),
				 rows[i].known);
		assert_int_equal(journal_knows(journal, slot->writer, 11),
				 rows[i].known);
		assert_int_equal(journal_knows(journal, slot->writer, 9),
				 JOURNAL_OVER);
	}
	assert_int_equal(
	    journal_knows(journal, slot->writer ^ UINT64_C(1) << 40, 10),
	    JOURNAL_FOREIGN);
	assert_int_equal(journal_knows(journal, slot->writer | 0xffff, 10),
			 JOURNAL_FOREIGN);
	assert_int_equal(journal_knows(NULL, slot->writer, 10),
			 JOURNAL_FOREIGN);
	slot->phase = JOURNAL_IDLE;
	uint64_t writer = slot->writer;
	journal_rename(journal, slot);
	assert_int_equal(journal_knows(journal, writer, 10), JOURNAL_FOREIGN);
	assert_int_equal(journal_knows(journal, slot->writer, 9), JOURNAL_OVER);
}

static void
an_operation_counts_its_writes_on(void **unused)
{
	struct journal_slot *slot = journal_join(journal);

	(void)unused;
	slot->seq = 5;
	begin_taking(slot);
	assert_int_equal(slot->first_seq, 6);
	assert_int_equal(slot->phase, JOURNAL_TAKING);
	assert_int_equal(slot->taken, 0);
}

static void
what_cannot_be_given_back_is_left(void **unused)
{
	struct journal_slot *slot = journal_join(journal);
	size_t at = 0;

	(void)unused;
	slot->seq = 5;
	begin_taking(slot);
	slot->seq = 8;
	slot->entries_n = 3;
	slot->entries[1].amount = 99;
	slot->taken = 7;
	slot->alerts = 4;
	assert_true(journal_abandon(journal, slot, 6));
	assert_int_equal(slot->taken, 1);
	const struct journal_slot *copy = journal_left(journal, &at);
	assert_non_null(copy);
	assert_int_equal(copy->phase, JOURNAL_UNDOING);
	assert_true(copy->writer == slot->writer);
	assert_int_equal(copy->first_seq, 6);
	assert_int_equal(copy->seq, 8);
	assert_int_equal(copy->taken, 6);
	assert_int_equal(copy->alerts, 4);
	assert_int_equal(copy->entries_n, 3);
	assert_int_equal(copy->entries[1].amount, 99);
	assert_string_equal(copy->evaluation_id, ID);
	assert_false(journal_abandon(NULL, slot, 1));
	assert_int_equal(slot->taken, 0);
}

/* A process that is killed while it counts. */
static void
a_process_is_killed(void **unused)
{
	struct counter_memory *memory = counter_memory_new();
	struct arena *arena = arena_new(4096);
	struct counter *counter;
	struct config config;
	struct counter_left *left;
	int ready[2];
	char byte;

	(void)unused;
	config_default(&config);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", state);
	assert_int_equal(counter_open(&config, NULL, &counter, NULL),
			 STATUS_OK);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct counter_store *store = counter_memory_store(memory);
		struct charging c = { .n = 0 };
		struct counter_call call = { .evaluation_id = ID,
					     .now_us = FIXTURE_NOW_US };

		store->epoch = 1;
		if (store->type->begin(store, 1, NULL) == STATUS_OK) {
			charging_add(&c, CONSTRAINT_max_daily_cost, SCOPE_USER,
				     "ann", 10, 7);
			(void)counter_take(counter_worker_on(counter, store),
					   &call, c.items, 1, c.out);
		}
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(counter_left(counter, arena, &left), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(counter_left(counter, arena, &left), 1);
	assert_string_equal(left->evaluation_id, ID);
	assert_int_equal(left->entries_n, 1);
	assert_int_equal(left->entries[0].amount, 7);
	close(ready[0]);
	close(ready[1]);
	counter_close(counter);
	counter_memory_free(memory);
	arena_free(arena);
}

static void
a_folder_that_is_too_long(void **unused)
{
	char path[5000];
	struct journal *out = NULL;
	struct err err;

	(void)unused;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(journal_open(path, BOOT, &out, &err), STATUS_IO);
	assert_null(out);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(each_worker_has_a_slot),
		CASE(slots_come_to_an_end),
		CASE(what_was_begun_is_left),
		CASE(another_boot),
		CASE(who_knows_a_claim),
		CASE(an_operation_counts_its_writes_on),
		CASE(what_cannot_be_given_back_is_left),
		CASE(a_process_is_killed),
		CASE(a_folder_that_is_too_long),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
