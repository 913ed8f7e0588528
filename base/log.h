/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programs' log: one event a line on stderr, `event key=value …`, with priorities for journald.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/* syslog(3)'s numbers, as journald's "<N>" prefix wants them. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

/* Lines above this level are dropped. The start value is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/*
 * Writes one line with one write(2): "<N>" before it where stderr is journald's, a time stamp
 * before it elsewhere. A line that cannot be written at once (stderr is a full pipe set
 * non-blocking) is dropped and counted.
 */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
