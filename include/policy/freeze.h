/*
 * freeze: what was read, copied into an image, pointers and all.
 */
#ifndef POLICY_FREEZE_H
#define POLICY_FREEZE_H

#include "policy/content.h"
#include "policy/image.h"
#include "policy/source_parts.h"

/*
 * A number that changes with any struct that freeze writes, and with the
 * tables that say what their numbers mean.
 */
uint64_t freeze_shape(void);

/* Everything of a snapshot into BUILDER, which is new; ARENA for the index. */
void freeze(struct image_builder *builder, const struct source *source,
	    const struct content *content, int64_t made_us,
	    struct arena *arena);

#endif /* POLICY_FREEZE_H */
