#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/exchange.h"

/*
 * How the workers stop.  They have every signal blocked; only while one waits
 * for a connection is WAKE_SIGNAL let through, and its handler, set without
 * SA_RESTART, does nothing but end the wait.  So no request is ever cut off
 * by a signal, which is why the connections are accepted here and handed to
 * libfcgi, whose own accept also waits for and reads the first record, and
 * drops a connection that a signal (or FCGX_ShutdownPending) meets there.
 */
#define WAKE_SIGNAL SIGUSR2

enum {
	WAKE_AGAIN_US = 2000,	 /* while a worker has not stopped */
	NO_RESOURCES_US = 10000, /* before accept is tried again */
	NO_SOCKET = -1,		 /* libfcgi has nothing to accept from */
};

struct worker {
	pthread_t thread;
	struct server *server;
	_Atomic bool gone;
	FCGX_Request fcgi;
};

struct server {
	const struct http_server_settings *settings;
	const struct http_app *app;
	int listen_fd;
	struct worker *workers; /* [workers_n] */
	int workers_n;
};

static _Atomic bool stopping;

bool
http_server_is_cgi(void)
{
	return FCGX_IsCGI() != 0;
}

void
http_server_stop(void)
{
	atomic_store(&stopping, true);
	/* Blocked everywhere, so it ends the sigtimedwait of the run. */
	(void)kill(getpid(), SIGUSR1);
}

/* ---- a worker */

static void
wake_allow(bool allow)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, WAKE_SIGNAL);
	(void)pthread_sigmask(allow ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* The next connection, or -1 with errno. */
static int
accept_awake(int listen_fd)
{
	wake_allow(true);
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	int saved = errno;
	wake_allow(false);
	errno = saved;
	return fd;
}

/* Wait for bytes on the connection that the web server keeps; errors and the
 * end are bytes too: libfcgi sees to them. */
static void
wait_awake(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	wake_allow(true);
	(void)poll(&pollfd, 1, -1);
	wake_allow(false);
}

/* What accept failed with: wait, go on, or give up. */
static void
accept_failed(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		log_warning("cannot accept a connection: %s", strerror(error));
		clock_sleep_us(NO_RESOURCES_US);
		break;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		log_error("cannot accept connections: %s", strerror(error));
		http_server_stop();
		break;
	default: /* EINTR, or what the peer did: ECONNABORTED ... */
		break;
	}
}

/* Let libfcgi read its next request from FD.  Kept, or its accept would close
 * FD as that of a finished request. */
static void
give_connection(FCGX_Request *fcgi, int fd)
{
	fcgi->ipcFd = fd;
	fcgi->keepConnection = 1;
}

/* Is there a connection that may have a request?  False: it is time to go. */
static bool
worker_wait(struct worker *worker)
{
	FCGX_Request *fcgi = &worker->fcgi;

	while (!atomic_load(&stopping)) {
		if (fcgi->ipcFd >= 0) {
			wait_awake(fcgi->ipcFd);
			return !atomic_load(&stopping);
		}
		int fd = accept_awake(worker->server->listen_fd);
		if (fd >= 0) {
			give_connection(fcgi, fd);
			return true;
		}
		accept_failed(errno);
	}
	return false;
}

static const char *
worker_param(const struct http_request *req, const char *name)
{
	const struct worker *worker = req->transport;

	return FCGX_GetParam(name, worker->fcgi.envp);
}

static int64_t
worker_read(void *transport, char *bytes, size_t n)
{
	struct worker *worker = transport;
	FCGX_Stream *in = worker->fcgi.in;
	int got = FCGX_GetStr(bytes, (int)n, in);

	return FCGX_GetError(in) != 0 ? -1 : got;
}

static void
worker_serve(struct worker *worker, struct http_exchange *exchange)
{
	FCGX_Request *fcgi = &worker->fcgi;
	const struct http_transport transport = { .param = worker_param,
						  .read = worker_read,
						  .transport = worker };

	http_exchange_run(exchange, &transport);
	assert(exchange->out.len <= INT32_MAX);
	(void)FCGX_PutStr(exchange->out.data, (int)exchange->out.len,
			  fcgi->out);
	if (exchange->undrained) {
		fcgi->keepConnection = 0;
	}
	if (fcgi->keepConnection == 0) {
		/* Close at once.  libfcgi would wait for the web server to
		 * close first, so as to read what it may still send; but
		 * either all is read, or it is more than anybody wants. */
		FCGX_Detach(fcgi);
	}
	FCGX_Finish_r(fcgi);
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	const struct server *server = worker->server;
	struct http_exchange exchange;

	http_exchange_init(&exchange, server->app,
			   server->settings->body_max_bytes);
	(void)FCGX_InitRequest(&worker->fcgi, NO_SOCKET, 0);
	while (worker_wait(worker)) {
		if (FCGX_Accept_r(&worker->fcgi) == 0) {
			worker_serve(worker, &exchange);
		}
		/* else: no FastCGI, and libfcgi has closed it */
	}
	if (worker->fcgi.ipcFd >= 0) {
		FCGX_Detach(&worker->fcgi);
		FCGX_Free(&worker->fcgi, 1);
	}
	http_exchange_fini(&exchange);
	atomic_store(&worker->gone, true);
	return NULL;
}

/* ---- the socket */

/* Does somebody listen at ADDRESS? */
static bool
is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)address,
					sizeof(*address)) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return alive;
}

static enum status
listen_bind(int fd, const struct sockaddr_un *address, int backlog,
	    struct err *err)
{
	struct stat old;

