/* SPDX-License-Identifier: MIT
 *
 * run.h - what a file of Check tests gives to run.c.
 */
#ifndef RUN_H
#define RUN_H

#include <check.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Defined by each file of tests. */
Suite *suite(void);

#endif
