#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cgi {
	int64_t left; /* bytes of standard input that are the body; -1: all */
};

static const char *
cgi_param(const struct http_request *req, const char *name)
{
	(void)req;
	return getenv(name);
}

/*
 * A server need not close standard input behind the body (RFC 3875, 4.2), so
 * no more than CONTENT_LENGTH is asked for; without one there is a body only
 * where the request was chunked, and then it ends with the input.
 */
static int64_t
cgi_body_bytes(void)
{
	const char *length = getenv("CONTENT_LENGTH");

	if (length != NULL && length[0] != '\0') {
		char *end = NULL;
		errno = 0;
		long long n = strtoll(length, &end, 10);
		return *end == '\0' && errno == 0 && n >= 0 ? n : 0;
	}
	return getenv("HTTP_TRANSFER_ENCODING") != NULL ? -1 : 0;
}

static int64_t
cgi_read(void *transport, char *bytes, size_t n)
{
	struct cgi *cgi = transport;
	size_t done = 0;

	if (cgi->left >= 0 && (uint64_t)cgi->left < n) {
		n = (size_t)cgi->left;
	}
	while (done < n) {
		ssize_t got = read(STDIN_FILENO, bytes + done, n - done);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -1;
		}
		if (got == 0) {
			break;
		}
		done += (size_t)got;
	}
	if (cgi->left >= 0) {
		cgi->left -= (int64_t)done;
	}
	return (int64_t)done;
}

enum status
http_cgi_run(struct http_exchange *exchange, struct err *err)
{
	struct cgi cgi = { .left = cgi_body_bytes() };
	struct http_transport transport = { .param = cgi_param,
					    .read = cgi_read,
					    .transport = &cgi };

	http_exchange_run(exchange, &transport);
	const char *at = exchange->out.data;
	size_t left = exchange->out.len;
	while (left > 0) {
		ssize_t put = write(STDOUT_FILENO, at, left);
		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return err_set(err, STATUS_IO,
				       "cannot send the answer: %s",
				       strerror(errno));
		}
		at += put;
		left -= (size_t)put;
	}
	return STATUS_OK;
}
