#include "policy/snapshot.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/metric.h"
#include "policy/replace.h"
#include "policy_fixture.h"

enum { PATH_BYTES = 256, READERS = 4, PUBLISHES = 60 };

/* Values of the metrics, in the order of their table. */
enum { OK, REFUSED, ERROR };
enum { LOADED, NOT_LOADED };

struct fixture {
	char folder[PATH_BYTES];
	struct board *board; /* of zeroes, as a new one is */
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->folder, sizeof(f->folder),
		       "/tmp/test_snapshot_source.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->board = calloc(1, sizeof(*f->board));
	assert_non_null(f->board);
	*state = f;
	return 0;
}

static const char *
path_of(const struct fixture *f, const char *name)
{
	static char path[PATH_BYTES * 2];

	(void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	return path;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	(void)unlink(path_of(f, "snapshot.img"));
	(void)unlink(path_of(f, "snapshot.json"));
	(void)rmdir(f->folder);
	free(f->board);
	free(f);
	return 0;
}

/* A document whose every number is its revision. */
static enum status
publish(const struct fixture *f, int64_t revision, struct err *err)
{
	char text[1024];

	int n = snprintf(
	    text, sizeof(text),
	    "{\"revision\":%lld,\"policies\":[{\"policy_id\":\"p\","
	    "\"name\":\"n\",\"version\":%lld,\"category\":\"behavioral\","
	    "\"priority\":50,\"message\":\"%lld\",\"constraints\":{"
	    "\"max_prompt_length\":%lld,\"blocked_keywords\":[\"w%lld\"]}}],"
	    "\"subjects\":[{\"user_id\":\"ann\",\"team_id\":\"%lld\"}]}",
	    (long long)revision, (long long)revision, (long long)revision,
	    (long long)revision, (long long)revision, (long long)revision);
	return snapshot_publish(f->folder, f->board, text, (size_t)n, err);
}

static struct snapshot_source *
open_source(const struct fixture *f)
{
	struct snapshot_source *source = NULL;

	assert_int_equal(
	    snapshot_source_open(f->folder, f->board, &source, NULL),
	    STATUS_OK);
	return source;
}

/* The revision that SOURCE gives, 0 for none; the whole of it is checked. */
static int64_t
revision_of(struct snapshot_source *source)
{
	struct snapshot *snapshot = snapshot_current(source);
	char text[32];

	if (snapshot == NULL) {
		return 0;
	}
	const struct snapshot_data *data = snapshot_data(snapshot);
	const struct policy *policy = data->policies.policies;
	int64_t revision = data->revision;
	(void)snprintf(text, sizeof(text), "%lld", (long long)revision);
	assert_int_equal(policy->version, revision);
	assert_string_equal(policy->message, text);
	assert_int_equal(policy->constraints[0].number, revision);
	assert_string_equal(policy->constraints[1].texts[0] + 1, text);
	assert_string_equal(snapshot_subject(data, "ann")->team_id, text);
	assert_false(pattern_set_empty(snapshot_keywords(snapshot)));
	snapshot_unref(snapshot);
	return revision;
}

static void
what_is_published_is_followed(void **state)
{
	struct fixture *f = *state;
	struct snapshot_source *source = open_source(f);
	int64_t loads = metric_read(METRIC_snapshot_loads_total, LOADED);
	int64_t oks = metric_read(METRIC_snapshot_publishes_total, OK);

	assert_int_equal(revision_of(source), 0);
	assert_int_equal(publish(f, 7, NULL), STATUS_OK);
	assert_int_equal(f->board->snapshot_generation, 1);
	assert_int_equal(f->board->policy_revision, 7);
	assert_int_equal(metric_read(METRIC_policy_revision, 0), 7);
	assert_int_equal(revision_of(source), 7);
	struct snapshot *held = snapshot_current(source);
	assert_int_equal(publish(f, 8, NULL), STATUS_OK);
	assert_int_equal(revision_of(source), 8);
	assert_int_equal(revision_of(source), 8);
	/* who holds the old one goes on with it */
	assert_int_equal(snapshot_data(held)->revision, 7);
	snapshot_unref(held);
	assert_int_equal(metric_read(METRIC_snapshot_loads_total, LOADED),
			 loads + 2);
	assert_int_equal(metric_read(METRIC_snapshot_publishes_total, OK),
			 oks + 2);
	snapshot_source_close(source);
	snapshot_source_close(NULL);
}

static void
a_process_starts_from_the_files(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(publish(f, 3, NULL), STATUS_OK);
	f->board->snapshot_generation = 0; /* a new board, the old files */
	struct snapshot_source *source = open_source(f);
	assert_int_equal(revision_of(source), 3);
	assert_int_equal(publish(f, 4, NULL), STATUS_OK);
	assert_int_equal(revision_of(source), 4);
	snapshot_source_close(source);
}

static void
a_refused_document_changes_nothing(void **state)
{
	struct fixture *f = *state;
	static const char bad[] = "{\"revision\":6,\"policies\":[{}]}";
	struct snapshot_source *source = open_source(f);
	struct err err = { 0 };
	int64_t refused = metric_read(METRIC_snapshot_publishes_total, REFUSED);

	assert_int_equal(publish(f, 5, NULL), STATUS_OK);
	assert_int_equal(
	    snapshot_publish(f->folder, f->board, bad, sizeof(bad) - 1, &err),
	    STATUS_BODY);
	assert_string_equal(err.items[0].pointer, "/policies/0/name");
	assert_int_equal(f->board->refused_revision, 6);
	assert_int_equal(f->board->policy_revision, 5);
	assert_int_equal(f->board->snapshot_generation, 1);
	assert_int_equal(metric_read(METRIC_snapshot_publishes_total, REFUSED),
			 refused + 1);
	assert_int_equal(revision_of(source), 5);
	snapshot_source_close(source);
	source = open_source(f); /* the files are the good ones, too */
	assert_int_equal(revision_of(source), 5);
	snapshot_source_close(source);
	assert_int_equal(snapshot_publish(f->folder, f->board, "{", 1, &err),
			 STATUS_JSON);
	/* a later good one takes the complaint away */
	assert_int_equal(publish(f, 7, NULL), STATUS_OK);
	assert_int_equal(f->board->refused_revision, 0);
}

static void
a_folder_that_cannot_be_written_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct fixture nowhere = { .folder = "/nonexistent",
				   .board = f->board };
	int64_t errors = metric_read(METRIC_snapshot_publishes_total, ERROR);
	char longest[5000];

	assert_int_equal(publish(&nowhere, 1, NULL), STATUS_IO);
	assert_int_equal(f->board->snapshot_generation, 0);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(
	    snapshot_publish(longest, f->board, "{\"revision\":1}", 14, NULL),
	    STATUS_IO);
	assert_int_equal(metric_read(METRIC_snapshot_publishes_total, ERROR),
			 errors + 2);
	struct snapshot_source *source = NULL;
	assert_int_equal(snapshot_source_open(longest, f->board, &source, NULL),
			 STATUS_IO);
	assert_null(source);
}

