/*
 * ims-policy.fcgi: the responder, and with --housekeeper the housekeeper.
 *
 * Options, open, start, wait for a signal, close in reverse.  Knows every room
 * and decides nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/board.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/metric.h"
#include "counter/counter.h"
#include "engine/engine.h"
#include "handler/handler.h"
#include "http/server.h"
#include "keeper/keeper.h"
#include "policy/snapshot.h"
#include "record/spool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

/* Exit codes, those of sysexits.h that fit. */
enum {
	EXIT_USAGE = 64,
	EXIT_UNAVAILABLE = 69,
	EXIT_INTERNAL = 70,
	EXIT_CANT_CREATE = 73,
	EXIT_CONFIG = 78,
};

enum { BACKLOG = 512 };
/* A process that nobody asks follows a policy change within a second, too. */
enum { TICK_MS = 500 };

static const char usage[] =
    "Usage: ims-policy.fcgi [OPTION]...\n"
    "Answer policy questions over FastCGI or CGI; started by a web server, or\n"
    "with --listen by a service manager.\n"
    "\n"
    "  -c, --config FILE    settings; else $IMS_CONFIG, else\n"
    "                       " CONFIG_PATH_DEFAULT "\n"
    "  -p, --pool POOL      routes to serve: evaluate, api or both (default)\n"
    "  -t, --threads N      workers, instead of the setting `threads`\n"
    "  -l, --listen PATH    a Unix socket of our own, instead of descriptor 0\n"
    "      --housekeeper    be the host's housekeeper\n"
    "      --version        print the version\n"
    "      --help           print this\n"
    "\n"
    "Exit: 0 stopped by a signal, or a housekeeper runs already; 64 usage;\n"
    "69 the socket cannot be had; 70 internal; 73 state_dir cannot be "
    "written;\n"
    "78 the configuration is wrong.\n";

struct options {
	const char *config;
	const char *listen;
	enum pool pool;
	int threads; /* 0: the setting */
	bool keeper;
	int exit; /* where >= 0: leave with it */
};

/* Everything that a responder opens. */
struct responder {
	const struct options *options;
	const struct config *config;
	const char *config_path;
	char program[PATH_MAX];
	struct board *board;
	struct spool *spool;
	struct counter *counter;
	struct handler_app app;
};

static bool
parse_pool(const char *word, enum pool *pool)
{
	static const struct {
		const char *word;
		enum pool pool;
	} words[] = { { "evaluate", POOL_EVALUATE },
		      { "api", POOL_API },
		      { "both", POOL_BOTH } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i].word) == 0) {
			*pool = words[i].pool;
			return true;
		}
	}
	fprintf(stderr,
		"ims-policy.fcgi: --pool %s is not evaluate, api or both\n",
		word);
	return false;
}

static bool
parse_threads(const char *word, int *threads)
{
	char *end = NULL;

	errno = 0;
	long n = strtol(word, &end, 10);
	if (end == word || *end != '\0' || errno != 0 || n < 1 || n > 256) {
		fprintf(stderr,
			"ims-policy.fcgi: --threads %s is not 1 to 256\n",
			word);
		return false;
	}
	*threads = (int)n;
	return true;
}

enum { OPTION_KEEPER = 256, OPTION_VERSION, OPTION_HELP };

/* One option; an exit code, or -1 to go on. */
static int
take_option(int option, struct options *options)
{
	switch (option) {
	case 'c':
		options->config = optarg;
		return -1;
	case 'l':
		options->listen = optarg;
		return -1;
	case 'p':
		return parse_pool(optarg, &options->pool) ? -1 : EXIT_USAGE;
	case 't':
		return parse_threads(optarg, &options->threads) ? -1
								: EXIT_USAGE;
	case OPTION_KEEPER:
		options->keeper = true;
		return -1;
	case OPTION_VERSION:
		puts("ims-policy " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	case OPTION_HELP:
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	default:
		fputs("Try ims-policy.fcgi --help\n", stderr);
		return EXIT_USAGE;
	}
}

static struct options
parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "pool", required_argument, NULL, 'p' },
		{ "threads", required_argument, NULL, 't' },
		{ "listen", required_argument, NULL, 'l' },
		{ "housekeeper", no_argument, NULL, OPTION_KEEPER },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .pool = POOL_BOTH, .exit = -1 };

	while (options.exit < 0) {
		int option = getopt_long(argc, argv, "c:p:t:l:", longs, NULL);
		if (option < 0) {
			break;
		}
		options.exit = take_option(option, &options);
	}
	if (options.exit < 0 && optind < argc) {
		fprintf(stderr, "ims-policy.fcgi: what is %s?\n", argv[optind]);
		options.exit = EXIT_USAGE;
	}
	return options;
}

