/*
 * The lock, the lanes and the end.  What is done stands in keeper_step.c.
 */
#include "keeper/keeper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "keeper/keeper_step.h"

enum {
	LOCK_TRIES = 20, /* who asks for a keeper holds the lock a moment */
	LOCK_PAUSE_US = 10000,
	STEPS_MAX = 64,
	LATER_US = 1000000,
	END_US = 5000000,
	NAP_US = 1000000 /* a lane looks at least so often */
};

/* The host's lock, which dies with this process. */
static enum status
take_lock(const char *state_dir, int *out, struct err *err)
{
	char path[CONFIG_TEXT_BYTES + 16];

	snprintf(path, sizeof(path), "%s/keeper.lock", state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		return err_set(err, STATUS_IO, "cannot open %s: %s", path,
			       strerror(errno));
	}
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*out = fd;
			return STATUS_OK;
		}
		clock_sleep_us(LOCK_PAUSE_US);
	}
	close(fd);
	return err_set(err, STATUS_BUSY,
		       "another housekeeper holds the lock %s", path);
}

/* Sleep until something is due; true: PostgreSQL notified. */
static bool
lane_wait(struct keeper *k, enum keeper_lane lane, int64_t us)
{
	int64_t ms = us <= 0 ? 0 : (us + 999) / 1000;

	if (lane == KEEPER_WATCH) {
		return pg_wait_notify(k->pg, k->stop_fd, ms);
	}
	struct pollfd fd = { .fd = k->stop_fd, .events = POLLIN };
	poll(&fd, 1, (int)ms);
	return false;
}

static int64_t
due_at(const struct keeper *k, const struct keeper_step *step,
       enum keeper_due due)
{
	int64_t now = clock_mono_us();

	switch (due) {
	case KEEPER_AGAIN:
		return now;
	case KEEPER_LATER:
		return now + LATER_US;
	default:
		return now + step->period_ms(k->config) * 1000;
	}
}

/* Once more what must not be left undone. */
static void
lane_end(struct keeper *k, enum keeper_lane lane)
{
	int64_t until = clock_mono_us() + END_US;

	for (size_t i = 0; i < keeper_steps_n; i++) {
		const struct keeper_step *step = &keeper_steps[i];
		if (step->lane != lane || !step->at_end) {
			continue;
		}
		while (step->run(k) == KEEPER_AGAIN &&
		       clock_mono_us() < until) {
		}
	}
}

static void
lane_run(struct keeper *k, enum keeper_lane lane)
{
	int64_t due[STEPS_MAX] = { 0 };

	while (!atomic_load(&k->stop)) {
		int64_t next = clock_mono_us() + NAP_US;
		for (size_t i = 0; i < keeper_steps_n; i++) {
			const struct keeper_step *step = &keeper_steps[i];
			if (step->lane != lane ||
			    step->period_ms(k->config) < 0) {
				continue;
			}
			if (due[i] <= clock_mono_us()) {
				due[i] = due_at(k, step, step->run(k));
			}
			next = due[i] < next ? due[i] : next;
		}
		if (!lane_wait(k, lane, next - clock_mono_us())) {
			continue;
		}
		for (size_t i = 0; i < keeper_steps_n; i++) {
			if (keeper_steps[i].on_notify) {
				due[i] = 0;
			}
		}
	}
	lane_end(k, lane);
}

struct lane {
	struct keeper *keeper;
	enum keeper_lane lane;
	pthread_t thread;
};

static void *
lane_thread(void *arg)
{
	struct lane *lane = arg;

	lane_run(lane->keeper, lane->lane);
	return NULL;
}

/* Start the lanes, wait for a signal of SET, end them. */
static void
work(struct keeper *k, const sigset_t *set)
{
	struct lane lanes[KEEPER_LANES];
	uint64_t one = 1;
	int number = 0;

	for (int i = 0; i < KEEPER_LANES; i++) {
		lanes[i] =
		    (struct lane){ .keeper = k, .lane = (enum keeper_lane)i };
		int failed = pthread_create(&lanes[i].thread, NULL, lane_thread,
					    &lanes[i]);
		assert(failed == 0);
	}
	while (sigwait(set, &number) != 0) {
	}
	log_info("told to end by signal %d", number);
	atomic_store(&k->stop, true);
	(void)!write(k->stop_fd, &one, sizeof(one));
	for (int i = 0; i < KEEPER_LANES; i++) {
		pthread_join(lanes[i].thread, NULL);
	}
}

/* Under the host's lock. */
static enum status
run(struct keeper *k, struct err *err)
{
	const struct config *config = k->config;
	enum status status = drain_open(config, k->board, &k->drain, err);

	if (status != STATUS_OK) {
		return status;
	}
	status = keeper_usage_new(config, k->board, &k->usage, err);
	if (status != STATUS_OK) {
		drain_close(k->drain);
		return status;
	}
	k->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (k->stop_fd < 0) {
		keeper_usage_free(k->usage);
		drain_close(k->drain);
		return err_set(err, STATUS_IO, "cannot make an eventfd: %s",
			       strerror(errno));
	}
	k->sync = spool_sync_new(config->state_dir, k->board);
	k->has_pg = config->pg_keeper[0] != '\0';
	k->pg = pg_new(config->pg_keeper, "ims-policy keeper",
		       config->pg_timeout_ms);
	k->drain_pg = pg_new(config->pg_keeper, "ims-policy drain",
			     config->pg_timeout_ms);
	k->count_pg = pg_new(config->pg_keeper, "ims-policy counters",
			     config->pg_timeout_ms);
	k->epoch = keeper_epoch_new(config, k->board, drain_spool_id(k->drain));
	if (!k->has_pg) {
		log_warning("pg_keeper is not set: no policy changes arrive, "
			    "records wait in the spool, nothing is counted");
		atomic_store(&k->board->pg_up, 0);
		metric_set(METRIC_postgresql_up, 0);
	}
	atomic_store(&k->board->keeper_pid, (int32_t)getpid());
	atomic_store(&k->board->keeper_beat_us, clock_mono_us());
	metric_add(METRIC_keeper_starts_total, 0, 1);
	log_info("the housekeeper runs");
	keeper_step_begin(k);

	sigset_t set, old;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	work(k, &set);
	pthread_sigmask(SIG_SETMASK, &old, NULL);

	atomic_store(&k->board->keeper_pid, 0);
	log_info("the housekeeper ends");
	pg_free(k->pg);
	pg_free(k->drain_pg);
	pg_free(k->count_pg);
	keeper_epoch_free(k->epoch);
	keeper_usage_free(k->usage);
	drain_close(k->drain);
	spool_sync_free(k->sync);
	buf_fini(&k->document);
	close(k->stop_fd);
	return STATUS_OK;
}

enum status
keeper_run(const struct config *config, struct board *board, struct err *err)
{
	assert(config != NULL && board != NULL);
	assert(keeper_steps_n <= STEPS_MAX);
	struct keeper k = { .config = config, .board = board };
	int lock = -1;
	enum status status = take_lock(config->state_dir, &lock, err);

	if (status == STATUS_OK) {
		status = run(&k, err);
		close(lock);
	}
	return status;
}
