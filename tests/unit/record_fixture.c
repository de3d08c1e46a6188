#include "record_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void
fixture_reopen(struct fixture *f)
{
	struct err err;

	spool_close(f->spool);
	spool_reader_close(f->reader);
	assert_int_equal(spool_open(&f->config, f->board, &f->spool, &err),
			 STATUS_OK);
	assert_int_equal(
	    spool_reader_open(&f->config, f->board, &f->reader, &err),
	    STATUS_OK);
}

int
fixture_begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");
	struct err err;

	log_open("test", LOG_ERROR);
	config_default(&f->config);
	snprintf(f->config.state_dir, sizeof(f->config.state_dir),
		 "%s/ims-spool.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->config.state_dir));
	f->config.spool_segment_bytes = 65536;
	assert_int_equal(board_open(f->config.state_dir, &f->board, &err),
			 STATUS_OK);
	fixture_reopen(f);
	*state = f;
	return 0;
}

int
fixture_end(void **state)
{
	struct fixture *f = *state;
	char command[CONFIG_TEXT_BYTES + 16];

	spool_close(f->spool);
	spool_reader_close(f->reader);
	buf_fini(&f->out);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->config.state_dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

void
fixture_append(struct fixture *f, const char *text)
{
	struct err err;

	assert_int_equal(spool_append(f->spool, text, strlen(text), &err),
			 STATUS_OK);
}

size_t
fixture_read(struct fixture *f, size_t batch_bytes)
{
	struct err err;
	struct spool_place next;
	size_t n = 0;

	assert_int_equal(spool_reader_read(f->reader, f->at, batch_bytes,
					   &f->out, &n, &next, &err),
			 STATUS_OK);
	f->at = next;
	return n;
}

size_t
fixture_read_all(struct fixture *f)
{
	struct buf all = { .data = NULL };
	size_t sum = 0;

	for (size_t n; (n = fixture_read(f, 4096)) > 0; sum += n) {
		buf_add(&all, f->out.data, f->out.len);
	}
	buf_fini(&f->out);
	f->out = all;
	return sum;
}

char *
fixture_segment(const struct fixture *f, char out[SPOOL_FILE_PATH_BYTES])
{
	return spool_file_segment(f->config.state_dir, f->board->spool_segment,
				  out);
}

void
fixture_damage(const struct fixture *f, const void *bytes, size_t n)
{
	char path[SPOOL_FILE_PATH_BYTES];
	int fd = open(fixture_segment(f, path), O_WRONLY | O_APPEND);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void
count(void *arg, uint64_t number)
{
	(void)number;
	++*(size_t *)arg;
}

size_t
fixture_segments_n(const struct fixture *f)
{
	size_t n = 0;
	struct err err;

	assert_int_equal(spool_file_each(f->config.state_dir, count, &n, &err),
			 STATUS_OK);
	return n;
}

void
fixture_shell(const struct fixture *f, const char *command)
{
	char line[CONFIG_TEXT_BYTES + 256];

	snprintf(line, sizeof(line), "cd '%s' && %s", f->config.state_dir,
		 command);
	assert_int_equal(system(line), 0);
}
