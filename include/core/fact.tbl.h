/*
 * Every fact of an evaluation context: the keys of applies_to and the fields
 * that whose-word-counts (docs/policies.md) is decided for.
 *
 * FACT(name, type, fold, asserted, by_model)
 *   name      JSON field, applies_to key; enum FACT_<name>
 *   type      TEXT, COUNT (integer), MONEY, RATIO (double), FLAG
 *   fold      FOLD: lower case before it is compared; EXACT: as it is
 *   asserted  BODY: a caller may say it (as far as its key permits);
 *             ENGINE: never taken from the body
 *   by_model  MODEL: depends on the model that runs, so it changes when a
 *             fallback is tried; FIXED: does not
 */
FACT(user_id, TEXT, EXACT, BODY, FIXED)
FACT(user_tier, TEXT, EXACT, BODY, FIXED)
FACT(team_id, TEXT, EXACT, BODY, FIXED)
FACT(organization_id, TEXT, EXACT, BODY, FIXED)
FACT(api_key_id, TEXT, EXACT, BODY, FIXED)
FACT(session_id, TEXT, EXACT, BODY, FIXED)
FACT(correlation_id, TEXT, EXACT, BODY, FIXED)
FACT(request_id, TEXT, EXACT, BODY, FIXED)
FACT(environment, TEXT, EXACT, BODY, FIXED)
FACT(region, TEXT, FOLD, BODY, MODEL)
FACT(model_id, TEXT, FOLD, BODY, MODEL)
FACT(vendor_id, TEXT, FOLD, BODY, MODEL)
FACT(model_tier, COUNT, EXACT, ENGINE, MODEL)
FACT(prompt_length, COUNT, EXACT, ENGINE, FIXED)
FACT(estimated_tokens, COUNT, EXACT, BODY, FIXED)
FACT(input_tokens, COUNT, EXACT, BODY, FIXED)
FACT(max_output_tokens, COUNT, EXACT, BODY, FIXED)
FACT(estimated_cost, MONEY, EXACT, BODY, MODEL)
FACT(temperature, RATIO, EXACT, BODY, FIXED)
FACT(dev_flag, FLAG, EXACT, BODY, FIXED)
