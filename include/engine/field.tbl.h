/*
 * Every field of an evaluation's body (docs/openapi.yaml).
 *
 * FIELD(name, reader, low, high, fact, word, of, doc)
 *   name    JSON member of the body
 *   reader  how it is read: TEXT, COUNT, MONEY, RATIO, FLAG give a fact;
 *           the others stand for themselves (engine/body.c)
 *   low, high  bytes of a TEXT, range of a number (MONEY in dollars)
 *   fact    the fact it says (core/fact.tbl.h), or N: none
 *   word    CLAIM: counts only as far as the API key may assert the fact;
 *           OWN: what the call itself is, always the caller's to say
 *   of      QUESTION: read before the call; REPORT: read after it; BOTH
 *   doc     one line for the documentation
 *
 * Another member is ignored, and listed when explain is full, and so is a
 * QUESTION's member in a report and a REPORT's in a question.
 */
FIELD(model_id, TEXT, 1, 256, model_id, OWN, QUESTION,
      "the model that is asked for; required")
FIELD(evaluation_type, STAGE, 0, 0, N, OWN, BOTH,
      "pre_flight (default), runtime or post_execution")
FIELD(vendor_id, TEXT, 0, 256, vendor_id, CLAIM, QUESTION,
      "who serves the model; else the catalogue's vendor of it")
FIELD(prompt, PROMPT, 0, 0, N, OWN, QUESTION, "text that goes to the model")
FIELD(messages, MESSAGES, 0, 0, N, OWN, QUESTION,
      "the conversation in OpenAI's form: role and content, which is text or "
      "a list of parts")
FIELD(system_instruction, SYSTEM, 0, 0, N, OWN, QUESTION,
      "text that goes before")
FIELD(estimated_tokens, COUNT, 0, 1e12, estimated_tokens, CLAIM, QUESTION,
      "tokens of input and output together, as the gateway estimates")
FIELD(input_tokens, COUNT, 0, 1e12, input_tokens, CLAIM, QUESTION,
      "tokens of the input")
FIELD(max_output_tokens, COUNT, 0, 1e12, max_output_tokens, OWN, QUESTION,
      "most tokens of the output")
FIELD(estimated_cost, MONEY, 0, 1e9, estimated_cost, CLAIM, QUESTION,
      "dollars that the call may cost, as the gateway estimates")
FIELD(temperature, RATIO, 0, 100, temperature, OWN, QUESTION,
      "sampling temperature")
FIELD(user_id, TEXT, 0, 256, user_id, CLAIM, QUESTION, "who asks")
FIELD(user_tier, TEXT, 0, 256, user_tier, CLAIM, QUESTION, "the user's tier")
FIELD(team_id, TEXT, 0, 256, team_id, CLAIM, QUESTION, "the user's team")
FIELD(organization_id, TEXT, 0, 256, organization_id, CLAIM, QUESTION,
      "the user's organization")
FIELD(api_key_id, TEXT, 0, 256, api_key_id, CLAIM, QUESTION,
      "the gateway's own key of the user; else the id of the caller's API key")
FIELD(session_id, TEXT, 0, 256, session_id, OWN, BOTH, "the user's session")
FIELD(correlation_id, TEXT, 0, 256, correlation_id, OWN, BOTH,
      "what the caller finds the call by; else the X-Request-ID header")
FIELD(request_id, TEXT, 0, 256, request_id, OWN, BOTH,
      "the same for every retry of one call")
FIELD(environment, ENVIRONMENT, 0, 0, environment, CLAIM, QUESTION,
      "production, staging or development")
FIELD(region, TEXT, 0, 256, region, CLAIM, QUESTION,
      "where the model will run")
FIELD(tags, TAGS, 0, 0, N, OWN, BOTH,
      "an object of strings, numbers, true, false")
FIELD(requires, REQUIRES, 0, 0, N, OWN, QUESTION,
      "what a fallback must have: function_calling, vision, reasoning, "
      "context_tokens")
FIELD(dev_flag, FLAG, 0, 1, dev_flag, CLAIM, QUESTION, "a developer's call")
FIELD(bypass_policies, BYPASS, 0, 0, N, OWN, QUESTION,
      "a wish that policies do not enforce: true, or their names")
FIELD(explain, EXPLAIN, 0, 0, N, OWN, BOTH, "brief (default) or full")
FIELD(evaluation_id, EVALUATION_ID, 0, 0, N, OWN, REPORT,
      "the call that is reported: what its decision was answered with")
FIELD(reservation_id, EVALUATION_ID, 0, 0, N, OWN, REPORT,
      "the same as evaluation_id")
FIELD(usage, USAGE, 0, 0, N, OWN, REPORT,
      "what the call used: input_tokens, output_tokens, cost in dollars")
FIELD(latency_ms, LATENCY, 0, 1e9, N, OWN, REPORT, "how long the call took")
FIELD(success, SUCCESS, 0, 1, N, OWN, REPORT, "did the model answer")
FIELD(error, ERROR, 0, 4096, N, OWN, REPORT, "why it did not")
FIELD(served_model_id, SERVED_MODEL, 0, 256, N, OWN, REPORT,
      "the model that really answered; else the one that was to run")
FIELD(served_vendor_id, SERVED_VENDOR, 0, 256, N, OWN, REPORT,
      "who really served it")
FIELD(response, RESPONSE, 0, 0, N, OWN, REPORT,
      "text that the model gave, for the policies of the stage that look at "
      "text")
