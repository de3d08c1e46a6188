#include "policy/snapshot.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/window.h"
#include "policy/compile.h"
#include "policy/freeze.h"
#include "policy/snapshot_open.h"
#include "policy_fixture.h"
#include "text/fold.h"

enum { FILE_MAX = 1 << 20 };

/* Something of everything. */
static const char all[] =
    "{'revision':7,'policies':["
    "{'policy_id':'a','version':4,'name':'words','category':'behavioral',"
    "'priority':80,'mode':'shadow','on_error':'block','message':'no',"
    "'help_url':'https://example.org','constraints':{'blocked_keywords':"
    "['Bomb','poison'],'blocked_patterns':['[0-9]{3}-[0-9]{2}']},"
    "'applies_to':{'user_tier':['free'],'any':[{'tags.x':['y',1,true]},"
    "{'estimated_tokens':{'gt':5}}]}},"
    "{'policy_id':'b','name':'more','category':'behavioral','priority':90,"
    "'constraints':{'blocked_keywords':['bomb']}},"
    "{'policy_id':'c','name':'money','category':'cost','priority':10,"
    "'scope':'team','constraints':{'max_daily_cost':1,"
    "'timezone':'Europe/Berlin'}}],"
    "'subject_limits':[{'policy_id':'c','constraint':'max_daily_cost',"
    "'subject':'red','value':5}],"
    "'exemptions':[{'exemption_id':'e','policy_id':'a','scope':'user',"
    "'subject':'ann','valid_from':'2026-01-01T00:00:00Z',"
    "'valid_until':'2027-01-01T00:00:00Z'}],"
    "'models':[{'model_id':'m','vendor_id':'v','regions':['us-east'],"
    "'input_price_per_mil_tokens':1,'output_price_per_mil_tokens':2}],"
    "'regions':[{'region':'us-east','region_group':'us'}],"
    "'region_aliases':[{'alias':'eastus','region':'us-east'}],"
    "'vendor_aliases':[{'alias':'w','vendor_id':'v'}],"
    "'api_keys':[{'key_id':'k','name':'n','role':'admin','hash':"
    "'000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f',"
    "'bound_facts':{'team_id':'red'},'user_tiers':['free'],"
    "'regions':['us-east'],'asserts':['user_id']}],"
    "'subjects':[{'user_id':'ann','team_id':'red'}]}";

/* Are these the changes of the years around MADE_US? */
static void
check_berlin(const struct zone *zone, int64_t made_us)
{
	assert_non_null(zone);
	assert_in_range(zone->changes_n, 8, 10);
	assert_int_equal(zone->changes[0].from_s,
			 made_us / 1000000 - 400 * 86400);
	for (size_t i = 0; i < zone->changes_n; i++) {
		assert_true(zone->changes[i].offset_s == 3600 ||
			    zone->changes[i].offset_s == 7200);
		assert_true(i == 0 || zone->changes[i].offset_s !=
					  zone->changes[i - 1].offset_s);
	}
}

static void
a_snapshot_holds_what_was_written(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile(all, "");
	const struct snapshot_data *data = snapshot_data(snapshot);
	const struct policy *a = &data->policies.policies[1];

	assert_int_equal(data->revision, 7);
	assert_true(data->made_us > 0);
	assert_int_equal(data->policies.policies_n, 3);
	assert_string_equal(a->name, "words");
	assert_int_equal(a->version, 4);
	assert_int_equal(a->mode, MODE_SHADOW);
	assert_int_equal(a->on_error, ON_ERROR_BLOCK);
	assert_string_equal(a->message, "no");
	assert_string_equal(a->help_url, "https://example.org");
	assert_true(a->needs_content);
	assert_int_equal(a->condition->op, CONDITION_AND);
	const struct condition *any = &a->condition->children[1];
	assert_string_equal(any->children[0].tag, "x");
	assert_string_equal(any->children[0].values[0].value.text, "y");
	assert_true(any->children[0].values[2].value.flag);
	assert_null(any->children[1].tag);
	assert_string_equal(a->exemptions[0].exemption_id, "e");
	assert_null(data->policies.policies[0].condition);
	const struct policy *c = &data->policies.policies[2];
	assert_string_equal(policy_constraint(c, CONSTRAINT_timezone)->text,
			    "Europe/Berlin");
	assert_true(c->counts);
	assert_true(policy_constraint(c, CONSTRAINT_max_daily_cost)->counter !=
		    0);
	assert_false(a->counts);
	assert_null(a->zone);
	check_berlin(c->zone, data->made_us);
	assert_string_equal(c->limits[0].subject, "red");
	snapshot_unref(snapshot);
	snapshot_unref(NULL);
}

/* "policy/item" of each thing found. */
static const char *
scan(const struct snapshot *snapshot, const struct pattern_set *set,
     const char *text)
{
	static char said[256];
	const struct snapshot_data *data = snapshot_data(snapshot);
	struct pattern_scanner *scanner = pattern_scanner_new();
	struct arena *arena = arena_new(0);
	struct pattern_match *matches = NULL;
	size_t n = 0, at = 0;

	assert_int_equal(pattern_scan(scanner, set, text, strlen(text), arena,
				      &matches, &n, NULL),
			 STATUS_OK);
	said[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		assert_true(matches[i].id < data->content_n);
		const struct content_item *item = &data->content[matches[i].id];
		at += (size_t)snprintf(
		    said + at, sizeof(said) - at, "%s/%s/%u ",
		    data->policies.policies[item->policy].name,
		    constraint_row(item->key)->key, item->item);
	}
	arena_free(arena);
	pattern_scanner_free(scanner);
	return said;
}

