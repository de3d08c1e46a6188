#include "server_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi_client.h"

struct server server = { .ticks = { -1, -1 } };

static void *
app_new(void *app)
{
	return app;
}

static void
app_free(void *worker)
{
	(void)worker;
}

static void
app_serve(void *worker, const struct http_request *req,
	  struct http_response *res)
{
	(void)worker;
	if (req->refused != NULL) {
		http_problem(req, res, req->refused);
		return;
	}
	if (strcmp(req->path, "/slow") == 0) {
		clock_sleep_us(SLOW_MS * 1000);
	} else if (strcmp(req->path, "/stop") == 0) {
		http_server_stop();
	} else if (strcmp(req->path, "/large") == 0) {
		for (int i = 0; i < 200000; i++) {
			buf_addc(&res->body, 'l');
		}
	}
	buf_printf(&res->body, "path %s body %zu", req->path, req->body_n);
}

const struct http_app server_app = { .worker_new = app_new,
				     .worker_free = app_free,
				     .serve = app_serve };

static void
tick(void *arg)
{
	(void)arg;
	(void)!write(server.ticks[1], "t", 1);
}

static void
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

struct http_server_settings
server_settings(const char *path)
{
	return (struct http_server_settings){ .listen = path,
					      .backlog = 16,
					      .threads = THREADS,
					      .body_max_bytes = BODY_MAX,
					      .tick = tick,
					      .tick_ms = 20 };
}

pid_t
server_start(const char *path, int listen_fd)
{
	pid_t pid = fork();

	if (pid != 0) {
		return pid;
	}
	const struct http_server_settings settings = server_settings(path);
	struct err err;
	if (path == NULL) {
		(void)dup2(listen_fd, 0);
	}
	block_signals();
	enum status status = http_server_run(&settings, &server_app, &err);
	exit(status == STATUS_OK ? 0 : 1);
}

int
server_connect(void)
{
	for (int i = 0; i < 200; i++) {
		int fd = fcgi_connect(server.path);
		if (fd >= 0) {
			return fd;
		}
		clock_sleep_us(10000);
	}
	fail_msg("no server at %s", server.path);
	return -1;
}

int
server_wait(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < 500; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		clock_sleep_us(10000);
	}
	return -1;
}

int
server_begin(void **state)
{
	(void)state;
	snprintf(server.folder, sizeof(server.folder), "%s",
		 "/tmp/ims-server.XXXXXX");
	assert_non_null(mkdtemp(server.folder));
	snprintf(server.path, sizeof(server.path), "%s/s", server.folder);
	assert_int_equal(pipe2(server.ticks, O_NONBLOCK | O_CLOEXEC), 0);
	server.pid = server_start(server.path, -1);
	close(server_connect());
	return 0;
}

int
server_end(void **state)
{
	(void)state;
	(void)kill(server.pid, SIGKILL);
	(void)waitpid(server.pid, NULL, 0);
	(void)unlink(server.path);
	(void)rmdir(server.folder);
	return 0;
}

void
server_start_again(void)
{
	server.pid = server_start(server.path, -1);
	close(server_connect());
}

void
assert_serves(const char *path, size_t body_n, const char *want)
{
	struct buf records = { 0 }, text = { 0 };
	char *body = calloc(1, body_n + 1);
	int fd = server_connect();

	assert_non_null(body);
	fcgi_request(&records, path, 0, body, body_n);
	assert_true(fcgi_send(fd, &records));
	assert_true(fcgi_receive(fd, &text));
	assert_non_null(strstr(buf_text(&text), want));
	close(fd);
	free(body);
	buf_fini(&records);
	buf_fini(&text);
}
