#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

extern char **environ;

/* LCOV_EXCL_START: runs in a process that is replaced before it can count. */

/*
 * In the grandchild.  The caller may have threads, so nothing but what is safe
 * in a signal handler may be called here (POSIX, fork).
 */
static void
become(char *const *argv, const char *log_path)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log >= 0 ? log : null, STDERR_FILENO);
	close_range(3, ~0U, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, environ);
	_exit(127);
}

/* Twice, so that it is init's child and no zombie of ours. */
static void
detach(char *const *argv, const char *log_path)
{
	setsid();
	pid_t grandchild = fork();
	if (grandchild == 0) {
		become(argv, log_path);
	}
	_exit(grandchild < 0 ? 1 : 0);
}
/* LCOV_EXCL_STOP */

void
keeper_start(const char *program, const char *config_path,
	     const struct config *config)
{
	/* execve's argv lacks the const it keeps. */
	static char housekeeper[] = "--housekeeper";
	static char option[] = "--config";
	char program_text[4096], config_text[4096];
	char log_path[CONFIG_TEXT_BYTES + 16];
	char *argv[] = { program_text, housekeeper, option, config_text, NULL };
	int status = 0;

	if (!config->start_keeper || board_keeper_alive(config->state_dir)) {
		return;
	}
	snprintf(program_text, sizeof(program_text), "%s", program);
	snprintf(config_text, sizeof(config_text), "%s",
		 config_path != NULL ? config_path : "");
	snprintf(log_path, sizeof(log_path), "%s/keeper.log",
		 config->state_dir);
	if (config_path == NULL) {
		argv[2] = NULL;
	}
	pid_t child = fork();
	if (child == 0) {
		detach(argv, log_path); /* LCOV_EXCL_LINE */
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (child < 0 || status != 0) {
		log_error("cannot start a housekeeper: %s", strerror(errno));
		return;
	}
	log_info("started a housekeeper, its messages are in %s", log_path);
}
