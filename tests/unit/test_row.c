#include "record/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/money.h"

/* What a text becomes in COPY text form. */
static const struct {
	const char *text, *want;
} texts[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "a\tb", "a\\tb" },
	{ "a\nb", "a\\nb" },
	{ "a\rb", "a\\rb" },
	{ "a\\b", "a\\\\b" },
	{ "\\N", "\\\\N" }, /* a text, not NULL */
	{ "\\.", "\\\\." }, /* a text, not the end of the copy */
	{ "\t\n\r\\", "\\t\\n\\r\\\\" },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ NULL, "\\N" },
};

static void
row_text_escapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf out = { .data = NULL };
		struct row row;
		char want[64] = "E";

		strcat(want, texts[i].want);
		row_begin(&row, &out, ROW_EVALUATIONS);
		row_text(&row, texts[i].text);
		assert_string_equal(buf_text(&out), want);
		buf_fini(&out);
	}
}

static void
row_of_each_type(void **state)
{
	struct buf out = { .data = NULL };
	struct row row;

	(void)state;
	row_begin(&row, &out, ROW_VIOLATIONS);
	row_int(&row, INT64_MIN);
	row_int(&row, 0);
	row_null(&row);
	row_bool(&row, true);
	row_bool(&row, false);
	row_money(&row, 187500000);
	row_money(&row, MONEY_UNKNOWN);
	row_money(&row, 0);
	row_ms(&row, 0);
	row_ms(&row, 83);
	row_ms(&row, 1234567);
	row_time(&row, INT64_C(1795409067123456));
	assert_string_equal(buf_text(&out),
			    "V-9223372036854775808\t0\t\\N\tt\tf\t0.1875\t\\N"
			    "\t0\t0.000\t0.083\t1234.567\t"
			    "2026-11-23T04:44:27.123456Z");
	buf_fini(&out);
}

/* Money that may be unknown, and a difference, which never is. */
static void
row_difference_has_no_unknown(void **state)
{
	struct buf out = { .data = NULL };
	struct row row;

	(void)state;
	row_begin(&row, &out, ROW_USAGE);
	row_money(&row, MONEY_UNKNOWN);
	row_difference(&row, MONEY_UNKNOWN);
	row_difference(&row, 0);
	row_difference(&row, 1);
	row_difference(&row, INT64_C(-2500000000));
	assert_string_equal(buf_text(&out),
			    "U\\N\t-0.000000001\t0\t0.000000001\t-2.5");
	buf_fini(&out);
}

/* Commas of a column list, counted from outside. */
static size_t
count(const char *columns)
{
	size_t n = 1;

	for (; *columns != '\0'; columns++) {
		n += *columns == ',';
	}
	return n;
}

static void
row_tables_are_named(void **state)
{
	(void)state;
	assert_string_equal(row_table_name(ROW_EVALUATIONS), "evaluations");
	assert_string_equal(row_table_name(ROW_VIOLATIONS),
			    "policy_violations");
	assert_string_equal(row_table_name(ROW_USAGE), "usage");
	assert_int_equal(row_table_letter(ROW_EVALUATIONS), 'E');
	assert_int_equal(row_table_letter(ROW_VIOLATIONS), 'V');
	assert_int_equal(row_table_letter(ROW_USAGE), 'U');
	for (int t = 0; t < ROW_TABLES; t++) {
		const char *columns = row_table_columns((enum row_table)t);
		assert_int_equal(row_table_columns_n((enum row_table)t),
				 count(columns));
		assert_null(strstr(columns, ",,"));
	}
	assert_memory_equal(row_table_columns(ROW_EVALUATIONS),
			    "\"evaluation_id\",\"timestamp\",", 28);
	assert_memory_equal(row_table_columns(ROW_VIOLATIONS),
			    "\"violation_id\",\"evaluation_id\",", 31);
	assert_memory_equal(row_table_columns(ROW_USAGE),
			    "\"evaluation_id\",\"entry\",", 24);
}

/* How many columns are put in, and does row_end (or the last one) abort? */
static int
aborts(size_t columns_n)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct buf out = { .data = NULL };
		struct row row;

		close(STDERR_FILENO);
		row_begin(&row, &out, ROW_EVALUATIONS);
		for (size_t i = 0; i < columns_n; i++) {
			row_null(&row);
		}
		row_end(&row);
		buf_fini(&out);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
row_end_counts_columns(void **state)
{
	size_t n = row_table_columns_n(ROW_EVALUATIONS);

	(void)state;
	assert_false(aborts(n));
	assert_true(aborts(n - 1));
	assert_true(aborts(n + 1));
}

static void
row_end_ends_the_line(void **state)
{
	struct buf out = { .data = NULL };
	struct row row;

	(void)state;
	for (int round = 0; round < 2; round++) {
		row_begin(&row, &out, ROW_VIOLATIONS);
		for (size_t i = 0; i < row_table_columns_n(ROW_VIOLATIONS);
		     i++) {
			row_int(&row, (int64_t)i);
		}
		row_end(&row);
	}
	assert_int_equal(out.data[out.len - 1], '\n');
	assert_non_null(strstr(out.data, "\nV0\t1\t"));
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_text_escapes),
		cmocka_unit_test(row_of_each_type),
		cmocka_unit_test(row_difference_has_no_unknown),
		cmocka_unit_test(row_tables_are_named),
		cmocka_unit_test(row_end_counts_columns),
		cmocka_unit_test(row_end_ends_the_line),
	};
	return cmocka_run_group_tests_name("row", tests, NULL, NULL);
}
