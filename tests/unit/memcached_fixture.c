#include "memcached_fixture.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { READY_US = 10 * 1000000, STEP_US = 5000, SAY_MS = 50 };

static char folder[] = "/tmp/ims-memcached.XXXXXX";
static const char *program;
static unsigned names;

bool
memcached_fixture_begin(void)
{
	static const char *const places[] = { "/usr/bin/memcached",
					      "/usr/sbin/memcached",
					      "/usr/local/bin/memcached" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], X_OK) == 0) {
			program = places[i];
		}
	}
	if (program == NULL) {
		fprintf(stderr, "skipped: memcached is not installed\n");
		return false;
	}
	char *made = mkdtemp(folder);
	assert(made != NULL);
	return true;
}

void
memcached_fixture_path(char out[96])
{
	snprintf(out, 96, "%s/%u", folder, ++names);
}

void
memcached_fixture_end(void)
{
	char path[96];

	for (unsigned i = 1; i <= names; i++) {
		snprintf(path, sizeof(path), "%s/%u", folder, i);
		unlink(path);
	}
	rmdir(folder);
}

static int
dial(const char *where)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_in net = { .sin_family = AF_INET };
	const bool is_path = where[0] == '/';
	int fd =
	    socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	assert(fd >= 0);
	if (is_path) {
		snprintf(local.sun_path, sizeof(local.sun_path), "%s", where);
		rc =
		    connect(fd, (const struct sockaddr *)&local, sizeof(local));
	} else {
		net.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		net.sin_port =
		    htons((uint16_t)strtoul(strchr(where, ':') + 1, NULL, 10));
		rc = connect(fd, (const struct sockaddr *)&net, sizeof(net));
	}
	if (rc != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
run(const struct memcached_process *process)
{
	const char *args[16 + MEMCACHED_OPTIONS] = { program, "-U", "0", "-t",
						     "2" };
	size_t n = 5;

	if (geteuid() == 0) {
		args[n++] = "-u";
		args[n++] = "root";
	}
	if (process->where[0] == '/') {
		args[n++] = "-s";
		args[n++] = process->where;
	} else {
		args[n++] = "-l";
		args[n++] = "127.0.0.1";
		args[n++] = "-p";
		args[n++] = strchr(process->where, ':') + 1;
	}
	for (size_t i = 0; process->options[i] != NULL; i++) {
		args[n++] = process->options[i];
	}
	/* it must not outlive the test, however that ends */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	union {
		const char **in;
		char *const *out;
	} argv = { .in = args };
	execv(program, argv.out);
	_exit(127);
}

void
memcached_fixture_restart(struct memcached_process *process)
{
	const int64_t until_us = clock_mono_us() + READY_US;
	int fd = -1;

	unlink(process->where);
	process->pid = fork();
	assert(process->pid >= 0);
	if (process->pid == 0) {
		run(process);
	}
	while ((fd = dial(process->where)) < 0) {
		assert(clock_mono_us() < until_us);
		clock_sleep_us(STEP_US);
	}
	close(fd);
}

void
memcached_fixture_start(struct memcached_process *process)
{
	memcached_fixture_path(process->where);
	memcached_fixture_restart(process);
}

void
memcached_fixture_start_tcp(struct memcached_process *process)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* a port that is free now */
	int rc = bind(fd, (struct sockaddr *)&at, n) +
		 getsockname(fd, (struct sockaddr *)&at, &n);
	assert(rc == 0);
	close(fd);
	snprintf(process->where, sizeof(process->where), "127.0.0.1:%u",
		 (unsigned)ntohs(at.sin_port));
	memcached_fixture_restart(process);
}

void
memcached_fixture_stop(struct memcached_process *process)
{
	int status = 0;

	kill(process->pid, SIGSTOP);
	pid_t stopped = waitpid(process->pid, &status, WUNTRACED);
	assert(stopped == process->pid && WIFSTOPPED(status));
}

void
memcached_fixture_kill(struct memcached_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
		process->pid = 0;
	}
}

void
memcached_fixture_say(const struct memcached_process *process,
		      const char *request, char *out, size_t out_n)
{
	size_t at = 0;
	int fd = dial(process->where);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t n = write(fd, request, strlen(request));

	assert(n == (ssize_t)strlen(request));
	while (at + 1 < out_n && poll(&ready, 1, SAY_MS) > 0) {
		n = read(fd, out + at, out_n - 1 - at);
		if (n <= 0) {
			break;
		}
		at += (size_t)n;
	}
	out[at] = '\0';
	close(fd);
}

/* ---- a server that answers what a test wants */

static void
send_answer(struct memcached_fake *fake, int fd, const char *request)
{
	const char *answer = fake->answers++ > 0 && fake->then != NULL
				 ? fake->then
				 : fake->answer;
	const char *number = strrchr(request, 'O');
	const size_t number_n =
	    number != NULL ? strspn(number + 1, "0123456789") : 0;

	for (const char *at = answer; *at != '\0'; at++) {
		const char *bytes = *at == '#' ? number + 1 : at;
		size_t n = *at == '#' ? number_n : 1;
		/* as much as can be at once */
		while (fake->slow_us == 0 && *at != '#' && at[1] != '\0' &&
		       at[1] != '#') {
			at++;
			n++;
		}
		if (send(fd, bytes, n, MSG_NOSIGNAL) < 0) {
			return;
		}
		if (fake->slow_us > 0) {
			clock_sleep_us(fake->slow_us);
		}
	}
}

static void
serve(struct memcached_fake *fake, int fd)
{
	char request[4096];
	size_t at = 0;

	for (;;) {
		ssize_t n = 0;
		request[at] = '\0';
		if (strstr(request, fake->expected) != NULL) {
			send_answer(fake, fd, request);
			at = 0;
			if (fake->closes) {
				return;
			}
		}
		n = read(fd, request + at, sizeof(request) - 1 - at);
		if (n <= 0) {
			return;
		}
		at += (size_t)n;
	}
}

static void *
serve_all(void *arg)
{
	struct memcached_fake *fake = arg;

	for (;;) {
		int fd = accept(fake->listener, NULL, NULL);
		if (fd < 0) {
			return NULL;
		}
		fake->connections++;
		serve(fake, fd);
		close(fd);
	}
}

void
memcached_fixture_deaf(struct memcached_fake *fake)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	memcached_fixture_path(fake->at);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", fake->at);
	fake->path = fake->at;
	fake->connections = 0;
	fake->answers = 0;
	fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc = bind(fake->listener, (struct sockaddr *)&at, sizeof(at)) +
		 listen(fake->listener, 16);
	assert(rc == 0);
}

void
memcached_fixture_fake(struct memcached_fake *fake)
{
	pthread_t *thread = malloc(sizeof(*thread));

	memcached_fixture_deaf(fake);
	int rc = pthread_create(thread, NULL, serve_all, fake);
	assert(rc == 0);
	fake->thread = thread;
}

/* When no client is connected any more. */
void
memcached_fixture_fake_end(struct memcached_fake *fake)
{
	pthread_t *thread = fake->thread;

	shutdown(fake->listener, SHUT_RDWR);
	pthread_join(*thread, NULL);
	close(fake->listener);
	free(thread);
}
