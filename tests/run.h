/* SPDX-License-Identifier: MIT
 *
 * run.h - interface between a file of Check tests and run.c.
 */
#ifndef RUN_H
#define RUN_H

#include <check.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Each file of tests defines this function. */
Suite *suite(void);

#endif