	/* A socket that nobody listens at was left behind by a killed one. */
	if (lstat(address->sun_path, &old) == 0 && S_ISSOCK(old.st_mode)) {
		if (is_alive(address)) {
			return err_set(err, STATUS_BUSY,
				       "another process listens at %s",
				       address->sun_path);
		}
		(void)unlink(address->sun_path);
	}
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
	    chmod(address->sun_path, 0660) != 0 || listen(fd, backlog) != 0) {
		return err_set(err, STATUS_IO, "cannot listen at %s: %s",
			       address->sun_path, strerror(errno));
	}
	return STATUS_OK;
}

static enum status
listen_open(const char *path, int backlog, int *out, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		return err_set(err, STATUS_IO,
			       "the socket's path is longer than %zu bytes",
			       sizeof(address.sun_path) - 1);
	}
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return err_set(err, STATUS_IO, "cannot make a socket: %s",
			       strerror(errno));
	}
	/* Nobody but us may connect before chmod has said who may. */
	mode_t mask = umask(0177);
	enum status status = listen_bind(fd, &address, backlog, err);
	(void)umask(mask);
	if (status != STATUS_OK) {
		close(fd);
		return status;
	}
	*out = fd;
	return STATUS_OK;
}

/* ---- start and stop */

static void
wake_handler(int number)
{
	(void)number;
}

static void
signals_open(sigset_t *stop_set)
{
	struct sigaction wake = { .sa_handler = wake_handler };

	sigemptyset(&wake.sa_mask);
	(void)sigaction(WAKE_SIGNAL, &wake, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(stop_set);
	sigaddset(stop_set, SIGTERM);
	sigaddset(stop_set, SIGINT);
	sigaddset(stop_set, SIGUSR1);
	sigset_t blocked = *stop_set;
	sigaddset(&blocked, WAKE_SIGNAL);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, NULL);
}

static enum status
workers_start(struct server *server, struct err *err)
{
	for (int i = 0; i < server->settings->threads; i++) {
		struct worker *worker = &server->workers[i];
		worker->server = server;
		int error =
		    pthread_create(&worker->thread, NULL, worker_main, worker);
		if (error != 0) {
			return err_set(err, STATUS_INTERNAL,
				       "cannot start thread %d: %s", i + 1,
				       strerror(error));
		}
		server->workers_n++;
	}
	return STATUS_OK;
}

/* Wait for a signal that says stop; tick meanwhile. */
static void
wait_for_stop(const struct http_server_settings *settings,
	      const sigset_t *stop_set)
{
	const int tick_ms = settings->tick_ms > 0 ? settings->tick_ms : 1000;
	const struct timespec tick = { .tv_sec = tick_ms / 1000,
				       .tv_nsec = tick_ms % 1000 * 1000000L };

	while (!atomic_load(&stopping)) {
		int number = sigtimedwait(stop_set, NULL, &tick);
		if (number > 0) {
			atomic_store(&stopping, true);
		} else if (errno == EAGAIN && settings->tick != NULL) {
			settings->tick(settings->tick_arg);
		}
	}
}

/*
 * A worker that looked at `stopping` just before it was set may go to sleep
 * just after the signal, so signals are sent until all are gone.
 */
static void
workers_stop(struct server *server)
{
	int left = server->workers_n;

	while (left > 0) {
		left = 0;
		for (int i = 0; i < server->workers_n; i++) {
			struct worker *worker = &server->workers[i];
			if (!atomic_load(&worker->gone)) {
				left++;
				(void)pthread_kill(worker->thread, WAKE_SIGNAL);
			}
		}
		if (left > 0) {
			clock_sleep_us(WAKE_AGAIN_US);
		}
	}
	for (int i = 0; i < server->workers_n; i++) {
		(void)pthread_join(server->workers[i].thread, NULL);
	}
}

static enum status
run_fastcgi(struct server *server, struct err *err)
{
	sigset_t stop_set;

	signals_open(&stop_set);
	if (FCGX_Init() != 0) {
		return err_set(err, STATUS_INTERNAL, "libfcgi does not start");
	}
	server->workers =
	    calloc((size_t)server->settings->threads, sizeof(struct worker));
	if (server->workers == NULL) {
		return err_set(err, STATUS_INTERNAL, "out of memory");
	}
	enum status status = workers_start(server, err);
	if (status == STATUS_OK) {
		wait_for_stop(server->settings, &stop_set);
	}
	atomic_store(&stopping, true);
	workers_stop(server);
	free(server->workers);
	return status;
}

static enum status
run_cgi(const struct http_server_settings *settings, const struct http_app *app,
	struct err *err)
{
	struct http_exchange exchange;

	(void)signal(SIGPIPE, SIG_IGN);
	http_exchange_init(&exchange, app, settings->body_max_bytes);
	enum status status = http_cgi_run(&exchange, err);
	http_exchange_fini(&exchange);
	return status;
}

enum status
http_server_run(const struct http_server_settings *settings,
		const struct http_app *app, struct err *err)
{
	struct server server = { .settings = settings,
				 .app = app,
				 .listen_fd = STDIN_FILENO };

	assert(settings->threads > 0);
	atomic_store(&stopping, false);
	if (settings->listen == NULL && http_server_is_cgi()) {
		return run_cgi(settings, app, err);
	}
	if (settings->listen == NULL) {
		/* Our web server's death is ours: it can outlive nobody. */
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		return run_fastcgi(&server, err);
	}
	enum status status = listen_open(settings->listen, settings->backlog,
					 &server.listen_fd, err);
	if (status != STATUS_OK) {
		return status;
	}
	status = run_fastcgi(&server, err);
	(void)unlink(settings->listen);
	close(server.listen_fd);
	return status;
}
