/*
 * engines: something that can be asked for a decision, in several ways.
 *
 * The world is tests/decisions/world/seed.json and a policy about words,
 * compiled once; the records are kept here instead of in a spool
 * (-Wl,--wrap=spool_append).
 */
#ifndef FUZZ_ENGINES_H
#define FUZZ_ENGINES_H

#include "engine/engine.h"

enum { ENGINES_N = 4 };

/*
 * Ask engine I for a decision.  RECORD: what it recorded, borrowed until the
 * next call; NULL where it was refused that, as by a full disk.
 */
enum status engines_ask(int i, const char *body, size_t n, struct arena *arena,
			struct engine_answer *out, const struct buf **record,
			struct err *err) MUST_CHECK;

#endif /* FUZZ_ENGINES_H */
