#include "store/store_counter.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hex.h"

/* The end of the year 9999; later times are no timestamps of PostgreSQL's. */
static const int64_t expires_max_s = 253402300799;

static const char digits[] = "0123456789abcdef";

/* --- arrays, as PostgreSQL's text ------------------------------------------ */

static void
add_key(struct buf *out, const char *key)
{
	buf_addc(out, '"');
	for (; *key != '\0'; key++) {
		if (*key == '"' || *key == '\\') {
			buf_addc(out, '\\');
		}
		buf_addc(out, *key);
	}
	buf_addc(out, '"');
}

static void
add_bytes(struct buf *out, const unsigned char *bytes, size_t n)
{
	buf_adds(out, "\"\\\\x");
	char *at = buf_room(out, n * 2);
	for (size_t i = 0; i < n; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	buf_grown(out, n * 2);
	buf_addc(out, '"');
}

/* The four arrays that the functions take. */
struct arrays {
	struct buf keys, versions, values, expires;
	char epoch[PG_NUMBER_BYTES];
	bool adds; /* any item has NEXT */
};

static void
add_item(struct arrays *a, const struct store_counter_item *item)
{
	add_key(&a->keys, item->key);
	if (item->version != 0) {
		buf_printf(&a->versions, "%" PRIu64, item->version);
	} else {
		buf_adds(&a->versions, "NULL");
	}
	if (item->next != NULL) {
		a->adds = true;
		add_bytes(&a->values, item->next, item->next_n);
		buf_addi(&a->expires, item->expires_s < expires_max_s
					  ? item->expires_s
					  : expires_max_s);
	} else {
		buf_adds(&a->values, "NULL");
		buf_adds(&a->expires, "NULL");
	}
}

static void
arrays_init(struct arrays *a, uint64_t epoch,
	    const struct store_counter_item *items, size_t n)
{
	struct buf *all[] = { &a->keys, &a->versions, &a->values, &a->expires };

	assert(n > 0);
	*a = (struct arrays){ .adds = false };
	pg_number((int64_t)epoch, a->epoch);
	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j < 4; j++) {
			buf_addc(all[j], i == n ? '}' : i == 0 ? '{' : ',');
		}
		if (i < n) {
			add_item(a, &items[i]);
		}
	}
}

static void
arrays_fini(struct arrays *a)
{
	buf_fini(&a->keys);
	buf_fini(&a->versions);
	buf_fini(&a->values);
	buf_fini(&a->expires);
}

/* --- read ------------------------------------------------------------------ */

/* A row: place, present, version, value. */
static void
take_row(const struct pg_result *result, int row, struct arena *arena,
	 struct store_counter_item *items, size_t n)
{
	size_t place = strtoul(pg_value(result, row, 0), NULL, 10);
	assert(place >= 1 && place <= n);
	struct store_counter_item *item = &items[place - 1];

	if (!pg_is_null(result, row, 2)) {
		item->version = (uint64_t)pg_int(result, row, 2);
	}
	if (pg_value(result, row, 1)[0] != 't') {
		item->state = STORE_COUNTER_ABSENT;
		return;
	}
	size_t bytes_n = pg_value_bytes(result, row, 3) / 2;
	unsigned char *bytes = arena_alloc(arena, bytes_n + 1);
	bool good = hex_read(pg_value(result, row, 3), bytes_n, bytes);
	assert(good);
	item->state = STORE_COUNTER_FOUND;
	item->value = bytes;
	item->value_n = bytes_n;
}

enum status
store_counter_read(struct pg *pg, uint64_t epoch, struct arena *arena,
		   struct store_counter_item *items, size_t n, struct err *err)
{
	struct pg_result *result = NULL;
	struct arrays a;