static void
content_leads_back_to_its_policy(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile(all, "");

	assert_string_equal(
	    scan(snapshot, snapshot_keywords(snapshot), "a bomb, poison"),
	    "more/blocked_keywords/0 words/blocked_keywords/0 "
	    "words/blocked_keywords/1 ");
	assert_string_equal(
	    scan(snapshot, snapshot_regexes(snapshot), "it is 123-45"),
	    "words/blocked_patterns/0 ");
	snapshot_unref(snapshot);
	snapshot = fixture_compile("{'revision':1}", "");
	assert_true(pattern_set_empty(snapshot_keywords(snapshot)));
	assert_true(pattern_set_empty(snapshot_regexes(snapshot)));
	assert_null(snapshot_key(snapshot_data(snapshot), "k"));
	assert_null(snapshot_subject(snapshot_data(snapshot), "ann"));
	snapshot_unref(snapshot);
}

static size_t
compile_to_file(const char *quoted, const char *path, char *bytes)
{
	char *text = fixture_text(quoted);
	struct compile_job job = {
		.text = text, .n = strlen(text), .slot = 5, .made_us = 1
	};
	struct image_builder *builder = NULL;

	assert_int_equal(compile_image(&job, &builder, NULL), STATUS_OK);
	assert_int_equal(image_write(builder, path, NULL), STATUS_OK);
	image_builder_free(builder);
	free(text);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, bytes, FILE_MAX);
	close(fd);
	assert_true(n > 0 && n < FILE_MAX);
	return (size_t)n;
}

/*
 * The same document gives the same bytes, wherever it was compiled: no pointer
 * out of the image is left in it.
 */
static void
the_same_document_gives_the_same_image(void **state)
{
	(void)state;
	char path[] = "/tmp/test_snapshot.XXXXXX";
	static char first[FILE_MAX], second[FILE_MAX];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	size_t n = compile_to_file(all, path, first);
	/* what stays allocated, and at the address, moves all that follows */
	struct snapshot *held = fixture_compile(all, "");
	struct snapshot *mapped = NULL;
	assert_int_equal(snapshot_open(path, &mapped, NULL), STATUS_OK);
	void *moved = malloc(100000);
	assert_int_equal(compile_to_file(all, path, second), n);
	assert_memory_equal(first, second, n);
	free(moved);
	snapshot_unref(held);
	snapshot_unref(mapped);
	(void)unlink(path);
}

/* A law of docs/policies.md: order of members and white space say nothing. */
static void
white_space_and_order_change_nothing(void **state)
{
	(void)state;
	char path[] = "/tmp/test_snapshot.XXXXXX";
	static char first[FILE_MAX], second[FILE_MAX];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	size_t n = compile_to_file(
	    "{'revision':1,'policies':[{'policy_id':'a','name':'n',"
	    "'category':'cost','priority':5,'constraints':{"
	    "'max_daily_cost':1,'max_weekly_cost':2}},{'policy_id':'b',"
	    "'name':'m','category':'cost','priority':5,'constraints':{"
	    "'max_daily_cost':1}}]}",
	    path, first);
	assert_int_equal(
	    compile_to_file(
		"{ 'policies' : [ {'name':'m','policy_id':'b','priority':5,\n"
		"'constraints' :{'max_daily_cost':1.0},'category':'cost'},\t"
		"{'priority':5,'category':'cost','constraints':{"
		"'max_weekly_cost':2,'max_daily_cost':1e0},'name':'n',"
		"'policy_id':'a'}], 'revision' : 1 }",
		path, second),
	    n);
	assert_memory_equal(first, second, n);
	(void)unlink(path);
}

static void
what_is_no_json_is_refused(void **state)
{
	(void)state;
	struct snapshot *snapshot = NULL;
	struct err err = { 0 };

	assert_int_equal(snapshot_compile("{", 1, 0, &snapshot, &err),
			 STATUS_JSON);
	assert_int_equal(snapshot_compile("", 0, 0, &snapshot, &err),
			 STATUS_JSON);
	struct compile_job job = { .text = "", .n = COMPILE_MAX_BYTES + 1 };
	struct image_builder *builder = NULL;
	assert_int_equal(compile_image(&job, &builder, NULL), STATUS_TOO_LARGE);
	assert_null(snapshot);
	assert_null(builder);
}

static void
an_error_leaves_the_revision(void **state)
{
	(void)state;
	char *text = fixture_text("{'revision':9,'policies':[{}]}");
	struct compile_job job = { .text = text, .n = strlen(text) };
	struct image_builder *builder = NULL;

	assert_int_equal(compile_image(&job, &builder, NULL), STATUS_BODY);
	assert_int_equal(job.revision, 9);
	free(text);
}

static void
references_are_counted(void **state)
{
	(void)state;
	struct snapshot *snapshot = fixture_compile("{'revision':3}", "");

	assert_ptr_equal(snapshot_ref(snapshot), snapshot);
	snapshot_unref(snapshot);
	assert_int_equal(snapshot_data(snapshot)->revision, 3);
	snapshot_unref(snapshot);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_holds_what_was_written),
		cmocka_unit_test(content_leads_back_to_its_policy),
		cmocka_unit_test(the_same_document_gives_the_same_image),
		cmocka_unit_test(white_space_and_order_change_nothing),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(an_error_leaves_the_revision),
		cmocka_unit_test(references_are_counted),
	};
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
