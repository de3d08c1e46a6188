#include "http/server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi_client.h"
#include "server_fixture.h"

/* Records that are no request; WANT: what is answered, NULL: nothing must. */
struct broken {
	const char *name;
	void (*make)(struct buf *out);
	const char *want;
};

static const char *const plain[] = { "REQUEST_METHOD=POST", "REQUEST_URI=/b",
				     NULL };
static const char *const ten[] = { "REQUEST_METHOD=POST", "REQUEST_URI=/b",
				   "CONTENT_LENGTH=10", NULL };

static void
make_garbage(struct buf *out)
{
	buf_adds(out, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

static void
make_half_header(struct buf *out)
{
	buf_add(out, "\1\1\0", 3);
}

static void
make_wrong_version(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	out->data[0] = 9;
}

static void
make_no_begin(struct buf *out)
{
	fcgi_params(out, plain);
	fcgi_body(out, "", 0);
}

static void
make_short_begin(struct buf *out)
{
	fcgi_record(out, FCGI_BEGIN, "\0\1", 2);
}

static void
make_unknown_role(struct buf *out)
{
	fcgi_begin(out, 77, 0);
	fcgi_params(out, plain);
	fcgi_body(out, "", 0);
}

static void
make_authorizer(struct buf *out)
{
	fcgi_begin(out, FCGI_AUTHORIZER, 0);
	fcgi_params(out, plain);
	fcgi_body(out, "", 0);
}

static void
make_no_params(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_record(out, FCGI_PARAMS, NULL, 0);
	fcgi_body(out, "", 0);
}

static void
make_params_cut(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_record(out, FCGI_PARAMS, "\x0b\x10REQUEST_URI/", 14);
	fcgi_record(out, FCGI_PARAMS, NULL, 0);
	fcgi_body(out, "", 0);
}

/* A name of 2 GiB less one, of which nothing comes. */
static void
make_params_huge_length(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_record(out, FCGI_PARAMS, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	fcgi_record(out, FCGI_PARAMS, NULL, 0);
	fcgi_body(out, "", 0);
}

static void
make_params_large(struct buf *out)
{
	static char large[400000];
	const char *const variables[] = { "REQUEST_METHOD=POST",
					  "REQUEST_URI=/b", large, NULL };

	memset(large, 'v', sizeof(large) - 1);
	memcpy(large, "HTTP_LARGE=", 11);
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_params(out, variables);
	fcgi_body(out, "", 0);
}

static void
make_abort(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_params(out, ten);
	fcgi_record(out, FCGI_STDIN, "12345", 5);
	fcgi_record(out, FCGI_ABORT, NULL, 0);
}

static void
make_body_cut(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_params(out, ten);
	fcgi_record(out, FCGI_STDIN, "12345", 5);
}

static void
make_body_short(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_params(out, ten);
	fcgi_body(out, "12345", 5);
}

static void
make_second_begin(struct buf *out)
{
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_params(out, plain);
	fcgi_begin(out, FCGI_RESPONDER, 0);
	fcgi_body(out, "", 0);
}

static void
make_get_values(struct buf *out)
{
	static const char values[] = "\x0e\0FCGI_MAX_CONNS";

	fcgi_record(out, FCGI_GET_VALUES, values, sizeof(values) - 1);
	out->data[3] = 0; /* request 0: about the program */
	fcgi_request(out, "/b", 0, "x", 1);
}

static const struct broken broken[] = {
	{ "garbage", make_garbage, NULL },
	{ "half a header", make_half_header, NULL },
	{ "a wrong version", make_wrong_version, NULL },
	{ "no begin", make_no_begin, NULL },
	{ "a begin that is too short", make_short_begin, NULL },
	{ "an unknown role", make_unknown_role, NULL },
	{ "the authorizer's role", make_authorizer, "Status: 501 " },
	{ "no parameters", make_no_params, "Status: 400 " },
	{ "parameters that are cut", make_params_cut, NULL },
	{ "a huge length", make_params_huge_length, NULL },
	{ "large parameters", make_params_large, "path /b body 0" },
	{ "an abort", make_abort, "Status: 400 " },
	{ "a body that is cut", make_body_cut, "Status: 400 " },
	{ "a body that is too short", make_body_short, "Status: 400 " },
	{ "a request in a request", make_second_begin, NULL },
	{ "a question about the program", make_get_values, "path /b body 1" },
};

static void
broken_records_break_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct buf records = { 0 }, text = { 0 };
		int fd = server_connect();

		print_message("case %zu: %s\n", i, broken[i].name);
		broken[i].make(&records);
		(void)fcgi_send(fd, &records);
		(void)shutdown(fd, SHUT_WR);
		(void)fcgi_receive(fd, &text);
		if (broken[i].want != NULL) {
			assert_non_null(
			    strstr(buf_text(&text), broken[i].want));
		} else {
			assert_null(strstr(buf_text(&text), "Status: 200"));
		}
		close(fd);
		buf_fini(&records);
		buf_fini(&text);
		assert_serves("/next", 3, "path /next body 3");
	}
}

/* More connections than threads, each with half a request: all are served
 * again when those go away. */
static void
half_requests_go_away(void **state)
{
	int fds[2 * THREADS];

	(void)state;
	for (int i = 0; i < 2 * THREADS; i++) {
		struct buf records = { 0 };
		fds[i] = server_connect();
		make_body_cut(&records);
		assert_true(fcgi_send(fds[i], &records));
		buf_fini(&records);
	}
	for (int i = 0; i < 2 * THREADS; i++) {
		close(fds[i]);
	}
	assert_serves("/next", 3, "path /next body 3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_records_break_nothing),
		cmocka_unit_test(half_requests_go_away),
	};
	return cmocka_run_group_tests_name("fastcgi", tests, server_begin,
					   server_end);
}
