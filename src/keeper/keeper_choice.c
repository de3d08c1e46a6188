#include "keeper/keeper_choice.h"

#include <string.h>

/* A wish; counts only where it has a reason. */
struct wish {
	enum store_node_counts counts;
	const char *reason;
};

static bool
is_alone(const struct keeper_view *view)
{
	return view->may_be_alone && view->hosts_n == 1;
}

static const char unreadable[] = "an account could not be read";

/* Only another try has to wait. */
static bool
makes_anew(const struct keeper_view *view)
{
	return view->now.ready && view->unreadable &&
	       (view->now.age_ms >= KEEPER_UNREADABLE_MS ||
		strcmp(view->now.reason, unreadable) != 0);
}

static bool
is_silent(const struct keeper_view *view)
{
	return view->memcached && !view->answers &&
	       view->for_ms >= view->lost_ms;
}

/* What several hosts can share. */
static struct wish
shared(const struct keeper_view *view, const char *reason)
{
	if (view->memcached && view->answers) {
		return (struct wish){ STORE_NODE_MEMCACHED, reason };
	}
	if (view->postgresql && (!view->memcached || is_silent(view))) {
		return (struct wish){ STORE_NODE_POSTGRESQL, reason };
	}
	return (struct wish){ STORE_NODE_HOST, NULL }; /* not yet */
}

static struct wish
of_host(const struct keeper_view *view)
{
	if (!is_alone(view)) {
		return shared(view, "several hosts count");
	}
	if (!view->mine) {
		return (struct wish){ STORE_NODE_HOST,
				      "this is the only host now" };
	}
	if (view->now.ready && view->host_lost) {
		return (struct wish){ STORE_NODE_HOST,
				      "the host has lost what it had" };
	}
	if (makes_anew(view)) {
		return (struct wish){ STORE_NODE_HOST, unreadable };
	}
	return (struct wish){ STORE_NODE_HOST, NULL };
}

static struct wish
of_memcached(const struct keeper_view *view)
{
	if (view->now.ready && view->memcached_lost) {
		return (struct wish){ STORE_NODE_MEMCACHED,
				      "a memcached server has lost what it "
				      "had" };
	}
	if (view->postgresql && is_silent(view)) {
		return (struct wish){ STORE_NODE_POSTGRESQL,
				      "memcached does not answer" };
	}
	if (makes_anew(view)) {
		return (struct wish){ STORE_NODE_MEMCACHED, unreadable };
	}
	return (struct wish){ STORE_NODE_MEMCACHED, NULL };
}

static struct wish
of_postgresql(const struct keeper_view *view)
{
	bool back = !view->pinned && view->memcached && view->answers &&
		    view->all_reach && view->for_ms >= view->back_ms;

	if (view->now.ready && back) {
		return (struct wish){ STORE_NODE_MEMCACHED,
				      "memcached answers again" };
	}
	if (makes_anew(view)) {
		return (struct wish){ STORE_NODE_POSTGRESQL, unreadable };
	}
	return (struct wish){ STORE_NODE_POSTGRESQL, NULL };
}

static struct wish
choose(const struct keeper_view *view)
{
	if (view->now.epoch == 0) {
		return is_alone(view)
			   ? (struct wish){ STORE_NODE_HOST, "the first epoch" }
			   : shared(view, "the first epoch");
	}
	if (view->now.counts == STORE_NODE_HOST) {
		return of_host(view);
	}
	if (is_alone(view) && !view->pinned) {
		return (struct wish){ STORE_NODE_HOST,
				      "this is the only host now" };
	}
	return view->now.counts == STORE_NODE_MEMCACHED ? of_memcached(view)
							: of_postgresql(view);
}

bool
keeper_choice(const struct keeper_view *view, enum store_node_counts *counts,
	      const char **reason)
{
	const struct wish wish = choose(view);

	if (wish.reason == NULL) {
		return false;
	}
	*counts = wish.counts;
	*reason = wish.reason;
	return true;
}