/* Say why it ends. */
static int
fail(int code, const struct err *err)
{
	log_error("%s", err->text);
	return code;
}

/* The file that config_load reads, for the housekeeper that we may start. */
static const char *
config_path(const struct options *options)
{
	const char *path = options->config;

	if (path == NULL) {
		path = getenv("IMS_CONFIG");
	}
	return path != NULL ? path : CONFIG_PATH_DEFAULT;
}

static const char *
process_name(const struct options *options)
{
	if (options->keeper) {
		return "housekeeper";
	}
	return options->pool == POOL_EVALUATE ? "evaluate"
	       : options->pool == POOL_API    ? "api"
					      : "both";
}

/* The board and the metrics: what every process of the host shares. */
static int
open_shared(const struct config *config, struct board **board)
{
	char path[CONFIG_TEXT_BYTES + 16];
	struct err err;

	/* Else each of the files below would fail in words of its own. */
	if (access(config->state_dir, W_OK | X_OK) != 0) {
		log_error("cannot write into state_dir %s: %s; make it, owned "
			  "by user id %d",
			  config->state_dir, strerror(errno), (int)geteuid());
		return EXIT_CANT_CREATE;
	}
	snprintf(path, sizeof(path), "%s/metrics", config->state_dir);
	if (metric_open(path, &err) != STATUS_OK ||
	    board_open(config->state_dir, board, &err) != STATUS_OK) {
		return fail(EXIT_CANT_CREATE, &err);
	}
	return 0;
}

static int
run_keeper(const struct config *config)
{
	struct board *board = NULL;
	struct err err;
	sigset_t none;

	/* A responder that started us has signals blocked. */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	int code = open_shared(config, &board);
	if (code != 0) {
		return code;
	}
	enum status status = keeper_run(config, board, &err);
	if (status == STATUS_BUSY) {
		log_info("a housekeeper runs already");
		return EXIT_SUCCESS;
	}
	return status == STATUS_OK ? EXIT_SUCCESS : fail(EXIT_INTERNAL, &err);
}

/* ---- the responder */

static void
ensure_keeper(const struct responder *responder)
{
	const struct config *config = responder->config;

	if (config->start_keeper != 0 &&
	    !board_keeper_alive(config->state_dir)) {
		keeper_start(responder->program, responder->config_path,
			     config);
	}
}

/* Each TICK_MS: follow the policies while nobody asks, and look after the
 * housekeeper where it does not work. */
static void
tick(void *arg)
{
	struct responder *responder = arg;
	struct snapshot *snapshot = snapshot_current(responder->app.snapshots);

	handler_note_revision(&responder->app, snapshot);
	snapshot_unref(snapshot);
	if (!board_keeper_beats(responder->board, clock_mono_us())) {
		ensure_keeper(responder);
	}
}

static int
responder_open(struct responder *responder)
{
	const struct config *config = responder->config;
	struct handler_app *app = &responder->app;
	struct err err;

	int code = open_shared(config, &responder->board);
	if (code != 0) {
		return code;
	}
	if (snapshot_source_open(config->state_dir, responder->board,
				 &app->snapshots, &err) != STATUS_OK ||
	    spool_open(config, responder->board, &responder->spool, &err) !=
		STATUS_OK ||
	    counter_open(config, responder->board, &responder->counter, &err) !=
		STATUS_OK) {
		return fail(EXIT_CANT_CREATE, &err);
	}
	app->config = config;
	app->board = responder->board;
	app->pool = responder->options->pool;
	app->counter = responder->counter;
	/* The API pool decides nothing: its workers need no counters for it. */
	app->engine =
	    engine_new(config, responder->spool,
		       app->pool == POOL_API ? NULL : responder->counter);
	return 0;
}

static void
responder_close(struct responder *responder)
{
	board_leave(responder->app.self);
	if (responder->app.engine != NULL) {
		engine_free(responder->app.engine);
	}
	counter_close(responder->counter);
	spool_close(responder->spool);
	if (responder->app.snapshots != NULL) {
		snapshot_source_close(responder->app.snapshots);
	}
}

