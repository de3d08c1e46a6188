#include "core_fixture.h"

#include <string.h>

#include "base/buf.h"
#include "base/money.h"

static const struct region regions[] = {
	{ "ap-south", "asia" }, { "eu-west", "eu" }, { "global", "other" },
	{ "us-central", "us" }, { "us-east", "us" }, { "us-west", "us" },
};
static const struct alias region_aliases[] = {
	{ "eastus", "us-east" },
	{ "europe-west4", "eu-west" },
	{ "us-east-1", "us-east" },
};
static const struct alias vendor_aliases[] = {
	{ "vertex_ai", "google" },
};
static const struct region *const east[] = { &regions[4] };
static const struct region *const west_east[] = { &regions[1], &regions[4] };
static const struct region *const europe[] = { &regions[1] };
static const struct region *const worldwide[] = { &regions[2] };

#define USD(n) ((int64_t)((n)*1e9 + 0.5))

/* Sorted by model_id, vendor_id. */
static const struct model models[] = {
	{ "big", "openai", 3, true, FEATURE_VISION | FEATURE_REASONING, 128000,
	  4096, USD(30), USD(60), MONEY_UNKNOWN, 0, 0, 0, east, 1 },
	{ "little", "anthropic", 1, true, 0, 8000, 4096, USD(0.25), USD(1.25),
	  MONEY_UNKNOWN, 0, 0, 0, europe, 1 },
	{ "middle", "google", 2, true, FEATURE_VISION, 1000000, 8192, USD(1),
	  USD(4), MONEY_UNKNOWN, 128000, USD(2), USD(8), west_east, 2 },
	{ "middle", "openai", 2, true, FEATURE_VISION, 128000, 8192, USD(2),
	  USD(8), MONEY_UNKNOWN, 0, 0, 0, worldwide, 1 },
	{ "mini", "openai", 1, true, FEATURE_FUNCTION_CALLING, 128000, 16384,
	  USD(0.15), USD(0.6), MONEY_UNKNOWN, 0, 0, 0, east, 1 },
	{ "nomax", "openai", 1, true, 0, -1, -1, USD(5), USD(5), MONEY_UNKNOWN,
	  0, 0, 0, NULL, 0 },
	{ "priceless", "openai", 2, true, 0, 128000, 4096, MONEY_UNKNOWN,
	  MONEY_UNKNOWN, MONEY_UNKNOWN, 0, 0, 0, east, 1 },
	{ "retired", "openai", 1, false, 0, 128000, 4096, USD(0.01), USD(0.01),
	  MONEY_UNKNOWN, 0, 0, 0, east, 1 },
	{ "tierless", "openai", 0, true, 0, 128000, 4096, USD(0.02), USD(0.02),
	  MONEY_UNKNOWN, 0, 0, 0, east, 1 },
};

static bool
scan(void *arg, struct arena *arena, const struct content_hit **hits,
     size_t *hits_n, const char **why)
{
	struct fixture *fx = arg;

	(void)arena;
	fx->scans++;
	if (fx->scan_fails != NULL) {
		*why = fx->scan_fails;
		return false;
	}
	*hits = fx->hits;
	*hits_n = fx->hits_n;
	return true;
}

static bool
take(void *arg, const struct charge_model *model, const struct charge *charges,
     size_t n, struct charged *out)
{
	struct fixture *fx = arg;

	return core_counter_take(fx->counter, model, charges, n, out);
}

void
fixture_count(struct fixture *fx)
{
	fx->counter = core_counter_new(fx->arena);
	fx->ops.take = take;
}

void
fixture_decide(struct fixture *fx, struct decision *out)
{
	fixture_compile(fx);
	decide(&fx->world, &fx->settings, &fx->ops, STAGE_PRE_FLIGHT, &fx->ctx,
	       fx->arena, out);
}

const char *
fixture_answer(struct fixture *fx, const struct decision *d)
{
	static const char kinds[] = { [FINDING_VIOLATION] = '!',
				      [FINDING_WARNING] = '~',
				      [FINDING_UNKNOWN] = '?' };
	struct buf buf = { 0 };

	buf_adds(&buf, action_words[d->action]);
	for (size_t i = 0; i < d->findings.n; i++) {
		const struct finding *f = &d->findings.items[i];

		buf_printf(&buf, " %s%c%s%s%s",
			   f->policy == NULL ? "" : f->policy->name,
			   kinds[f->kind], f->type,
			   f->excused == NULL ? "" : "/",
			   f->excused == NULL ? "" : f->excused);
	}
	for (size_t i = 0; i < d->chain_n; i++) {
		buf_printf(&buf, "%s %s", i == 0 ? " ->" : "",
			   d->chain[i].model->model_id);
	}
	const char *text = arena_strdup(fx->arena, buf_text(&buf));

	buf_fini(&buf);
	return text;
}

void
fixture_rows(const struct fixture_row *rows, size_t n)
{
	static const char *const names[] = { "a", "b", "c" };

	for (size_t i = 0; i < n; i++) {
		struct fixture *fx = fixture_new();
		struct decision d;

		for (size_t p = 0; p < 3 && rows[i].policies[p]; p++) {
			fixture_policy(fx, names[p], rows[i].policies[p]);
		}
		fixture_context(fx, rows[i].context);
		fixture_decide(fx, &d);
		const char *answer = fixture_answer(fx, &d);

		if (strcmp(answer, rows[i].answer) != 0) {
			fail_msg("row %zu (%s): %s, not %s", i, rows[i].context,
				 answer, rows[i].answer);
		}
		fixture_free(fx);
	}
}

const struct detail *
fixture_detail(const struct finding *f, const char *name)
{
	for (size_t i = 0; i < f->details_n; i++) {
		if (strcmp(f->details[i].name, name) == 0) {
			return &f->details[i];
		}
	}
	return NULL;
}

struct fixture *
fixture_new(void)
{
	struct arena *arena = arena_new(1 << 16);
	struct fixture *fx = arena_alloc(arena, sizeof(*fx));

	fx->arena = arena;
	fx->settings.unknown_per_mil = USD(60);
	fx->models = arena_alloc(arena, sizeof(models));
	memcpy(fx->models, models, sizeof(models));
	fx->catalogue = (struct catalogue){
		.models = fx->models,
		.models_n = sizeof(models) / sizeof(models[0]),
		.regions = regions,
		.regions_n = sizeof(regions) / sizeof(regions[0]),
		.region_aliases = region_aliases,
		.region_aliases_n =
		    sizeof(region_aliases) / sizeof(region_aliases[0]),
		.vendor_aliases = vendor_aliases,
		.vendor_aliases_n =
		    sizeof(vendor_aliases) / sizeof(vendor_aliases[0]),
	};
	fx->world = (struct decide_world){ &fx->set, &fx->catalogue };
	fx->ops = (struct decide_ops){ .scan = scan, .arg = fx };
	fixture_context(fx, "model_id=big");
	return fx;
}

void
fixture_free(struct fixture *fx)
{
	arena_free(fx->arena);
}
