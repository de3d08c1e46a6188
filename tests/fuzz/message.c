#include "message.h"

#include <string.h>

struct message
message_of(const char *text, size_t n)
{
	const char *end = text + n, *body = text;

	while (body < end && *body != '\0') {
		body += strlen(body) + 1;
	}
	/* behind the empty one, if the bytes go so far */
	body = body < end ? body + 1 : end;
	return (struct message){ text, body, end };
}

const char *
message_param(const struct http_request *req, const char *name)
{
	const struct message *message = req->transport;
	const char *at = message->variables;
	size_t n = strlen(name);

	while (at < message->end && *at != '\0') {
		if (strncmp(at, name, n) == 0 && at[n] == '=') {
			return at + n + 1;
		}
		at += strlen(at) + 1;
	}
	return NULL;
}

int64_t
message_read(void *transport, char *bytes, size_t n)
{
	struct message *message = transport;
	size_t left = (size_t)(message->end - message->body);

	n = n < left ? n : left;
	memcpy(bytes, message->body, n);
	message->body += n;
	return (int64_t)n;
}
