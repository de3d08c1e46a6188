/*
 * bench_decide: what one decision costs inside the engine, without a web
 * server, for sets of 10 to 10,000 policies of which 20 apply (10: all).
 *
 *	bench_decide                 the table: nanoseconds a decision and stage
 *	bench_decide POLICIES TURNS  so many decisions and so many of each
 *		stage, for valgrind --tool=callgrind with
 *		--toggle-collect=engine_evaluate or a stage: json_doc_parse,
 *		body_read, facts_settle, decide, record_write, answer_write
 *
 * Figures are for comparing in one run on one machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "core/decide.h"
#include "engine/answer.h"
#include "engine/body.h"
#include "engine/content_scan.h"
#include "engine/engine.h"
#include "engine/facts.h"
#include "engine/record.h"

enum { APPLYING = 20, ROUNDS = 5, TURNS = 4000 };

#define NOW_US INT64_C(1795435200000000)

/* About a kilobyte, as a gateway sends it. */
static const char body_text[] =
    "{\"model_id\":\"gpt-4o-mini\",\"vendor_id\":\"openai\",\"messages\":["
    "{\"role\":\"system\",\"content\":\"You answer questions of customers of "
    "a shop for garden tools. Be short and polite, do not promise anything, "
    "and name the page of the catalogue where there is one.\"},"
    "{\"role\":\"user\",\"content\":\"I have a lawn of about four hundred "
    "square metres with many old trees, and a mower that is too heavy for my "
    "mother. Which one would you recommend that she can lift over the step at "
    "the shed, and how often must its battery be charged for that area? She "
    "mows once a week from April to October, and she would like to know what "
    "the blades cost and whether she can change them herself.\"}],"
    "\"input_tokens\":180,\"max_output_tokens\":400,\"temperature\":0.7,"
    "\"user_id\":\"user-4711\",\"user_tier\":\"pro\",\"team_id\":\"shop\","
    "\"organization_id\":\"garden\",\"session_id\":\"s-20261123-000917\","
    "\"correlation_id\":\"01a20846-fe00-710a-bf3e-cc9cabefba7a\","
    "\"request_id\":\"01a20846-fe00-710a-bf3e-cc9cabefba7b\","
    "\"environment\":\"production\",\"region\":\"us-east\","
    "\"tags\":{\"product\":\"chat\",\"release\":17}}";

/* Rules that hold for the body above, one of each kind in turn. */
static const char *const rules[] = {
	"\"category\":\"cost\",\"constraints\":{\"max_cost_per_request\":0.05,"
	"\"warn_threshold\":0.03}",
	"\"category\":\"cost\",\"constraints\":{\"max_cost_per_mil_tokens\":"
	"10}",
	"\"category\":\"vendor\",\"constraints\":{\"allowed_vendors\":"
	"[\"google\",\"anthropic\",\"openai\"],\"require_approval\":true}",
	"\"category\":\"vendor\",\"constraints\":{\"blocked_models\":"
	"[\"*-preview\",\"gpt-3*\"]}",
	"\"category\":\"behavioral\",\"constraints\":{\"max_prompt_length\":"
	"50000,\"max_tokens_estimated\":12500}",
	"\"category\":\"behavioral\",\"constraints\":{\"max_output_tokens\":"
	"4096}",
	"\"category\":\"behavioral\",\"constraints\":{\"blocked_keywords\":"
	"[\"secret project\",\"password\"]}",
	"\"category\":\"data_residency\",\"constraints\":{\"allowed_regions\":"
	"[\"us\"]}",
	"\"category\":\"compliance\",\"constraints\":{"
	"\"require_correlation_id\":true,\"require_user_id\":true,"
	"\"log_all_requests\":true}",
	"\"category\":\"compliance\",\"constraints\":{\"retention_days\":90,"
	"\"require_user_id\":true}",
};

enum { RULES_N = sizeof(rules) / sizeof(rules[0]) };

