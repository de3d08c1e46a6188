/*
 * replay: feed files to a fuzz target as an ordinary test.
 *
 * Without arguments it takes every file of $srcdir/tests/fuzz/seeds/<name>,
 * where the program's own name is replay_<name>; with arguments, these files
 * (an input that the fuzzer found).  Passing is not crashing; a folder without
 * seeds fails.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool
replay_file(const char *path, int number)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long n = -1;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
		n = ftell(file);
		rewind(file);
	}
	if (n < 0) {
		printf("not ok %d - %s: %s\n", number, path, strerror(errno));
		if (file != NULL) {
			fclose(file);
		}
		return false;
	}
	/* Of the exact size, so that a read past the end is found. */
	data = malloc(n == 0 ? 1 : (size_t)n);
	assert(data != NULL);
	assert(fread(data, 1, (size_t)n, file) == (size_t)n);
	fclose(file);
	fprintf(stderr, "# %s\n", path);
	LLVMFuzzerTestOneInput(data, (size_t)n);
	free(data);
	printf("ok %d - %s\n", number, path);
	return true;
}

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
replay_folder(const char *folder)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_seed, alphasort);
	int failed = 0;

	if (n <= 0) {
		printf("not ok 1 - no seeds in %s\n", folder);
		return EXIT_FAILURE;
	}
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX + NAME_MAX + 2];

		snprintf(path, sizeof(path), "%s/%s", folder,
			 entries[i]->d_name);
		failed += !replay_file(path, i + 1);
		free(entries[i]);
	}
	free(entries);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *root = getenv("srcdir");
	const char *name = strstr(program_invocation_short_name, "replay_");
	char folder[PATH_MAX];
	int failed = 0;

	if (argc > 1) {
		for (int i = 1; i < argc; i++) {
			failed += !replay_file(argv[i], i);
		}
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	assert(name != NULL);
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/seeds/%s",
		 root == NULL ? "." : root, name + strlen("replay_"));
	return replay_folder(folder);
}
