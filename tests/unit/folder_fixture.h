/* folder_fixture: a folder of a test program's own, for one file. */
#ifndef FOLDER_FIXTURE_H
#define FOLDER_FIXTURE_H

extern char folder[]; /* made by make_folder */
extern char path[];   /* of the file in it, which is not there at first */

/* Set-up and tear-down of a group of tests; the second fails where anything
 * but the file was left. */
int make_folder(void **state);
int remove_folder(void **state);

#endif /* FOLDER_FIXTURE_H */
