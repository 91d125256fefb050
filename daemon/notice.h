/* SPDX-License-Identifier: MIT
 *
 * notice.h - what the user is told on standard error.
 *
 * Threads    Any.
 */
#ifndef NOTICE_H
#define NOTICE_H

/* Who speaks, in front of each line: "hooklined" unless this is called, before there are threads;
 * NULL says nothing. `name` is kept. */
void notice_as(const char *name);

/* Gives the lines to `hear` instead, without the name; NULL: to standard error again. While no
 * other thread speaks. */
void notice_to(void (*hear)(void *data, const char *line), void *data);

/* One line. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