static int
threads_n(const struct options *options, const struct config *config)
{
	enum { FEWEST = 4, MOST = 64 };
	cpu_set_t set;

	if (options->threads > 0) {
		return options->threads;
	}
	if (config->threads > 0) {
		return (int)config->threads;
	}
	int n = sched_getaffinity(0, sizeof(set), &set) == 0
		    ? 2 * CPU_COUNT(&set)
		    : FEWEST;
	return n < FEWEST ? FEWEST : n > MOST ? MOST : n;
}

static int
responder_serve(struct responder *responder, bool cgi)
{
	const struct options *options = responder->options;
	const struct config *config = responder->config;
	const struct http_app app = handler_http_app(&responder->app);
	const struct http_server_settings settings = {
		.listen = options->listen,
		.backlog = BACKLOG,
		.threads = threads_n(options, config),
		.body_max_bytes = (size_t)config->body_max_bytes,
		.tick = tick,
		.tick_arg = responder,
		.tick_ms = TICK_MS,
	};
	struct err err;

	if (!cgi) {
		/* A program that lives for one request is not worth a slot. */
		responder->app.self =
		    board_join(responder->board, process_name(options));
		metric_add(METRIC_process_starts_total, 0, 1);
		log_info("%d threads, pool %s", settings.threads,
			 process_name(options));
	}
	if (http_server_run(&settings, &app, &err) != STATUS_OK) {
		return fail(EXIT_UNAVAILABLE, &err);
	}
	return EXIT_SUCCESS;
}

/* Before any thread is made: they inherit it (http/server.h). */
static void
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * A CGI program's environment is the caller's request, with its key; a
 * housekeeper that we start must not inherit that.
 */
static void
forget_request(void)
{
	static const char *const begins[] = { "HTTP_",	  "GATEWAY_INTERFACE=",
					      "REQUEST_", "QUERY_STRING=",
					      "AUTH",	  "REMOTE_" };
	char **entry = environ;

	while (*entry != NULL) {
		bool drop = false;
		for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]);
		     i++) {
			drop = drop || strncmp(*entry, begins[i],
					       strlen(begins[i])) == 0;
		}
		if (!drop) {
			entry++;
			continue;
		}
		for (char **to = entry; *to != NULL; to++) {
			to[0] = to[1];
		}
	}
}

static int
run_responder(const struct options *options, const struct config *config)
{
	struct responder responder = { .options = options,
				       .config = config,
				       .config_path = config_path(options) };
	const bool cgi = options->listen == NULL && http_server_is_cgi();

	if (cgi && getenv("REQUEST_METHOD") == NULL) {
		fputs("ims-policy.fcgi: neither a web server nor --listen; "
		      "try --help\n",
		      stderr);
		return EXIT_USAGE;
	}
	if (!cgi) {
		block_signals();
	}
	ssize_t n = readlink("/proc/self/exe", responder.program,
			     sizeof(responder.program) - 1);
	if (n < 0) {
		log_error("cannot find the program's own file: %s",
			  strerror(errno));
		return EXIT_INTERNAL;
	}
	int code = responder_open(&responder);
	if (code == 0 && !cgi) {
		ensure_keeper(&responder);
	}
	if (code == 0) {
		code = responder_serve(&responder, cgi);
	}
	if (code == 0 && cgi) {
		forget_request();
		ensure_keeper(&responder);
	}
	responder_close(&responder);
	return code;
}

int
main(int argc, char **argv)
{
	static struct config config;
	/* Arguments of a CGI program are the words of the caller's query
	 * (RFC 3875, 4.4), not ours. */
	const bool cgi = getenv("GATEWAY_INTERFACE") != NULL;
	const struct options options = parse_options(cgi ? 1 : argc, argv);
	struct err err;

	if (options.exit >= 0) {
		return options.exit;
	}
	log_open(process_name(&options), LOG_INFO);
	if (digest_init(&err) != STATUS_OK) {
		return fail(EXIT_INTERNAL, &err);
	}
	if (config_load(options.config, &config, &err) != STATUS_OK) {
		return fail(EXIT_CONFIG, &err);
	}
	log_open(process_name(&options), (enum log_level)config.log_level);
	return options.keeper ? run_keeper(&config)
			      : run_responder(&options, &config);
}
