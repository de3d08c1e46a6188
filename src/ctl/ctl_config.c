#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

/* A connection string may hold a password. */
static const char *
shown(const struct config_row *row)
{
	if (row->value[0] == '\0') {
		return "-";
	}
	return strcmp(row->kind, "text") == 0 &&
		       (strstr(row->value, "password") != NULL ||
			strstr(row->value, "://") != NULL)
		   ? "(set, not shown)"
		   : row->value;
}

static void
print_row(void *arg, const struct config_row *row)
{
	const char *space = row->unit[0] != '\0' ? " " : "";

	(void)arg;
	printf("%-28s %s%s%s", row->name, shown(row), space, row->unit);
	if (strcmp(row->value, row->fallback) != 0) {
		printf("  (default %s%s%s)",
		       row->fallback[0] != '\0' ? row->fallback : "-", space,
		       row->unit);
	}
	printf("\n    %s\n", row->doc);
}

int
ctl_config(const struct ctl *ctl, int argc, char **argv)
{
	if (argc > 1) {
		return ctl_usage(ctl, "unexpected: %s", argv[1]);
	}
	printf("# %s\n", ctl->config_path);
	config_describe(&ctl->config, print_row, NULL);
	return CTL_OK;
}
