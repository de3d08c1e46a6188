#include "input.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[PATH_MAX];

char *
input_text(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	assert(text != NULL);
	if (n > 0) {
		memcpy(text, data, n);
	}
	text[n] = '\0';
	return text;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void
remove_folder(void)
{
	(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
input_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	if (folder[0] == '\0') {
		snprintf(folder, sizeof(folder), "%s/ims-fuzz.XXXXXX",
			 tmp != NULL ? tmp : "/tmp");
		char *made = mkdtemp(folder);
		assert(made != NULL);
		int rc = atexit(remove_folder);
		assert(rc == 0);
	}
	return folder;
}

void
input_write(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t written = fd < 0 ? -1 : write(fd, data, n);

	assert(written == (ssize_t)n);
	close(fd);
}

char *
input_source(const char *name, size_t *n)
{
	const char *root = getenv("srcdir");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root != NULL ? root : ".", name);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		fprintf(stderr, "%s cannot be read; srcdir names its tree\n",
			path);
		exit(EXIT_FAILURE);
	}
	int rc = fseek(file, 0, SEEK_END);
	long end = ftell(file);
	assert(rc == 0 && end >= 0);
	rewind(file);
	char *text = malloc((size_t)end + 1);
	assert(text != NULL);
	*n = fread(text, 1, (size_t)end, file);
	assert(*n == (size_t)end);
	text[*n] = '\0';
	fclose(file);
	return text;
}
