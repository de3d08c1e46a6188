#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Sizes around that of one read. */
static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };

static void
reads_the_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char path[] = "/tmp/ims-file.XXXXXX";
		struct buf got = { 0 };
		int fd = mkstemp(path);
		FILE *file = fdopen(fd, "w");

		assert_non_null(file);
		for (size_t at = 0; at < sizes[i]; at++) {
			fputc((int)(at % 251), file);
		}
		assert_int_equal(fclose(file), 0);
		buf_adds(&got, "before");
		assert_int_equal(file_read(path, &got, NULL), STATUS_OK);
		assert_int_equal(got.len, 6 + sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++) {
			assert_int_equal((unsigned char)got.data[6 + at],
					 at % 251);
		}
		buf_fini(&got);
		assert_int_equal(file_read(path, &got, NULL), STATUS_OK);
		assert_int_equal(
		    strlen(buf_text(&got)),
		    0); /* the first byte is a NUL, or it is empty */
		buf_fini(&got);
		unlink(path);
	}
}

static void
says_why_it_could_not(void **state)
{
	static const struct {
		const char *path;
		enum status status;
	} rows[] = {
		{ "/nowhere/at/all", STATUS_NOT_FOUND },
		{ "/tmp", STATUS_IO },		/* a folder */
		{ "/etc/passwd/x", STATUS_IO }, /* no folder */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf got = { 0 };
		struct err err;

		assert_int_equal(file_read(rows[i].path, &got, &err),
				 rows[i].status);
		assert_non_null(strstr(err.text, rows[i].path));
		buf_fini(&got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_whole),
		cmocka_unit_test(says_why_it_could_not),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
