/*
 * memcached_link: one connection to one server, and running the requests of
 * one call on several of them at once.
 *
 *	memcached_link_ask	each server that the call needs
 *	  (add requests to link->out, count them in link->wants)
 *	memcached_link_run	all of them: one write and one read a server
 *	link->state		LINK_DONE: every request was answered
 *
 * A connection on which anything went wrong is closed: an answer that comes
 * too late is never taken for that of another request.  Knows sockets and
 * times, and not what the requests mean.
 */
#ifndef COUNTER_MEMCACHED_LINK_H
#define COUNTER_MEMCACHED_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "counter/memcached_address.h"
#include "counter/memcached_down.h"
#include "counter/memcached_wire.h"

enum memcached_link_state {
	LINK_IDLE, /* nothing is asked */
	LINK_CONNECTING,
	LINK_BUSY,
	LINK_DONE, /* all was sent, all was answered, nothing else came */
	LINK_LOST
};

struct memcached_link {
	enum memcached_link_state state;
	/* of the call; filled by its caller after memcached_link_ask */
	struct buf out;
	size_t wants; /* answers that will come; 0: LINK_DONE when sent */
	size_t quiet; /* requests in it whose answers are not waited for */
	bool again;   /* harmless when the server gets all of it twice */
	/* so far; to be read when it has run */
	size_t sent; /* bytes of out that the server may know */
	size_t got;  /* answers */
	/* its own */
	struct memcached_address address;
	size_t address_at; /* being tried */
	struct memcached_down *down, own_down;
	int fd;	      /* -1: none */
	bool fresh;   /* connected for this call */
	bool heard;   /* anything was received for this call */
	size_t loose; /* quiet requests since the last fence */
	bool fences;  /* out begins with one, */
	bool fenced;  /* and what comes before its answer is of earlier calls */
	int64_t since_us;
	struct buf in;
};

void memcached_link_init(struct memcached_link *link,
			 const struct memcached_place_server *server);
void memcached_link_fini(struct memcached_link *link);

/*
 * Begin a call on LINK; WAITS: for answers, so that what quiet requests before
 * it left behind must be told from them.  False: the server is down, LINK_LOST.
 */
bool memcached_link_ask(struct memcached_link *link, int64_t now_us,
			bool waits);

enum memcached_link_answer {
	ANSWER_TAKEN,
	ANSWER_MORE, /* its next line belongs to the same request */
	ANSWER_WRONG /* nobody asked for that: close the connection */
};

/* Called for each answer, in the order of the requests: the I-th of LINK.
 * REPLY is borrowed for the call. */
typedef enum memcached_link_answer
memcached_link_fn(void *arg, struct memcached_link *link, size_t i,
		  const struct memcached_wire_reply *reply);

/* Run all of the N LINKS that were asked, until DEADLINE_US (monotonic). */
void memcached_link_run(struct memcached_link *const *links, size_t n,
			int64_t deadline_us, memcached_link_fn *fn, void *arg);

#endif /* COUNTER_MEMCACHED_LINK_H */
