#include "folder_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char folder[] = "/tmp/ims-test.XXXXXX";
char path[sizeof(folder) + sizeof("/file")];

int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}
