/*
 * fuzz_text: short texts that are read by hand, each against what is known of
 * it in another way.  The first byte says what the text is.
 */
#include <assert.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/digest.h"
#include "base/money.h"
#include "base/uuid.h"
#include "input.h"

#define KEY_ID "eeeeeeeeeeeeeeee"
#define KEY_SECRET "0123456789012345678901234567890123456789-_Z"
#define KEY "ims_" KEY_ID "_" KEY_SECRET
#define BEARER "Bearer "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A regular expression, compiled when it is first used. */
struct form {
	const char *text;
	bool ready;
	regex_t regex;
};

static bool
matches(struct form *form, const char *text)
{
	if (!form->ready) {
		int rc =
		    regcomp(&form->regex, form->text, REG_EXTENDED | REG_NOSUB);
		assert(rc == 0);
		form->ready = true;
	}
	return regexec(&form->regex, text, 0, NULL, 0) == 0;
}

/* A time that was read is written, and read again as the same. */
static void
check_time(const char *text)
{
	int64_t us, again;
	char out[CLOCK_TEXT_BYTES];

	if (clock_parse(text, &us)) {
		clock_rfc3339(us, out);
		assert(clock_parse(out, &again));
		assert(again == us);
	}
}

/* A number that is refused is too large; else it is what strtold makes of it,
 * within what a long double knows. */
static void
check_decimal(const char *text, int scale)
{
	static struct form number = {
		.text = "^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$"
	};
	int64_t value;
	bool inexact;

	bool fits = decimal_parse(text, scale, &value, &inexact);
	if (!matches(&number, text)) {
		assert(!fits);
		return;
	}
	long double real = strtold(text, NULL) * powl(10, scale);
	if (!fits) {
		assert(fabsl(real) >= 9223372036854775800.0L);
		return;
	}
	long double off = fabsl(real - (long double)value);
	assert(off <= (inexact ? 4 : fabsl(real) / 1e15L));
}

static void
check_money(const char *text)
{
	int64_t value, cut;
	bool inexact;
	char out[MONEY_TEXT_BYTES];

	if (money_parse(text, &value)) {
		assert(decimal_parse(text, 9, &cut, &inexact));
		assert(text[0] == '-' ? cut - value == inexact
				      : value - cut == inexact);
		money_text(value, out);
		assert(money_parse(out, &cut));
		assert(cut == value);
	}
}

static void
check_uuid(const char *text)
{
	static struct form uuid = {
		.text = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
	};

	assert(uuid_valid(text) == matches(&uuid, text));
}

/* A request's only header. */
struct header {
	const char *name, *value;
};

static const char *
param(const struct http_request *req, const char *name)
{
	const struct header *header = req->transport;

	return strcmp(header->name, name) == 0 ? header->value : NULL;
}

/* The key opens, and nothing else does. */
static void
check_key(const char *header_name, const char *text, bool is_key)
{
	static struct api_key key = { .key_id = KEY_ID,
				      .role = ROLE_ADMIN,
				      .expires_us = INT64_MAX };
	const struct snapshot_data data = { .keys = &key, .keys_n = 1 };
	struct header header = { header_name, text };
	struct http_request req = { .path = "/api/v1/compliance",
				    .param = param,
				    .transport = &header };
	const struct api_key *found = NULL;

	enum status status = digest_init(NULL);
	assert(status == STATUS_OK);
	auth_hash(KEY_SECRET, key.hash);
	status = auth_check(&data, &req, AUTH_ADMIN, 0, &found, NULL);
	assert(status == (is_key ? STATUS_OK : STATUS_UNAUTHENTICATED));
	assert((found == &key) == is_key);
}

static bool
is_bearer(const char *text)
{
	const size_t n = strlen(BEARER);

	return strncasecmp(text, BEARER, n) == 0 &&
	       strcmp(text + n + strspn(text + n, " "), KEY) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0) {
		return 0;
	}
	char *text = input_text(data + 1, n - 1);
	switch (data[0]) {
	case 't':
		check_time(text);
		break;
	case 'm':
		check_money(text);
		break;
	case 'u':
		check_uuid(text);
		break;
	case 'k':
		check_key("HTTP_X_API_KEY", text, strcmp(text, KEY) == 0);
		check_key("HTTP_X_ADMIN_KEY", text, strcmp(text, KEY) == 0);
		break;
	case 'b':
		check_key("HTTP_AUTHORIZATION", text, is_bearer(text));
		break;
	default:
		check_decimal(text, data[0] % (DECIMAL_SCALE_MAX + 1));
		break;
	}
	free(text);
	return 0;
}
