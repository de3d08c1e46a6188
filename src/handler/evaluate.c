#include "handler/handler.h"

#include <assert.h>

enum status
handler_evaluate(struct handler_call *call, struct err *err)
{
	const struct http_request *req = call->req;
	struct http_response *res = call->res;
	struct engine_answer answer;

	assert(call->snapshot != NULL); /* the key was found in it */
	const struct engine_request request = {
		.body = req->body,
		.body_n = req->body_n,
		.key = call->key,
		.header_request_id = req->caller_request_id,
		.now_us = call->now_us,
	};
	enum status status = engine_evaluate(
	    call->worker, call->snapshot, &request, req->arena, &answer, err);
	if (status != STATUS_OK) {
		return status;
	}
	/* Copies: the answer is sent when the snapshot was let go. */
	res->status = answer.http_status;
	buf_add(&res->body, answer.body->data, answer.body->len);
	for (size_t i = 0; i < answer.headers_n; i++) {
		http_response_header(
		    res, arena_strdup(req->arena, answer.headers[i].name),
		    arena_strdup(req->arena, answer.headers[i].value));
	}
	return STATUS_OK;
}
