#include "http/exchange.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_fixture.h"

enum { BODY_MAX = 1000 };

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
	buf_printf(&res->body, "body %zu %s", req->body_n, req->body);
}

static const struct http_app app = { .worker_new = app_new,
				     .worker_free = app_free,
				     .serve = app_serve };

struct given {
	const char *input; /* what stands on standard input */
	const char *length, *encoding;
};

/* In a child: one request with what GIVEN says, to the file OUTPUT. */
static int
run_child(const struct given *given, const char *input, const char *output)
{
	struct http_exchange exchange;
	struct err err;
	int in = open(input, O_RDONLY | O_CLOEXEC);
	int out = open(output, O_WRONLY | O_CLOEXEC);

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0) {
		return 2;
	}
	setenv("REQUEST_METHOD", "POST", 1);
	setenv("REQUEST_URI", "/a", 1);
	if (given->length != NULL) {
		setenv("CONTENT_LENGTH", given->length, 1);
	}
	if (given->encoding != NULL) {
		setenv("HTTP_TRANSFER_ENCODING", given->encoding, 1);
	}
	http_exchange_init(&exchange, &app, BODY_MAX);
	enum status status = http_cgi_run(&exchange, &err);
	http_exchange_fini(&exchange);
	return status == STATUS_OK ? 0 : 1;
}

/* The answer into TEXT; the child's exit status. */
static int
run(const struct given *given, const char *output, char *text, size_t n)
{
	char input[] = "/tmp/ims-cgi.XXXXXX";
	int fd = mkstemp(input);
	int status = -1;
	size_t input_n = strlen(given->input);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, given->input, input_n), input_n);
	pid_t pid = fork();
	if (pid == 0) {
		exit(run_child(given, input, output));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	unlink(input);
	if (n > 0) {
		FILE *file = fopen(output, "r");
		assert_non_null(file);
		text[fread(text, 1, n - 1, file)] = '\0';
		fclose(file);
	}
	return WEXITSTATUS(status);
}

static const struct {
	struct given given;
	const char *want;
} cases[] = {
	{ { "abc", "3", NULL }, "\r\n\r\nbody 3 abc" },
	{ { "abcdef", "3", NULL }, "\r\n\r\nbody 3 abc" }, /* not past it */
	{ { "abc", NULL, NULL }, "\r\n\r\nbody 0 " },
	{ { "abc", "", NULL }, "\r\n\r\nbody 0 " },
	{ { "abc", "0", NULL }, "\r\n\r\nbody 0 " },
	{ { "abc", NULL, "chunked" }, "\r\n\r\nbody 3 abc" },
	{ { "ab", "3", NULL }, "Status: 400 " },
	{ { "abc", "-3", NULL }, "Status: 400 " },
	{ { "abc", "x", NULL }, "Status: 400 " },
	{ { "abc", "99999999999999999999", NULL }, "Status: 400 " },
	{ { "", NULL, NULL }, "\r\n\r\nbody 0 " },
};

static void
cgi_answers_each_case(void **state)
{
	char output[] = "/tmp/ims-cgi.XXXXXX";
	char text[4096];
	int fd = mkstemp(output);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu\n", i);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(
		    run(&cases[i].given, output, text, sizeof(text)), 0);
		assert_non_null(strstr(text, cases[i].want));
	}
	close(fd);
	unlink(output);
}

static void
answer_that_cannot_be_sent_is_an_error(void **state)
{
	const struct given given = { "", NULL, NULL };

	(void)state;
	assert_int_equal(run(&given, "/dev/full", NULL, 0), 1);
}

/* Standard input cannot be read: it is a folder. */
static void
body_that_cannot_be_read_is_refused(void **state)
{
	const struct given given = { "", "3", NULL };
	char output[] = "/tmp/ims-cgi.XXXXXX";
	char text[4096];
	int status = -1;
	int fd = mkstemp(output);

	(void)state;
	assert_true(fd >= 0);
	pid_t pid = fork();
	if (pid == 0) {
		exit(run_child(&given, "/tmp", output));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "Status: 400 "));
	close(fd);
	unlink(output);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgi_answers_each_case),
		cmocka_unit_test(answer_that_cannot_be_sent_is_an_error),
		cmocka_unit_test(body_that_cannot_be_read_is_refused),
	};
	return cmocka_run_group_tests_name("cgi", tests, NULL, NULL);
}
