/*
 * Every route of the program.
 *
 * ROUTE(pool, method, path, roles, handler, doc)
 *   pool     EVALUATE: served by the pool without PostgreSQL; API: by the
 *            other; BOTH
 *   roles    auth/auth.h
 *   handler  handler_<name> of handler/handler.h
 *
 * Longest first is not needed: paths are exact, "{id}" matches one part.
 * docs/openapi.yaml and the access test are checked against it.
 */
ROUTE(EVALUATE, POST, "/evaluate.fcgi", EVALUATE, evaluate,
      "decide about one LLM call")
ROUTE(EVALUATE, POST, "/api/v1/evaluate", EVALUATE, evaluate,
      "the same as /evaluate.fcgi")
ROUTE(BOTH, GET, "/health/live", ANYONE, health_live, "is the process alive")
ROUTE(BOTH, GET, "/health/ready", ANYONE, health_ready,
      "can it decide and record; details for readers")
ROUTE(BOTH, GET, "/metrics", ANYONE, metrics,
      "Prometheus text, summed over all processes of the host")
ROUTE(API, GET, "/api/v1/compliance/usage", READ, usage,
      "what was used and spent, and what is left of budgets")