/* Change byte AT of the image; the header's words are in image.c. */
static void
damage(const struct fixture *f, off_t at)
{
	unsigned char byte;
	int fd = open(path_of(f, "snapshot.img"), O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void
a_damaged_image_is_compiled_anew(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(publish(f, 9, NULL), STATUS_OK);
	damage(f, 100);
	struct snapshot_source *source = open_source(f);
	assert_int_equal(revision_of(source), 9);
	snapshot_source_close(source);
	assert_int_equal(unlink(path_of(f, "snapshot.img")), 0);
	source = open_source(f);
	assert_int_equal(revision_of(source), 9);
	snapshot_source_close(source);
}

static void
what_cannot_be_opened_leaves_the_last_good_one(void **state)
{
	struct fixture *f = *state;
	struct snapshot_source *source = open_source(f);
	int64_t failures = metric_read(METRIC_snapshot_loads_total, NOT_LOADED);

	assert_int_equal(publish(f, 2, NULL), STATUS_OK);
	assert_int_equal(revision_of(source), 2);
	damage(f, 100);
	assert_int_equal(
	    replace_file(path_of(f, "snapshot.json"), "{", 1, NULL), STATUS_OK);
	f->board->snapshot_generation++;
	assert_int_equal(revision_of(source), 2);
	assert_int_equal(revision_of(source), 2); /* said once, tried once */
	assert_int_equal(metric_read(METRIC_snapshot_loads_total, NOT_LOADED),
			 failures + 1);
	/* a document that is a folder cannot even be read */
	assert_int_equal(unlink(path_of(f, "snapshot.json")), 0);
	assert_int_equal(mkdir(path_of(f, "snapshot.json"), 0700), 0);
	f->board->snapshot_generation++;
	assert_int_equal(revision_of(source), 2);
	assert_int_equal(rmdir(path_of(f, "snapshot.json")), 0);
	snapshot_source_close(source);
}

/* ---- several threads */

struct reader {
	pthread_t thread;
	struct snapshot_source *source;
	_Atomic bool *stop;
	int64_t newest;
	bool backwards;
};

static void *
read_on(void *arg)
{
	struct reader *reader = arg;

	while (!atomic_load(reader->stop)) {
		int64_t revision = revision_of(reader->source);

		reader->backwards |= revision < reader->newest;
		reader->newest = revision;
	}
	return NULL;
}

static void
no_thread_sees_half_of_a_revision(void **state)
{
	struct fixture *f = *state;
	struct reader readers[READERS] = { 0 };
	_Atomic bool stop = false;

	assert_int_equal(publish(f, 1, NULL), STATUS_OK);
	struct snapshot_source *source = open_source(f);
	for (int i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .source = source, .stop = &stop };
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
						read_on, &readers[i]),
				 0);
	}
	for (int revision = 2; revision <= PUBLISHES; revision++) {
		assert_int_equal(publish(f, revision, NULL), STATUS_OK);
	}
	/* a load may be under way: its thread ends it before it looks again */
	for (int i = 0; i < 1000 && revision_of(source) != PUBLISHES; i++) {
		usleep(1000);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		assert_false(readers[i].backwards);
		assert_true(readers[i].newest > 0);
	}
	assert_int_equal(revision_of(source), PUBLISHES);
	snapshot_source_close(source);
}

int
main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		EACH(what_is_published_is_followed),
		EACH(a_process_starts_from_the_files),
		EACH(a_refused_document_changes_nothing),
		EACH(a_folder_that_cannot_be_written_is_an_error),
		EACH(a_damaged_image_is_compiled_anew),
		EACH(what_cannot_be_opened_leaves_the_last_good_one),
		EACH(no_thread_sees_half_of_a_revision),
	};
	return cmocka_run_group_tests_name("snapshot_source", tests, NULL,
					   NULL);
}
