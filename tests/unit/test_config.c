#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "folder_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define HEAD "[ims-policy]\n"

static enum status
load_n(const char *text, size_t n, struct config *config, struct err *err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return config_load(path, config, err);
}

static enum status
load(const char *text, struct config *config, struct err *err)
{
	return load_n(text, strlen(text), config, err);
}

static void
an_empty_file_is_every_default(void **state)
{
	struct config defaults, config;
	struct err err = { 0 };

	(void)state;
	config_default(&defaults);
	assert_string_equal(defaults.state_dir, "/var/lib/ims-policy");
	assert_string_equal(defaults.pg_keeper, "");
	assert_int_equal(defaults.threads, 0);
	assert_int_equal(defaults.usage_rollup_retention_days, 0);
	assert_int_equal(defaults.body_max_bytes, 8388608);
	assert_int_equal(defaults.fail_mode, CONFIG_FAIL_OPEN);
	assert_int_equal(defaults.log_level, 1);
	assert_int_equal(defaults.start_keeper, 1);
	assert_int_equal(load("", &config, &err), STATUS_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
	assert_int_equal(load(HEAD, &config, &err), STATUS_OK);
	assert_memory_equal(&config, &defaults, sizeof(config));
}

static void
settings_are_read(void **state)
{
	struct config config;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
	    load("# a comment\n; another\n" HEAD "\n"
		 "state_dir=/run/x\n"
		 "  threads  =  1  \r\n"
		 "fail_mode = closed\n"
		 "start_keeper = no\n"
		 "pg_keeper = host=/run user=k password='a ; # b' \n"
		 "memcached: 127.0.0.1:11211,/run/mc\n"
		 "pg_api =\n"
		 "log_level = error",
		 &config, &err),
	    STATUS_OK);
	assert_string_equal(config.state_dir, "/run/x");
	assert_int_equal(config.threads, 1);
	assert_int_equal(config.fail_mode, CONFIG_FAIL_CLOSED);
	assert_int_equal(config.start_keeper, 0);
	assert_string_equal(config.pg_keeper,
			    "host=/run user=k password='a ; # b'");
	assert_string_equal(config.memcached, "127.0.0.1:11211,/run/mc");
	assert_string_equal(config.pg_api, "");
	assert_int_equal(config.log_level, 3);
}

static const struct {
	const char *text;
	const char *says; /* after the path */
} wrong[] = {
	{ "threads = 4\n", ":1: threads: not in the section [ims-policy]" },
	{ HEAD "[other]\nthreads = 4\n",
	  ":3: threads: not in the section [ims-policy]" },
	{ HEAD "thread = 4\n", ":2: thread: there is no such setting" },
	{ HEAD "Threads = 4\n", ":2: Threads: there is no such setting" },
	{ HEAD "= 4\n", ":2: there is no such setting" },
	{ HEAD "threads = 4\n\nthreads = 4\n",
	  ":4: threads: has a second value" },
	{ HEAD "pg_api = x\npg_api =\n", ":3: pg_api: has a second value" },
	{ HEAD "counter_wait_ms = 9\n",
	  ":2: counter_wait_ms: expected 10 to 60000 ms" },
	{ HEAD "threads = 257\n", ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads = -1\n", ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads =\n", ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads = 4k\n", ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads = 4.0\n", ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads = 4 ; many\n",
	  ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads = 0x10\n", ":2: threads: expected 0 to 256 threads" },
	{ HEAD "threads = 99999999999999999999\n",
	  ":2: threads: expected 0 to 256 threads" },
	{ HEAD "fail_mode = maybe\n", ":2: fail_mode: expected open|closed" },
	{ HEAD "fail_mode = open|closed\n",
	  ":2: fail_mode: expected open|closed" },
	{ HEAD "fail_mode = ope\n", ":2: fail_mode: expected open|closed" },
	{ HEAD "fail_mode =\n", ":2: fail_mode: expected open|closed" },
	{ HEAD "log_level = INFO\n",
	  ":2: log_level: expected debug|info|warning|error" },
	{ HEAD "threads\n", ":2: neither a section nor name = value" },
	{ HEAD "pg_api = host=x\n  user=y\n",
	  ":3: user: there is no such setting" },
	{ "[ims-policy\n", ":1: neither a section nor name = value" },
};

static void
wrong_files_are_refused_at_their_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		struct config config = { .threads = 42 };
		struct err err = { 0 };

		print_message("%s\n", wrong[i].text);
		assert_int_equal(load(wrong[i].text, &config, &err),
				 STATUS_BODY);
		assert_memory_equal(err.text, path, strlen(path));
		assert_string_equal(err.text + strlen(path), wrong[i].says);
		assert_int_equal(config.threads, 42); /* untouched */
	}
}

