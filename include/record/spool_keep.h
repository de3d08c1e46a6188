/*
 * spool_keep: what the housekeeper does with the spool's files beside reading.
 */
#ifndef RECORD_SPOOL_KEEP_H
#define RECORD_SPOOL_KEEP_H

#include "base/board.h"
#include "base/buf.h"
#include "base/status.h"
#include "record/spool_file.h"

/* Delete the segments wholly before FROM, but for one that is written. */
void spool_keep_trim(const char *state_dir, struct board *board,
		     struct spool_place from);

/*
 * Put the true backlog behind FROM on the board, from the sizes of the files;
 * FROM NULL: not known, at most all of them.
 */
void spool_keep_account(const char *state_dir, struct board *board,
			const struct spool_place *from);

/*
 * Keep the payload that ends before PLACE, which PostgreSQL refused, as
 * state_dir/spool/rejected/<segment>-<offset>.txt, with WHY in its first line.
 */
enum status spool_keep_rejected(const char *state_dir, struct spool_place place,
				const struct buf *payload, const char *why,
				struct err *err) MUST_CHECK;

#endif /* RECORD_SPOOL_KEEP_H */