	arrays_init(&a, epoch, items, n);
	const char *params[] = { a.epoch, buf_text(&a.keys),
				 buf_text(&a.values), buf_text(&a.expires) };
	enum status status = pg_query(
	    pg,
	    a.adds ? "SELECT place, present, version, encode(value, 'hex') "
		     "FROM counter_items_read($1, $2, $3::bytea[], "
		     "$4::bigint[])"
		   : "SELECT place, present, version, encode(value, 'hex') "
		     "FROM counter_items_read($1, $2)",
	    params, a.adds ? 4 : 2, &result, err);
	arrays_fini(&a);
	if (status != STATUS_OK) {
		return status;
	}
	for (size_t i = 0; i < n; i++) {
		items[i].state = STORE_COUNTER_UNKNOWN;
		items[i].version = 0;
		items[i].value = NULL;
		items[i].value_n = 0;
	}
	for (int row = 0; row < pg_rows(result); row++) {
		take_row(result, row, arena, items, n);
	}
	pg_result_free(result);
	return STATUS_OK;
}

/* --- swap and put ---------------------------------------------------------- */

enum store_counter_swapped
store_counter_swap(struct pg *pg, uint64_t epoch,
		   const struct store_counter_item *items, size_t n,
		   size_t *moved, struct err *err)
{
	bool was_connected = pg_connected(pg);
	uint64_t connection = pg_epoch(pg);
	struct pg_result *result = NULL;
	struct arrays a;

	arrays_init(&a, epoch, items, n);
	const char *params[] = { a.epoch, buf_text(&a.keys),
				 buf_text(&a.versions), buf_text(&a.values),
				 buf_text(&a.expires) };
	enum status status =
	    pg_query(pg, "SELECT counter_items_swap($1, $2, $3, $4, $5)",
		     params, 5, &result, err);
	arrays_fini(&a);
	if (status != STATUS_OK) {
		/* Answered with an error, or never connected: not done. */
		return pg_connected(pg) ||
			       (!was_connected && pg_epoch(pg) == connection)
			   ? STORE_COUNTER_FAILED
			   : STORE_COUNTER_UNSURE;
	}
	bool over = pg_is_null(result, 0, 0);
	size_t place = over ? 0 : strtoul(pg_value(result, 0, 0), NULL, 10);
	pg_result_free(result);
	if (over) {
		err_set(err, STATUS_CONFLICT,
			"epoch %" PRIu64 " does not count in PostgreSQL",
			epoch);
		return STORE_COUNTER_FAILED;
	}
	if (place == 0) {
		return STORE_COUNTER_DONE;
	}
	assert(place <= n);
	*moved = place - 1;
	return STORE_COUNTER_MOVED;
}

/* SQL answers true, or the epoch is over. */
static enum status
ask(struct pg *pg, const char *sql, const char *const *params, int params_n,
    struct err *err)
{
	struct pg_result *result = NULL;
	enum status status = pg_query(pg, sql, params, params_n, &result, err);

	if (status == STATUS_OK && pg_value(result, 0, 0)[0] != 't') {
		status =
		    err_set(err, STATUS_CONFLICT,
			    "epoch %s does not count in PostgreSQL", params[0]);
	}
	pg_result_free(result);
	return status;
}

enum status
store_counter_put(struct pg *pg, uint64_t epoch,
		  const struct store_counter_item *items, size_t n,
		  struct err *err)
{
	struct arrays a;

	arrays_init(&a, epoch, items, n);
	const char *params[] = { a.epoch, buf_text(&a.keys),
				 buf_text(&a.values), buf_text(&a.expires) };
	enum status status =
	    ask(pg, "SELECT counter_items_put($1, $2, $3, $4)", params, 4, err);
	arrays_fini(&a);
	return status;
}

enum status
store_counter_begin(struct pg *pg, uint64_t epoch, struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number((int64_t)epoch, text) };

	return ask(pg, "SELECT counter_items_begin($1)", params, 1, err);
}

enum status
store_counter_clean(struct pg *pg, int64_t batch, int64_t *gone,
		    struct err *err)
{
	char text[PG_NUMBER_BYTES];
	const char *params[] = { pg_number(batch, text) };
	struct pg_result *result = NULL;

	enum status status = pg_query(pg, "SELECT counter_items_clean($1)",
				      params, 1, &result, err);
	if (status == STATUS_OK) {
		*gone = pg_int(result, 0, 0);
	}
	pg_result_free(result);
	return status;
}
