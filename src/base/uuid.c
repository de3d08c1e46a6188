#include "base/uuid.h"

#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

enum {
	RANDOM_BYTES = 8,  /* of an id; 62 bits are used */
	POOL_BYTES = 256,  /* what getrandom gives in one piece, whole */
	ORDER_MAX = 0xfff, /* 12 bits */
	STEP_BACK_MS = 1000
};

/* A thread's own; zeroes are a valid start. */
struct generator {
	unsigned char pool[POOL_BYTES];
	size_t left;
	int64_t ms;
	int order;
};

static _Thread_local struct generator generator;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A child must not use the random bytes that its parent uses too. */
static void
forget_pool(void)
{
	generator.left = 0;
}

static void
watch_forks(void)
{
	int rc = pthread_atfork(NULL, NULL, forget_pool);

	assert(rc == 0);
}

static const unsigned char *
random_bytes(struct generator *g)
{
	if (g->left == 0) {
		pthread_once(&once, watch_forks);
		if (getrandom(g->pool, POOL_BYTES, 0) != POOL_BYTES) {
			log_error("cannot get random bytes for an id");
			abort();
		}
		g->left = POOL_BYTES;
	}
	g->left -= RANDOM_BYTES;
	return g->pool + g->left;
}

/*
 * RFC 9562, 6.2, method 3: the 12 bits are a finer clock; an id that would not
 * be above the thread's last one is that plus one.  So ids of several threads
 * are nearly in order too.  A clock that is set back by more than a second is
 * followed, so that ids stay near the time that they are asked for.
 */
static void
tick(struct generator *g, int64_t now_us)
{
	int64_t ms = now_us / 1000;
	int order = (int)(now_us % 1000 * (ORDER_MAX + 1) / 1000);

	if (ms > g->ms || ms < g->ms - STEP_BACK_MS ||
	    (ms == g->ms && order > g->order)) {
		g->ms = ms;
		g->order = order;
	} else if (g->order < ORDER_MAX) {
		g->order++;
	} else {
		g->ms++;
		g->order = 0;
	}
}

void
uuid_make(int64_t now_us, char out[UUID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	struct generator *g = &generator;
	unsigned char id[16];
	size_t at = 0;

	assert(now_us >= 0);
	tick(g, now_us);
	for (int i = 0; i < 6; i++) {
		id[i] = (unsigned char)(g->ms >> (8 * (5 - i)));
	}
	id[6] = (unsigned char)(0x70 | g->order >> 8);
	id[7] = (unsigned char)g->order;
	memcpy(id + 8, random_bytes(g), RANDOM_BYTES);
	id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			out[at++] = '-';
		}
		out[at++] = hex[id[i] >> 4];
		out[at++] = hex[id[i] & 0xf];
	}
	out[at] = '\0';
}

bool
uuid_valid(const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (i == UUID_TEXT_BYTES - 1 ||
		    (hyphen ? text[i] != '-'
			    : !isxdigit((unsigned char)text[i]))) {
			return false;
		}
	}
	return i == UUID_TEXT_BYTES - 1;
}