static const char world_text[] =
    "\"regions\":[{\"region\":\"us-east\",\"region_group\":\"us\"}],"
    "\"models\":[{\"model_id\":\"gpt-4o-mini\",\"vendor_id\":\"openai\","
    "\"capability_tier\":1,\"active\":true,\"context_tokens\":128000,"
    "\"max_output_tokens\":16384,\"input_price_per_mil_tokens\":0.15,"
    "\"output_price_per_mil_tokens\":0.6,\"features\":[],"
    "\"regions\":[\"us-east\"]}]";

/* N policies: the first 20 apply to the body, the others to other teams. */
static struct snapshot *
make_snapshot(int n)
{
	struct buf source = { 0 };
	struct err err = { 0 };
	struct snapshot *snapshot;

	buf_printf(&source, "{\"revision\":1,%s,\"policies\":[", world_text);
	for (int i = 0; i < n; i++) {
		buf_printf(&source,
			   "%s{\"policy_id\":\"p%d\",\"name\":\"policy-%05d\","
			   "\"priority\":%d,%s,\"applies_to\":{",
			   i == 0 ? "" : ",", i, i, i % 101,
			   rules[i % RULES_N]);
		if (i >= APPLYING) {
			buf_printf(&source, "\"team_id\":[\"team-%d\"]", i);
		}
		buf_adds(&source, "}}");
	}
	buf_adds(&source, "]}");
	if (snapshot_compile(buf_text(&source), source.len, 1, &snapshot,
			     &err) != STATUS_OK) {
		fprintf(stderr, "%s: %s\n", err.items[0].pointer, err.text);
		exit(1);
	}
	buf_fini(&source);
	return snapshot;
}

/* TURNS decisions as a handler makes them; nanoseconds for one. */
static double
run_whole(struct engine_worker *worker, const struct snapshot *snapshot,
	  int turns)
{
	struct arena *arena = arena_new(65536);
	const struct engine_request request = {
		.body = body_text,
		.body_n = sizeof(body_text) - 1,
		.now_us = NOW_US,
	};
	struct engine_answer answer;
	int64_t begun_us = clock_mono_us();

	for (int i = 0; i < turns; i++) {
		if (engine_evaluate(worker, snapshot, &request, arena, &answer,
				    NULL) != STATUS_OK ||
		    answer.http_status != 200) {
			fprintf(stderr, "not decided: %s\n",
				buf_text(answer.body));
			exit(1);
		}
		arena_reset(arena);
	}
	double ns = (double)(clock_mono_us() - begun_us) * 1000.0 / turns;
	arena_free(arena);
	return ns;
}

/* --- the same in stages, in the same order as engine/evaluate.c ----------- */

enum stages {
	STAGE_PARSE,
	STAGE_BODY,
	STAGE_FACTS,
	STAGE_DECIDE,
	STAGE_RECORD,
	STAGE_ANSWER,
	STAGES
};

static const char *const stage_names[STAGES] = { "parse",  "body",   "facts",
						 "decide", "record", "answer" };

/* Everything one decision needs, kept from stage to stage. */
struct one {
	struct json_doc *doc;
	struct body body;
	struct context ctx;
	struct findings said;
	struct decision decision;
};

static void
stage_decide(struct one *one, const struct snapshot *snapshot,
	     struct pattern_scanner *scanner, struct arena *arena)
{
	const struct snapshot_data *data = snapshot_data(snapshot);
	struct content_scan scan = { scanner, snapshot, &one->body };
	const struct decide_ops ops = { .scan = content_scan, .arg = &scan };
	const struct decide_world world = { &data->policies, &data->catalogue };
	const struct decide_settings settings = { false, 60000000000 };

	decide(&world, &settings, &ops, STAGE_PRE_FLIGHT, &one->ctx, arena,
	       &one->decision);
}

/* One stage of ONE; they are timed many at a time, the clock is too coarse. */
static void
run_stage(enum stages stage, struct one *one, const struct snapshot *snapshot,
	  struct pattern_scanner *scanner, struct arena *arena,
	  struct buf *bufs)
{
	static struct config config;
	const struct outcome outcome = { .body = &one->body,
					 .ctx = &one->ctx,
					 .decision = &one->decision,
					 .evaluation_id = "e",
					 .now_us = NOW_US };
	struct err err;

