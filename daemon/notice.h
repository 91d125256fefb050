/* SPDX-License-Identifier: MIT
 *
 * notice.h - what the administrator is told on standard error.
 *
 * Threads    Any.
 */
#ifndef NOTICE_H
#define NOTICE_H

/* One line, "hooklined: " before it. */
void notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
