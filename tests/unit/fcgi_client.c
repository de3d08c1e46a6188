#include "fcgi_client.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEADER = 8, RECORD_MAX = 65535, RECEIVE_SECONDS = 5 };

void
fcgi_record(struct buf *out, int type, const void *bytes, size_t n)
{
	const unsigned char header[HEADER] = {
		1, (unsigned char)type,	    0,
		1, (unsigned char)(n >> 8), (unsigned char)n
	};

	buf_add(out, header, HEADER);
	if (n > 0) {
		buf_add(out, bytes, n);
	}
}

void
fcgi_begin(struct buf *out, int role, int flags)
{
	const unsigned char body[8] = { 0, (unsigned char)role,
					(unsigned char)flags };

	fcgi_record(out, FCGI_BEGIN, body, sizeof(body));
}

static void
add_length(struct buf *out, size_t n)
{
	if (n > 127) {
		buf_addc(out, (char)(0x80 | n >> 24));
		buf_addc(out, (char)(n >> 16));
		buf_addc(out, (char)(n >> 8));
	}
	buf_addc(out, (char)n);
}

/* A stream of bytes as records of TYPE, with its end. */
static void
add_stream(struct buf *out, int type, const char *bytes, size_t n)
{
	while (n > 0) {
		size_t part = n < RECORD_MAX ? n : RECORD_MAX;
		fcgi_record(out, type, bytes, part);
		bytes += part;
		n -= part;
	}
	fcgi_record(out, type, NULL, 0);
}

void
fcgi_params(struct buf *out, const char *const *variables)
{
	struct buf params = { 0 };

	for (; *variables != NULL; variables++) {
		size_t name_n = strcspn(*variables, "=");
		const char *value = *variables + name_n + 1;
		add_length(&params, name_n);
		add_length(&params, strlen(value));
		buf_add(&params, *variables, name_n);
		buf_adds(&params, value);
	}
	add_stream(out, FCGI_PARAMS, params.data, params.len);
	buf_fini(&params);
}

void
fcgi_body(struct buf *out, const char *bytes, size_t n)
{
	add_stream(out, FCGI_STDIN, bytes, n);
}

void
fcgi_request(struct buf *out, const char *path, int flags, const char *body,
	     size_t n)
{
	struct buf uri = { 0 }, length = { 0 };

	buf_printf(&uri, "REQUEST_URI=%s", path);
	buf_printf(&length, "CONTENT_LENGTH=%zu", n);
	const char *const variables[] = { "REQUEST_METHOD=POST", buf_text(&uri),
					  buf_text(&length), NULL };

	fcgi_begin(out, FCGI_RESPONDER, flags);
	fcgi_params(out, variables);
	fcgi_body(out, body, n);
	buf_fini(&uri);
	buf_fini(&length);
}

int
fcgi_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = RECEIVE_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) !=
	    0) {
		close(fd);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	return fd;
}

bool
fcgi_send(int fd, const struct buf *records)
{
	size_t sent = 0;

	while (sent < records->len) {
		ssize_t n = send(fd, records->data + sent, records->len - sent,
				 MSG_NOSIGNAL);
		if (n <= 0) {
			return false;
		}
		sent += (size_t)n;
	}
	return true;
}

static bool
receive_exactly(int fd, unsigned char *bytes, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = recv(fd, bytes + done, n - done, 0);
		if (got <= 0) {
			return false;
		}
		done += (size_t)got;
	}
	return true;
}

bool
fcgi_receive(int fd, struct buf *text)
{
	unsigned char header[HEADER];
	unsigned char content[RECORD_MAX + 256];

	while (receive_exactly(fd, header, HEADER)) {
		size_t n = (size_t)header[4] << 8 | header[5];
		if (!receive_exactly(fd, content, n + header[6])) {
			return false;
		}
		if (header[1] == FCGI_STDOUT) {
			buf_add(text, content, n);
		} else if (header[1] == FCGI_END) {
			return true;
		}
	}
	return false;
}
