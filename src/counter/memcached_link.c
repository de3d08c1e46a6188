#include "counter/memcached_link.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	RECEIVE_BYTES = 16 * 1024,
	/* more is given back after a call that needed it */
	KEEP_BYTES = 256 * 1024,
	/* quiet requests without a fence: what they say waits in the socket */
	LOOSE_MAX = 256
};

void
memcached_link_init(struct memcached_link *link,
		    const struct memcached_place_server *server)
{
	*link = (struct memcached_link){ .fd = -1 };
	memcached_address_init(&link->address, server);
	link->down = memcached_down_of(server->name, &link->own_down);
}

static void
hang_up(struct memcached_link *link)
{
	if (link->fd >= 0) {
		close(link->fd);
		link->fd = -1;
	}
	link->loose = 0;
}

void
memcached_link_fini(struct memcached_link *link)
{
	hang_up(link);
	memcached_address_fini(&link->address);
	buf_fini(&link->out);
	buf_fini(&link->in);
}

bool
memcached_link_ask(struct memcached_link *link, int64_t now_us, bool waits)
{
	buf_reset(&link->out);
	buf_reset(&link->in);
	link->wants = 0;
	link->sent = 0;
	link->got = 0;
	link->again = false;
	link->fresh = false;
	link->heard = false;
	link->quiet = 0;
	link->fences = false;
	link->since_us = now_us;
	if (!memcached_down_may_ask(link->down, now_us)) {
		link->state = LINK_LOST;
		return false;
	}
	link->state = LINK_BUSY;
	if (link->loose > (waits ? 0 : LOOSE_MAX)) {
		memcached_wire_fence(&link->out);
		link->fences = true;
	}
	link->fenced = link->fences;
	return true;
}

static void
lose(struct memcached_link *link)
{
	hang_up(link);
	link->state = LINK_LOST;
	memcached_down_silent(link->down, link->since_us, clock_mono_us());
}

/* The call's time is over. */
static void
lose_late(struct memcached_link *link)
{
	hang_up(link);
	link->state = LINK_LOST;
	memcached_down_late(link->down, link->since_us, clock_mono_us());
}

/* Begin to connect to the next of its addresses. */
static void
connect_next(struct memcached_link *link)
{
	const struct memcached_address *address = &link->address;
	const int on = 1;

	hang_up(link);
	while (link->address_at < address->n) {
		const size_t i = link->address_at++;
		const struct sockaddr *at =
		    (const struct sockaddr *)&address->all[i].at;
		link->fd =
		    socket(at->sa_family,
			   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (link->fd < 0) {
			continue;
		}
		if (at->sa_family != AF_UNIX) {
			(void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY,
					 &on, sizeof(on));
		}
		if (connect(link->fd, at, address->all[i].at_n) == 0) {
			link->state = LINK_BUSY;
			return;
		}
		if (errno == EINPROGRESS) {
			link->state = LINK_CONNECTING;
			return;
		}
		hang_up(link);
	}
	lose(link);
}

static void
connect_first(struct memcached_link *link)
{
	memcached_address_refresh(&link->address);
	link->fresh = true;
	link->address_at = 0;
	link->sent = 0;
	connect_next(link);
}

static void send_rest(struct memcached_link *link);

/*
 * The connection is of no use any more.  One that has been idle may only have
 * been closed by the server meanwhile: then once more, where nothing of this
 * call can have happened or it does not matter that it happens twice.
 */
static void
broken(struct memcached_link *link)
{
	if (link->fresh || link->heard) {
		lose(link);
		return;
	}
	if (link->sent > 0 && !link->again) {
		hang_up(link);
		link->state = LINK_LOST;
		return;
	}
	connect_first(link);
	if (link->state == LINK_BUSY) {
		send_rest(link);
	}
}

static void
finish_if_done(struct memcached_link *link)
{
	if (link->sent < link->out.len || link->fenced ||
	    link->got < link->wants) {
		return;
	}
	if (link->in.len > 0) {
		lose(link); /* it says more than it was asked */
		return;
	}
	link->state = LINK_DONE;
	link->loose = (link->fences ? 0 : link->loose) + link->quiet;
}

static void
send_rest(struct memcached_link *link)
{
	while (link->sent < link->out.len) {
		ssize_t n = send(link->fd, link->out.data + link->sent,
				 link->out.len - link->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			return;
		}
		if (n < 0) {
			broken(link);
			return;
		}
		link->sent += (size_t)n;
	}
	finish_if_done(link);
}

/* The reply of a call, or of quiet requests: those before its fence, or its
 * own where it has no others. */
static enum memcached_link_answer
answer(struct memcached_link *link, const struct memcached_wire_reply *reply,
       memcached_link_fn *fn, void *arg)
{
	if (link->fenced && reply->kind == WIRE_FENCE) {
		link->fenced = false;
		return ANSWER_MORE;
	}
	if (link->fenced || link->wants == 0) {
		return reply->kind == WIRE_REFUSED || reply->kind == WIRE_QUIET
			   ? ANSWER_MORE
			   : ANSWER_WRONG;
	}
	return link->got < link->wants ? fn(arg, link, link->got, reply)
				       : ANSWER_WRONG;
}

/* Take every whole reply out of link->in; false: one is wrong. */
static bool
take_replies(struct memcached_link *link, memcached_link_fn *fn, void *arg)
{
	size_t at = 0;

	for (;;) {
		struct memcached_wire_reply reply;
		size_t n = memcached_wire_parse(link->in.data + at,
						link->in.len - at, &reply);
		if (n == MEMCACHED_WIRE_MORE) {
			break;
		}
		enum memcached_link_answer a =
		    n != MEMCACHED_WIRE_WRONG ? answer(link, &reply, fn, arg)
					      : ANSWER_WRONG;
		if (a == ANSWER_WRONG) {
			return false;
		}
		link->got += a == ANSWER_TAKEN;
		at += n;
	}
	if (at == 0) {
		return true;
	}
	link->in.len -= at;
	memmove(link->in.data, link->in.data + at, link->in.len);
	return true;
}

static void
receive(struct memcached_link *link, memcached_link_fn *fn, void *arg)
{
	/* a large value comes in ever larger pieces */
	size_t room =
	    link->in.len > RECEIVE_BYTES ? link->in.len : RECEIVE_BYTES;
	ssize_t n = recv(link->fd, buf_room(&link->in, room), room, 0);

	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (n <= 0) {
		broken(link);
		return;
	}
	link->heard = true;
	buf_grown(&link->in, (size_t)n);
	if (!take_replies(link, fn, arg)) {
		lose(link);
		return;
	}
	finish_if_done(link);
}

/* A connection that was begun has come about, or not. */
static void
connected(struct memcached_link *link)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 ||
	    error != 0) {
		connect_next(link);
	} else {
		link->state = LINK_BUSY;
	}
	if (link->state == LINK_BUSY) {
		send_rest(link);
	}
}

