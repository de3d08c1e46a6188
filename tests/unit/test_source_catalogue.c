#include "core/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/money.h"
#include "policy_fixture.h"

/* The members of a document beside its revision, and what is refused. */
static const struct fixture_document cases[] = {
	/* regions and aliases */
	{ ",'regions':[{'region':'us-east'}]",
	  "/regions/0/region_group: is required" },
	{ ",'regions':[{'region':'a','region_group':'g'},{'region':'A',"
	  "'region_group':'g'}]",
	  "/regions/1: already as element 0" },
	{ ",'region_aliases':[{'alias':'eastus','region':'us-east'}]",
	  "/region_aliases/0/region: unknown region" },
	{ ",'vendor_aliases':[{'alias':'a','vendor_id':'x'},"
	  "{'alias':'A','vendor_id':'y'}]",
	  "/vendor_aliases/1: already as element 0" },
	{ ",'vendor_aliases':[{'alias':'a','region':'x'}]",
	  "/vendor_aliases/0/region: unknown field\n"
	  "/vendor_aliases/0/vendor_id: is required" },
	/* models */
	{ ",'models':[{}]", "/models/0/model_id: is required\n"
			    "/models/0/vendor_id: is required" },
	{ ",'models':[{'model_id':'m','vendor_id':'v','regions':['mars']}]",
	  "/models/0/regions/0: unknown region" },
	{ ",'models':[{'model_id':'m','vendor_id':'v','regions':'mars'}]",
	  "/models/0/regions: expected an array" },
	{ ",'models':[{'model_id':'m','vendor_id':'v','features':['taste']}]",
	  "/models/0/features/0: " },
	{ ",'models':[{'model_id':'m','vendor_id':'v','features':'vision'}]",
	  "/models/0/features: expected an array" },
	{ ",'models':[{'model_id':'m','vendor_id':'v','capability_tier':4,"
	  "'input_price_per_mil_tokens':-1,'context_tokens':0,'active':1,"
	  "'output_price_per_mil_tokens':1000000.5,'price':1}]",
	  "/models/0/capability_tier: from 1 to 3\n"
	  "/models/0/input_price_per_mil_tokens: expected dollars\n"
	  "/models/0/context_tokens: expected an integer\n"
	  "/models/0/active: expected true\n"
	  "/models/0/output_price_per_mil_tokens: expected dollars\n"
	  "/models/0/price: unknown field" },
	{ ",'models':[{'model_id':'M','vendor_id':'v'},{'model_id':'m',"
	  "'vendor_id':'w'},{'model_id':'m','vendor_id':'V'}]",
	  "/models/2: already as element 0" },
	{ ",'vendor_aliases':[{'alias':'w','vendor_id':'v'}],"
	  "'models':[{'model_id':'m','vendor_id':'v'},"
	  "{'model_id':'m','vendor_id':'w'}]",
	  "/models/1: already as element 0" },
};

static void
a_document_is_taken_or_refused(void **state)
{
	(void)state;
	fixture_compile_each(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
the_catalogue_is_compiled(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile(
	    "{'revision':1,"
	    "'regions':[{'region':'US-West','region_group':'us'},"
	    "{'region':'eu-west','region_group':'eu'}],"
	    "'region_aliases':[{'alias':'WestUS','region':'us-west'}],"
	    "'vendor_aliases':[{'alias':'Vertex_AI','vendor_id':'Google'}],"
	    "'models':["
	    "{'model_id':'Z','vendor_id':'Vertex_AI','capability_tier':3,"
	    "'context_tokens':1000,'max_output_tokens':10,"
	    "'input_price_per_mil_tokens':0.075,"
	    "'output_price_per_mil_tokens':0.30,"
	    "'cached_input_price_per_mil_tokens':0.01,"
	    "'tier_from_tokens':500,'tier_input_price_per_mil_tokens':1,"
	    "'tier_output_price_per_mil_tokens':2,"
	    "'features':['vision','function_calling'],"
	    "'regions':['WESTUS','eu-west']},"
	    "{'model_id':'a','vendor_id':'x','capability_tier':null,"
	    "'context_tokens':null,'input_price_per_mil_tokens':null,"
	    "'output_price_per_mil_tokens':5,'features':null,'regions':[]},"
	    "{'model_id':'b','vendor_id':'y','active':false,"
	    "'input_price_per_mil_tokens':0,'output_price_per_mil_tokens':0},"
	    "{'model_id':'d','vendor_id':'y','input_price_per_mil_tokens':0.1,"
	    "'output_price_per_mil_tokens':0.1},"
	    "{'model_id':'c','vendor_id':'y','input_price_per_mil_tokens':0.1,"
	    "'output_price_per_mil_tokens':0.1},"
	    "{'model_id':'c','vendor_id':'x','input_price_per_mil_tokens':0.2,"
	    "'output_price_per_mil_tokens':0}]}",
	    "");
	const struct catalogue *catalogue = &snapshot_data(snapshot)->catalogue;
	const struct model *z = catalogue_model(catalogue, "z", "google");
	const struct model *a = catalogue_model(catalogue, "a", NULL);
	static const char *const cheapest[] = { "c", "c", "d", "z" };

	assert_int_equal(catalogue->models_n, 6);
	assert_non_null(z);
	assert_int_equal(z->tier, 3);
	assert_int_equal(z->input_per_mil, 75000000);
	assert_int_equal(z->cached_input_per_mil, 10000000);
	assert_int_equal(z->tier_from_tokens, 500);
	assert_int_equal(z->tier_output_per_mil, 2000000000);
	assert_int_equal(z->context_tokens, 1000);
	assert_int_equal(z->max_output_tokens, 10);
	assert_int_equal(z->features,
			 FEATURE_VISION | FEATURE_FUNCTION_CALLING);
	assert_int_equal(z->regions_n, 2);
	assert_string_equal(z->regions[0]->name, "us-west");
	assert_string_equal(z->regions[1]->group, "eu");
	assert_ptr_equal(z->regions[0], catalogue_region(catalogue, "westus"));
	assert_true(a->active);
	assert_int_equal(a->tier, 0);
	assert_int_equal(a->context_tokens, -1);
	assert_int_equal(a->max_output_tokens, -1);
	assert_int_equal(a->input_per_mil, MONEY_UNKNOWN);
	assert_int_equal(a->tier_input_per_mil, MONEY_UNKNOWN);
	assert_int_equal(a->regions_n, 0);
	assert_int_equal(catalogue->by_price_n, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(catalogue->by_price[i]->model_id,
				    cheapest[i]);
	}
	assert_string_equal(catalogue->by_price[0]->vendor_id, "x");
	assert_string_equal(catalogue_vendor(catalogue, "vertex_ai"), "google");
	snapshot_unref(snapshot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_taken_or_refused),
		cmocka_unit_test(the_catalogue_is_compiled),
	};
	return cmocka_run_group_tests_name("source_catalogue", tests, NULL,
					   NULL);
}