static void
numbers_hold_at_both_edges(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(load(HEAD "threads = 0\nbody_max_bytes = 1024\n"
				   "spool_max_bytes = 1099511627776\n",
			      &config, NULL),
			 STATUS_OK);
	assert_true(config.spool_max_bytes == INT64_C(1099511627776));
	assert_int_equal(load(HEAD "threads = 256\n", &config, NULL),
			 STATUS_OK);
	assert_int_equal(load(HEAD "body_max_bytes = 1023\n", &config, NULL),
			 STATUS_BODY);
	assert_int_equal(
	    load(HEAD "usage_rollup_retention_days = 36500\n", &config, NULL),
	    STATUS_OK);
	assert_int_equal(config.usage_rollup_retention_days, 36500);
	assert_int_equal(
	    load(HEAD "usage_rollup_retention_days = 36501\n", &config, NULL),
	    STATUS_BODY);
	assert_int_equal(
	    load(HEAD "usage_rollup_retention_days = -1\n", &config, NULL),
	    STATUS_BODY);
}

/* A line of N times x as a value. */
static enum status
load_long(const char *name, size_t n, struct config *config, struct err *err)
{
	struct buf text = { 0 };

	buf_printf(&text, HEAD "# first\n%s = ", name);
	for (size_t i = 0; i < n; i++) {
		buf_addc(&text, 'x');
	}
	buf_adds(&text, "\nthreads = 3\n");
	enum status status = load_n(text.data, text.len, config, err);
	buf_fini(&text);
	return status;
}

static void
long_texts_are_taken_whole_or_not_at_all(void **state)
{
	struct config config;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
	    load_long("pg_api", CONFIG_TEXT_BYTES - 1, &config, &err),
	    STATUS_OK);
	assert_int_equal(strlen(config.pg_api), CONFIG_TEXT_BYTES - 1);
	assert_int_equal(config.threads, 3);
	assert_int_equal(load_long("pg_api", CONFIG_TEXT_BYTES, &config, &err),
			 STATUS_BODY);
	assert_string_equal(err.text + strlen(path),
			    ":3: pg_api: the text is too long");
	assert_int_equal(load_long("pg_api", 100000, &config, &err),
			 STATUS_BODY);
	assert_string_equal(err.text + strlen(path),
			    ":3: the line is too long");
	assert_int_equal(load_n(HEAD "pg_api = a\0b\n", 26, &config, &err),
			 STATUS_BODY);
	assert_string_equal(err.text + strlen(path), ":2: a NUL is no text");
}

static void
a_file_that_cannot_be_read_says_why(void **state)
{
	struct config config;
	struct err err = { 0 };
	char missing[128];

	(void)state;
	snprintf(missing, sizeof(missing), "%s/missing", folder);
	assert_int_equal(config_load(missing, &config, &err), STATUS_IO);
	assert_non_null(strstr(err.text, "cannot open "));
	assert_non_null(strstr(err.text, missing));
	assert_int_equal(config_load(folder, &config, &err), STATUS_IO);
	assert_non_null(strstr(err.text, "cannot read "));
}

static void
the_environment_names_the_file(void **state)
{
	struct config config;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(load(HEAD "threads = 7\n", &config, &err), STATUS_OK);
	config.threads = 0;
	setenv("IMS_CONFIG", path, 1);
	assert_int_equal(config_load(NULL, &config, &err), STATUS_OK);
	assert_int_equal(config.threads, 7);
	unsetenv("IMS_CONFIG");
	if (access(CONFIG_PATH_DEFAULT, F_OK) != 0) {
		assert_int_equal(config_load(NULL, &config, &err), STATUS_IO);
		assert_non_null(strstr(err.text, CONFIG_PATH_DEFAULT));
	}
}

struct described {
	size_t n, texts, numbers, choices;
};

static void
count_row(void *arg, const struct config_row *row)
{
	struct described *d = arg;

	assert_true(row->name[0] != '\0' && row->doc[0] != '\0');
	assert_non_null(row->fallback);
	assert_string_equal(row->value, row->fallback);
	d->n++;
	d->texts += strcmp(row->kind, "text") == 0;
	d->numbers += strstr(row->kind, " to ") != NULL;
	d->choices += strchr(row->kind, '|') != NULL;
	if (strcmp(row->name, "threads") == 0) {
		assert_string_equal(row->kind, "0 to 256 threads");
		assert_string_equal(row->fallback, "0");
		assert_string_equal(row->unit, "threads");
	}
}

static void
every_setting_is_described(void **state)
{
	struct described d = { 0 };
	struct config config;

	(void)state;
	config_default(&config);
	config_describe(&config, count_row, &d);
	assert_true(d.n >= 20);
	assert_int_equal(d.n, d.texts + d.numbers + d.choices);
	assert_true(d.texts > 0 && d.numbers > 0 && d.choices > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_every_default),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test(wrong_files_are_refused_at_their_line),
		cmocka_unit_test(numbers_hold_at_both_edges),
		cmocka_unit_test(long_texts_are_taken_whole_or_not_at_all),
		cmocka_unit_test(a_file_that_cannot_be_read_says_why),
		cmocka_unit_test(the_environment_names_the_file),
		cmocka_unit_test(every_setting_is_described),
	};
	return cmocka_run_group_tests_name("config", tests, make_folder,
					   remove_folder);
}
