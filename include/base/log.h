/*
 * log: one line a message on standard error.
 *
 * `2026-11-23T04:44:27.123456Z warning evaluate[4711] cannot ...: ...`
 * Control characters of a message are written as \xNN, so that what a caller
 * sent can never forge a line.  Texts of prompts and secrets of keys are
 * never logged.  A line is one write(2), safe from several threads.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Name the process in each line and drop what is below LEVEL. */
void log_open(const char *name, enum log_level level);
void log_at(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif /* BASE_LOG_H */
