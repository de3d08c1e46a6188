#include "http_fixture.h"

#include <stdlib.h>
#include <string.h>

int
fixture_begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = arena_new(4096);
	fixture_clear(f);
	*state = f;
	return 0;
}

int
fixture_end(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f);
	return 0;
}

void
fixture_clear(struct fixture *f)
{
	arena_reset(f->arena);
	f->variables_n = 0;
	f->body = "";
	f->body_n = 0;
	f->read_n = 0;
	f->breaks_at = SIZE_MAX;
}

void
fixture_set(struct fixture *f, const char *variable)
{
	if (variable != NULL) {
		assert_true(f->variables_n < FIXTURE_VARIABLES);
		f->variables[f->variables_n++] = variable;
	}
}

static const char *
param(const struct http_request *req, const char *name)
{
	const struct fixture *f = req->transport;
	size_t n = strlen(name);

	for (size_t i = 0; i < f->variables_n; i++) {
		if (strncmp(f->variables[i], name, n) == 0 &&
		    f->variables[i][n] == '=') {
			return f->variables[i] + n + 1;
		}
	}
	return NULL;
}

static int64_t
read_body(void *transport, char *bytes, size_t n)
{
	struct fixture *f = transport;
	size_t left = f->body_n - f->read_n;

	n = n < left ? n : left;
	if (f->read_n + n > f->breaks_at) {
		return -1;
	}
	memcpy(bytes, f->body + f->read_n, n);
	f->read_n += n;
	return (int64_t)n;
}

struct http_request
fixture_request(struct fixture *f)
{
	return (struct http_request){ .arena = f->arena,
				      .received_us = FIXTURE_NOW_US,
				      .param = param,
				      .transport = f };
}

struct http_transport
fixture_transport(struct fixture *f)
{
	return (struct http_transport){ .param = param,
					.read = read_body,
					.transport = f };
}
