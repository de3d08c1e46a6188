/*
 * memcached_fixture: memcached servers of a test program's own, and a server
 * that answers what a test wants.
 */
#ifndef MEMCACHED_FIXTURE_H
#define MEMCACHED_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MEMCACHED_OPTIONS = 8 };

struct memcached_process {
	pid_t pid;	/* 0: it does not run */
	char where[96]; /* for the setting `memcached` */
	const char *options[MEMCACHED_OPTIONS]; /* besides where; NULL ends */
};

/* A folder for sockets; false: memcached is not installed. */
bool memcached_fixture_begin(void);
void memcached_fixture_end(void);

/* A name in the folder that nobody has used. */
void memcached_fixture_path(char out[96]);

/* Start one, on a socket of its own or on a TCP port, and wait for it. */
void memcached_fixture_start(struct memcached_process *process);
void memcached_fixture_start_tcp(struct memcached_process *process);
/* Again, at the same place. */
void memcached_fixture_restart(struct memcached_process *process);
/* kill -9, and wait for its end; of one that does not run: nothing. */
void memcached_fixture_kill(struct memcached_process *process);

/* Stop it; none of its threads runs when this returns. */
void memcached_fixture_stop(struct memcached_process *process);

/* Send it REQUEST and get what it says in the next moments, up to a NUL. */
void memcached_fixture_say(const struct memcached_process *process,
			   const char *request, char *out, size_t out_n);

/*
 * A server that waits for a request that has FOR in it, and answers ANSWER, in
 * which each '#' stands for the number behind the last "O" of the request;
 * again for every connection.  Of which CLOSES is true it closes each then.
 */
struct memcached_fake {
	const char *path;
	const char *expected;
	const char *answer;
	const char *then; /* the answer to the next; NULL: the same */
	bool closes;
	int64_t slow_us; /* between two bytes */
	/* its own */
	int listener;
	void *thread;
	char at[96];
	_Atomic int connections;
	int answers;
};
void memcached_fixture_fake(struct memcached_fake *fake);
/* Only its listener, from which nobody accepts; close it. */
void memcached_fixture_deaf(struct memcached_fake *fake);
void memcached_fixture_fake_end(struct memcached_fake *fake);

#endif /* MEMCACHED_FIXTURE_H */
