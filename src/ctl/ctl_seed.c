#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>

#include "store/store_migrate.h"

#ifndef PKGDATADIR
#define PKGDATADIR "/usr/share/ims-policy"
#endif

static int
run(const struct ctl *ctl, const char *folder, const struct ctl_files *files)
{
	struct err err;
	int code = CTL_OK;
	struct pg *pg = ctl_pg(ctl);

	if (pg == NULL) {
		return CTL_FAILED;
	}
	for (size_t i = 0; i < files->n && code == CTL_OK; i++) {
		const struct ctl_file *file = &files->files[i];
		if (store_migrate_seed(pg, buf_text(&file->text), &err) !=
		    STATUS_OK) {
			code = ctl_failed(ctl, &err, "load %s/%s", folder,
					  file->name);
		} else {
			printf("loaded %s\n", file->name);
			fflush(stdout);
		}
	}
	pg_free(pg);
	return code;
}

int
ctl_seed(const struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	const char *folder = PKGDATADIR "/seed";
	struct ctl_files files;
	struct err err;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c != 'd') {
			return ctl_usage(ctl, "%s", "");
		}
		folder = optarg;
	}
	if (optind < argc) {
		return ctl_usage(ctl, "unexpected: %s", argv[optind]);
	}
	if (ctl_files_read(folder, 0, &files, &err) != STATUS_OK) {
		return ctl_failed(ctl, &err, "find the seed (--seed DIR)");
	}
	int code = run(ctl, folder, &files);
	ctl_files_free(&files);
	return code;
}
