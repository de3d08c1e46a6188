/*
 * Every way in which the world can say no.
 *
 * STATUS(name, http, slug, title)
 *   name   enum status becomes STATUS_<name>
 *   http   the status of the HTTP answer when it reaches a caller
 *   slug   last part of the problem's type URI (RFC 9457)
 *   title  the problem's title: the same for every occurrence
 *
 * Read by base/status.c, http/problem.c and the check of docs/openapi.yaml.
 */
STATUS(OK, 200, "ok", "OK")
STATUS(JSON, 400, "invalid-json", "The body is not valid JSON")
STATUS(BODY, 400, "invalid-body", "A value of the body is not acceptable")
STATUS(REQUEST, 400, "invalid-request", "The request cannot be understood")
STATUS(UNAUTHENTICATED, 401, "unauthenticated", "A valid API key is needed")
STATUS(FORBIDDEN, 403, "forbidden", "The API key's role does not permit this")
STATUS(NOT_FOUND, 404, "not-found", "There is nothing here")
STATUS(METHOD, 405, "method-not-allowed", "The method is not supported here")
STATUS(CONFLICT, 409, "conflict", "The state does not permit this")
STATUS(TOO_LARGE, 413, "too-large", "The body is larger than permitted")
STATUS(MEDIA_TYPE, 415, "unsupported-media-type", "The body must be JSON")
STATUS(INTERNAL, 500, "internal", "The engine failed")
STATUS(NOT_IMPLEMENTED, 501, "not-implemented", "This is not built yet")
STATUS(UNAVAILABLE, 503, "unavailable", "A service that is needed is down")
STATUS(IO, 500, "io", "A file could not be read or written")
STATUS(CORRUPT, 500, "corrupt", "Stored data is damaged")
STATUS(BUSY, 503, "busy", "Somebody else is doing this now")
STATUS(FULL, 503, "full", "There is no room to store this")
