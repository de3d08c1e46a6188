/*
 * compile: from a source document to an image: read, content, freeze.
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "policy/image.h"

/* Larger documents are refused. */
enum { COMPILE_MAX_BYTES = 256 * 1024 * 1024 };

/* A document to be compiled. */
struct compile_job {
	const char *text; /* [n], with a NUL behind it */
	size_t n;
	uint64_t slot;	  /* of policy/image.h */
	int64_t made_us;  /* now */
	int64_t revision; /* out: as soon as it was read, also with an error */
};

/**
 * compile_image(job, out, err):
 * Compile JOB's document.
 *
 * Gives:   OUT, yours, end by image_builder_free.
 * Errors:  STATUS_JSON, STATUS_BODY, STATUS_TOO_LARGE; STATUS_FULL.
 */
enum status compile_image(struct compile_job *job, struct image_builder **out,
			  struct err *err) MUST_CHECK;

#endif /* POLICY_COMPILE_H */
