/* SPDX-License-Identifier: MIT
 *
 * fuzz.h - what a fuzz target and the programs that drive it share.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer calls this, or replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert(), which NDEBUG would take away. */
#define fuzz_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
