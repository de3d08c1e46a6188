/*
 * keeper_hosts: what is said of all registered hosts, about one epoch.
 */
#ifndef KEEPER_KEEPER_HOSTS_H
#define KEEPER_KEEPER_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/uuid.h"
#include "store/store_node.h"

enum { KEEPER_HOST_NAME_BYTES = 257 };

struct keeper_hosts {
	uint64_t epoch; /* asked for */
	size_t n;	/* that are registered */
	bool clean;	/* every one follows it and is drained past that */
	bool up;	/* every one that has one reaches its memcached */
	/* of those that are waited for, where they are not clean, the one that
	 * has been silent for longest */
	char waits_for[KEEPER_HOST_NAME_BYTES], spool_id[UUID_TEXT_BYTES];
	int64_t silent_ms;
};

enum status keeper_hosts(struct pg *pg, uint64_t epoch,
			 struct keeper_hosts *out, struct err *err) MUST_CHECK;

/* Say once a minute whom HOSTS wait for, if it is silent; TOLD_US is when it
 * was said, of CLOCK_MONOTONIC, 0: never. */
void keeper_hosts_tell(const struct keeper_hosts *hosts, int64_t *told_us);

#endif /* KEEPER_KEEPER_HOSTS_H */
