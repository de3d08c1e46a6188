/*
 * pattern_set: the bytes of a compiled set, between pattern_compile.c, which
 * writes them, and pattern.c, which opens them: this head, then ITEMS_N items,
 * then Hyperscan's serialized database.
 */
#ifndef TEXT_PATTERN_SET_H
#define TEXT_PATTERN_SET_H

#include <stdint.h>

#define PATTERN_SET_MAGIC UINT64_C(0x3130746170736d69) /* "imspat01" */

struct pattern_set_head {
	uint64_t magic;
	uint32_t kind; /* enum pattern_kind */
	uint32_t items_n;
	uint64_t database_bytes;
};

struct pattern_set_item {
	uint32_t id;
	uint32_t bytes;	    /* length of a keyword */
	uint32_t has_start; /* of a regex: Hyperscan says where it begins */
};

#endif /* TEXT_PATTERN_SET_H */