	if (config.threads == 0) {
		config_default(&config);
	}
	const struct facts_sources sources = { .config = &config,
					       .snapshot =
						   snapshot_data(snapshot),
					       .now_us = NOW_US };
	const struct json root =
	    one->doc == NULL ? (struct json){ 0 } : json_root(one->doc);
	enum status status = STATUS_OK;
	switch (stage) {
	case STAGE_PARSE:
		json_doc_free(one->doc);
		status = json_doc_parse(body_text, sizeof(body_text) - 1,
					&one->doc, &err);
		break;
	case STAGE_BODY:
		status = body_read(&root, arena, &one->body, &err);
		break;
	case STAGE_FACTS:
		facts_settle(&one->body, &sources, arena, &one->ctx,
			     &one->said);
		break;
	case STAGE_DECIDE:
		stage_decide(one, snapshot, scanner, arena);
		break;
	case STAGE_RECORD:
		buf_reset(&bufs[0]);
		record_write(&outcome, &bufs[1], &bufs[0]);
		break;
	case STAGE_ANSWER:
	case STAGES:
		buf_reset(&bufs[0]);
		answer_write(&outcome, &bufs[0]);
		break;
	}
	if (status != STATUS_OK) {
		abort();
	}
}

/* Nanoseconds of each stage. */
static void
run_stages(const struct snapshot *snapshot, int turns, double ns[STAGES])
{
	struct pattern_scanner *scanner = pattern_scanner_new();
	struct arena *kept = arena_new(65536), *arena = arena_new(65536);
	struct buf bufs[2] = { { 0 }, { 0 } };
	struct one one = { 0 };

	for (int stage = 0; stage < STAGES; stage++) {
		int64_t begun_us = clock_mono_us();

		for (int i = 0; i < turns; i++) {
			run_stage((enum stages)stage, &one, snapshot, scanner,
				  arena, bufs);
			arena_reset(arena);
		}
		ns[stage] =
		    (double)(clock_mono_us() - begun_us) * 1000.0 / turns;
		/* once more, into memory that stays for the next stages */
		run_stage((enum stages)stage, &one, snapshot, scanner, kept,
			  bufs);
	}
	json_doc_free(one.doc);
	buf_fini(&bufs[0]);
	buf_fini(&bufs[1]);
	arena_free(kept);
	arena_free(arena);
	pattern_scanner_free(scanner);
}

static void
print_row(struct engine_worker *worker, int policies)
{
	struct snapshot *snapshot = make_snapshot(policies);
	double best = 0, ns[STAGES];

	for (int i = 0; i < ROUNDS; i++) {
		double one = run_whole(worker, snapshot, TURNS);
		best = i == 0 || one < best ? one : best;
	}
	run_stages(snapshot, TURNS, ns);
	printf("%8d %9.0f", policies, best);
	for (int i = 0; i < STAGES; i++) {
		printf(" %8.0f", ns[i]);
	}
	printf("\n");
	snapshot_unref(snapshot);
}

int
main(int argc, char **argv)
{
	static const int sizes[] = { 10, 100, 1000, 10000 };
	struct config config;

	config_default(&config);
	struct engine *engine = engine_new(&config, NULL, NULL);
	struct engine_worker *worker = engine_worker_new(engine);
	if (argc == 3) {
		int policies = (int)strtol(argv[1], NULL, 10);
		int turns = (int)strtol(argv[2], NULL, 10);
		struct snapshot *snapshot = make_snapshot(policies);
		double ns[STAGES];

		run_whole(worker, snapshot, turns);
		run_stages(snapshot, turns, ns);
		snapshot_unref(snapshot);
	} else {
		printf("%8s %9s", "policies", "decision");
		for (int i = 0; i < STAGES; i++) {
			printf(" %8s", stage_names[i]);
		}
		printf("   nanoseconds\n");
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			print_row(worker, sizes[i]);
		}
	}
	engine_worker_free(worker);
	engine_free(engine);
	return 0;
}
