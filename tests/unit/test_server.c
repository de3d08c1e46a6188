#include "http/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi_client.h"
#include "server_fixture.h"

static void
requests_are_served(void **state)
{
	(void)state;
	assert_serves("/a", 0, "\r\n\r\npath /a body 0");
	assert_serves("/a", 1000, "path /a body 1000");
	assert_serves("/a", BODY_MAX, "path /a body 100000");
	assert_serves("/a", BODY_MAX + 1, "Status: 413 ");
	assert_serves("/a", 20 * BODY_MAX, "Status: 413 ");
	assert_serves("/large", 0, "lllpath /large body 0");
	assert_serves("/../a", 5, "Status: 400 ");
}

/* Three requests one after another, the last of which is refused unread. */
static void
connection_is_kept(void **state)
{
	int fd = server_connect();
	char *large = calloc(1, 3 * BODY_MAX);

	(void)state;
	assert_non_null(large);
	for (int i = 0; i < 3; i++) {
		struct buf records = { 0 }, text = { 0 };
		fcgi_request(&records, "/k", FCGI_KEEP, large,
			     i == 1 ? 3 * BODY_MAX : 7);
		assert_true(fcgi_send(fd, &records));
		assert_true(fcgi_receive(fd, &text));
		assert_non_null(strstr(buf_text(&text),
				       i == 1 ? "Status: 413 " : "/k body 7"));
		buf_fini(&records);
		buf_fini(&text);
	}
	close(fd);
	free(large);
}

static void
tick_comes_again_and_again(void **state)
{
	(void)state;
	char bytes[64];

	clock_sleep_us(200000);
	assert_true(read(server.ticks[0], bytes, sizeof(bytes)) >= 2);
}

static void
socket_is_private(void **state)
{
	struct stat stat;

	(void)state;
	assert_int_equal(lstat(server.path, &stat), 0);
	assert_int_equal(stat.st_mode & 0777, 0660);
}

static void
second_server_is_refused(void **state)
{
	const struct http_server_settings settings =
	    server_settings(server.path);
	struct err err;

	(void)state;
	assert_int_equal(http_server_run(&settings, &server_app, &err),
			 STATUS_BUSY);
	assert_serves("/next", 3, "path /next body 3");
}

static void
bad_paths_are_refused(void **state)
{
	char path[200] = "";
	struct http_server_settings settings = server_settings(path);
	struct err err;

	(void)state;
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(http_server_run(&settings, &server_app, &err),
			 STATUS_IO);
	snprintf(path, sizeof(path), "%s/none/s", server.folder);
	assert_int_equal(http_server_run(&settings, &server_app, &err),
			 STATUS_IO);
	settings.listen =
	    server.folder; /* not a socket, so it is not removed */
	assert_int_equal(http_server_run(&settings, &server_app, &err),
			 STATUS_IO);
	assert_int_equal(access(server.folder, F_OK), 0);
}

/* A signal comes while one request is under way, and one connection is kept
 * idle: that request is answered, and the process ends well and soon. */
static void
stop_with(int number)
{
	struct buf slow = { 0 }, kept = { 0 }, text = { 0 };
	int slow_fd = server_connect();
	int kept_fd = server_connect();

	fcgi_request(&kept, "/k", FCGI_KEEP, "", 0);
	assert_true(fcgi_send(kept_fd, &kept));
	assert_true(fcgi_receive(kept_fd, &text));
	buf_reset(&text);
	fcgi_request(&slow, "/slow", 0, "", 0);
	assert_true(fcgi_send(slow_fd, &slow));
	clock_sleep_us(SLOW_MS * 1000 / 3);
	assert_int_equal(kill(server.pid, number), 0);
	assert_true(fcgi_receive(slow_fd, &text));
	assert_non_null(strstr(buf_text(&text), "path /slow"));
	assert_int_equal(server_wait(server.pid), 0);
	assert_int_equal(access(server.path, F_OK), -1);
	close(slow_fd);
	close(kept_fd);
	buf_fini(&slow);
	buf_fini(&kept);
	buf_fini(&text);
}

static void
signal_ends_after_the_requests_under_way(void **state)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGUSR1 };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		stop_with(numbers[i]);
		server_start_again();
	}
}

static void
stop_is_a_call_too(void **state)
{
	(void)state;
	assert_serves("/stop", 0, "path /stop");
	assert_int_equal(server_wait(server.pid), 0);
	server_start_again();
}

/* A killed server leaves its socket behind: the next one takes its place. */
static void
socket_of_a_dead_one_is_replaced(void **state)
{
	(void)state;
	assert_int_equal(kill(server.pid, SIGKILL), 0);
	assert_int_equal(server_wait(server.pid), -1);
	assert_int_equal(access(server.path, F_OK), 0);
	server.pid = server_start(server.path, -1);
	assert_serves("/next", 3, "path /next body 3");
}

/* As a web server starts it: the socket is descriptor 0.  It stays when the
 * process ends, so that what was sent meanwhile is served by the next one. */
static void
descriptor_0_outlives_the_process(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct buf records = { 0 }, text = { 0 };
	char first[64];

	(void)state;
	snprintf(first, sizeof(first), "%s", server.path);
	snprintf(server.path, sizeof(server.path), "%s/0", server.folder);
	memcpy(address.sun_path, server.path, sizeof(server.path));
	int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(listen_fd, (const void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listen_fd, 16), 0);
	pid_t pid = server_start(NULL, listen_fd);
	assert_serves("/a", 1, "path /a body 1");
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(server_wait(pid), 0);

	int fd = fcgi_connect(server.path);
	fcgi_request(&records, "/early", 0, "", 0);
	assert_true(fcgi_send(fd, &records));
	pid = server_start(NULL, listen_fd);
	assert_true(fcgi_receive(fd, &text));
	assert_non_null(strstr(buf_text(&text), "path /early"));
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(server_wait(pid), 0);
	close(fd);
	close(listen_fd);
	(void)unlink(server.path);
	memcpy(server.path, first, sizeof(first));
	buf_fini(&records);
	buf_fini(&text);
}

/* Accept fails for good: the run ends instead of turning in circles. */
static void
no_socket_ends_the_run(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid = server_start(NULL, fd); /* nobody called listen */

	(void)state;
	assert_int_equal(server_wait(pid), 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_served),
		cmocka_unit_test(connection_is_kept),
		cmocka_unit_test(socket_is_private),
		cmocka_unit_test(second_server_is_refused),
		cmocka_unit_test(bad_paths_are_refused),
		cmocka_unit_test(signal_ends_after_the_requests_under_way),
		cmocka_unit_test(stop_is_a_call_too),
		cmocka_unit_test(socket_of_a_dead_one_is_replaced),
		cmocka_unit_test(descriptor_0_outlives_the_process),
		cmocka_unit_test(no_socket_ends_the_run),
		cmocka_unit_test(tick_comes_again_and_again),
	};
	return cmocka_run_group_tests_name("server", tests, server_begin,
					   server_end);
}
