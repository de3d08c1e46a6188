#include "ctl/ctl.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

const char *
ctl_author(void)
{
	static char author[128];
	const char *name = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(geteuid());

	if (name == NULL || name[0] == '\0') {
		name = user != NULL ? user->pw_name : "unknown";
	}
	snprintf(author, sizeof(author), "%s", name);
	return author;
}

enum status
ctl_read_file(const char *path, struct buf *out, struct err *err)
{
	return file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, out,
			 err);
}

static int
is_sql(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && n < 256 && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + n - 4, ".sql") == 0;
}

static int
is_numbered(const struct dirent *entry)
{
	const unsigned char *name = (const unsigned char *)entry->d_name;

	return is_sql(entry) && isdigit(name[0]) && isdigit(name[1]) &&
	       isdigit(name[2]) && name[3] == '_';
}

/* Read one file; the newlines at its end do not count. */
static enum status
read_sql(const char *folder, const char *name, struct ctl_file *out,
	 struct err *err)
{
	char path[4096 + 256];

	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	enum status status = ctl_read_file(path, &out->text, err);
	if (status != STATUS_OK) {
		return status;
	}
	if (memchr(buf_text(&out->text), '\0', out->text.len) != NULL) {
		return err_set(err, STATUS_IO, "%s is no text", path);
	}
	while (out->text.len > 0 && out->text.data[out->text.len - 1] == '\n') {
		out->text.data[--out->text.len] = '\0';
	}
	return STATUS_OK;
}

enum status
ctl_files_read(const char *folder, int numbered, struct ctl_files *out,
	       struct err *err)
{
	struct dirent **names = NULL;
	int n =
	    scandir(folder, &names, numbered ? is_numbered : is_sql, alphasort);
	enum status status = STATUS_OK;

	if (n < 0) {
		return err_set(err, STATUS_IO, "cannot read folder %s: %s",
			       folder, strerror(errno));
	}
	struct ctl_files files = { .n = (size_t)n };
	files.files = memory_get((size_t)n * sizeof(*files.files));
	memset(files.files, 0, (size_t)n * sizeof(*files.files));
	for (int i = 0; i < n; i++) {
		if (status == STATUS_OK) {
			status = read_sql(folder, names[i]->d_name,
					  &files.files[i], err);
		}
		free(names[i]);
	}
	free(names);
	if (status == STATUS_OK && n == 0) {
		status = err_set(err, STATUS_NOT_FOUND,
				 "there is no *.sql file in %s", folder);
	}
	if (status != STATUS_OK) {
		ctl_files_free(&files);
		return status;
	}
	*out = files;
	return STATUS_OK;
}

void
ctl_files_free(struct ctl_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		buf_fini(&files->files[i].text);
	}
	free(files->files);
}
