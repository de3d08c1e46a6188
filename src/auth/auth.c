#include "auth/auth.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"

#define KEY_PREFIX "ims_"
#define ADMIN_KEY_PATH "/api/v1/compliance"

static const char id_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char secret_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789-_";

/* The two parts of a key's text. */
struct key_text {
	char id[AUTH_ID_CHARS + 1];
	char secret[AUTH_SECRET_CHARS + 1];
};

void
auth_hash(const char *secret, unsigned char hash[KEY_HASH_BYTES])
{
	digest_bytes(secret, strlen(secret), hash, KEY_HASH_BYTES);
}

void
auth_make_key(char key[AUTH_KEY_BYTES], char id[AUTH_ID_CHARS + 1],
	      unsigned char hash[KEY_HASH_BYTES])
{
	const size_t prefix_n = sizeof(KEY_PREFIX) - 1;
	char *secret = key + prefix_n + AUTH_ID_CHARS + 1;

	for (int i = 0; i < AUTH_ID_CHARS; i++) {
		id[i] = id_chars[digest_random_below(sizeof(id_chars) - 1)];
	}
	id[AUTH_ID_CHARS] = '\0';
	memcpy(key, KEY_PREFIX, prefix_n);
	memcpy(key + prefix_n, id, AUTH_ID_CHARS);
	key[prefix_n + AUTH_ID_CHARS] = '_';
	for (int i = 0; i < AUTH_SECRET_CHARS; i++) {
		secret[i] =
		    secret_chars[digest_random_below(sizeof(secret_chars) - 1)];
	}
	secret[AUTH_SECRET_CHARS] = '\0';
	auth_hash(secret, hash);
}

bool
auth_has_role(const struct api_key *key, unsigned roles)
{
	return key != NULL && (roles & 1U << key->role) != 0;
}

/* Read TEXT as ims_<id>_<secret>, to the letter. */
static bool
key_parse(const char *text, struct key_text *out)
{
	const size_t prefix_n = sizeof(KEY_PREFIX) - 1;

	if (strlen(text) != AUTH_KEY_BYTES - 1 ||
	    strncmp(text, KEY_PREFIX, prefix_n) != 0) {
		return false;
	}
	const char *id = text + prefix_n;
	const char *secret = id + AUTH_ID_CHARS + 1;
	if (strspn(id, id_chars) != AUTH_ID_CHARS || id[AUTH_ID_CHARS] != '_' ||
	    strspn(secret, secret_chars) != AUTH_SECRET_CHARS) {
		return false;
	}
	memcpy(out->id, id, AUTH_ID_CHARS);
	out->id[AUTH_ID_CHARS] = '\0';
	memcpy(out->secret, secret, AUTH_SECRET_CHARS + 1);
	return true;
}

/* What follows "Bearer" in TEXT; NULL: it is another scheme. */
static const char *
bearer(const char *text)
{
	static const char scheme[] = "Bearer";
	const size_t n = sizeof(scheme) - 1;

	if (text == NULL || strncasecmp(text, scheme, n) != 0 ||
	    text[n] != ' ') {
		return NULL;
	}
	text += n;
	return text + strspn(text, " ");
}

static bool
is_compliance(const char *path)
{
	const size_t n = sizeof(ADMIN_KEY_PATH) - 1;

	return strncmp(path, ADMIN_KEY_PATH, n) == 0 &&
	       (path[n] == '/' || path[n] == '\0');
}

/* The key's text, wherever it was put, or NULL. */
static const char *
sent_key(const struct http_request *req)
{
	const char *key = bearer(http_header(req, "HTTP_AUTHORIZATION"));

	if (key == NULL) {
		key = http_header(req, "HTTP_X_API_KEY");
	}
	if (key == NULL && is_compliance(req->path)) {
		key = http_header(req, "HTTP_X_ADMIN_KEY");
	}
	return key;
}

/* The good key that TEXT is, or NULL.  An unknown id costs as much time as a
 * wrong secret. */
static const struct api_key *
find_key(const struct snapshot_data *snapshot, const char *text, int64_t now_us)
{
	static const unsigned char nobody[KEY_HASH_BYTES];
	unsigned char hash[KEY_HASH_BYTES];
	struct key_text parts;

	if (!key_parse(text, &parts)) {
		return NULL;
	}
	const struct api_key *key = snapshot_key(snapshot, parts.id);
	auth_hash(parts.secret, hash);
	bool same = digest_equal(hash, key != NULL ? key->hash : nobody,
				 KEY_HASH_BYTES);
	if (key == NULL || !same || key->revoked || now_us >= key->expires_us) {
		return NULL;
	}
	return key;
}

enum status
auth_check(const struct snapshot_data *snapshot, const struct http_request *req,
	   unsigned roles, int64_t now_us, const struct api_key **out,
	   struct err *err)
{
	const char *text = sent_key(req);

	if (snapshot == NULL && roles != AUTH_ANYONE) {
		return err_set(err, STATUS_UNAVAILABLE,
			       "there is no policy snapshot yet, so no key "
			       "can be checked");
	}
	if (snapshot == NULL || (text == NULL && roles == AUTH_ANYONE)) {
		*out = NULL;
		return STATUS_OK;
	}
	const struct api_key *key =
	    text == NULL ? NULL : find_key(snapshot, text, now_us);
	if (key == NULL) {
		return err_set(err, STATUS_UNAUTHENTICATED,
			       "send a valid key as Authorization: Bearer or "
			       "x-api-key");
	}
	if (roles != AUTH_ANYONE && !auth_has_role(key, roles)) {
		return err_set(err, STATUS_FORBIDDEN,
			       "the role %s may not do this",
			       role_words[key->role]);
	}
	*out = key;
	return STATUS_OK;
}