static bool
is_running(const struct memcached_link *link)
{
	return link->state == LINK_CONNECTING || link->state == LINK_BUSY;
}

static void
start(struct memcached_link *link)
{
	if (link->fd < 0) {
		connect_first(link);
	}
	if (link->state == LINK_BUSY) {
		send_rest(link);
	}
}

static void
step(struct memcached_link *link, short events, memcached_link_fn *fn,
     void *arg)
{
	if (link->state == LINK_CONNECTING) {
		connected(link);
		return;
	}
	if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) {
		receive(link, fn, arg);
	}
	if (link->state == LINK_BUSY && (events & POLLOUT) != 0) {
		send_rest(link);
	}
}

/* Wait for what one of them can do next; false: the time is up. */
static bool
wait_and_step(struct memcached_link *const *running, size_t n,
	      int64_t deadline_us, memcached_link_fn *fn, void *arg)
{
	struct pollfd fds[MEMCACHED_PLACE_SERVERS];
	int64_t left = deadline_us - clock_mono_us();

	for (size_t i = 0; i < n; i++) {
		const struct memcached_link *link = running[i];
		bool writes = link->state == LINK_CONNECTING ||
			      link->sent < link->out.len;
		fds[i] = (struct pollfd){ .fd = link->fd,
					  .events = writes ? POLLIN | POLLOUT
							   : POLLIN };
	}
	/* also when it is up: a thread that was not run in time looks once
	 * more before it says that nothing has come */
	const struct timespec wait = {
		.tv_sec = left > 0 ? left / 1000000 : 0,
		.tv_nsec = left > 0 ? left % 1000000 * 1000 : 0,
	};
	int ready = ppoll(fds, n, &wait, NULL);
	for (size_t i = 0; ready > 0 && i < n; i++) {
		if (fds[i].revents != 0) {
			step(running[i], fds[i].revents, fn, arg);
		}
	}
	return left > 0;
}

static void
give_back(struct buf *buf)
{
	if (buf->cap > KEEP_BYTES) {
		buf_fini(buf);
	}
}

void
memcached_link_run(struct memcached_link *const *links, size_t n,
		   int64_t deadline_us, memcached_link_fn *fn, void *arg)
{
	struct memcached_link *running[MEMCACHED_PLACE_SERVERS];
	size_t running_n = 0;
	bool in_time = true;

	assert(n <= MEMCACHED_PLACE_SERVERS);
	for (size_t i = 0; i < n; i++) {
		if (links[i]->state == LINK_BUSY) {
			start(links[i]);
		}
	}
	for (;;) {
		running_n = 0;
		for (size_t i = 0; i < n; i++) {
			if (is_running(links[i])) {
				running[running_n++] = links[i];
			}
		}
		if (running_n == 0 || !in_time) {
			break;
		}
		in_time =
		    wait_and_step(running, running_n, deadline_us, fn, arg);
	}
	for (size_t i = 0; i < running_n; i++) {
		lose_late(running[i]);
	}
	const int64_t now_us = clock_mono_us();
	for (size_t i = 0; i < n; i++) {
		if (links[i]->state == LINK_DONE && links[i]->wants > 0) {
			memcached_down_answered(links[i]->down, now_us);
		}
		give_back(&links[i]->out);
		give_back(&links[i]->in);
	}
}
