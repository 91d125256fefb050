/* SPDX-License-Identifier: MIT
 *
 * wanted.h - which of a sink's events somebody waits for. Pure.
 */
#ifndef CLI_WANTED_H
#define CLI_WANTED_H

#include <stdbool.h>

#include <cjson/cJSON.h>

enum wanted_verdict {
    WANTED_STORED = 1 << 0,
    WANTED_DUPLICATE = 1 << 1,
    WANTED_REFUSED = 1 << 2,
    WANTED_FAILED = 1 << 3,
    WANTED_FORWARDED = 1 << 4,
    WANTED_RETRIED = 1 << 5,
    WANTED_PARKED = 1 << 6,
};

/* NULL is whatever it may be. */
struct wanted {
    const char *source, *type, *id, *receipt;
    unsigned verdicts; /* of enum wanted_verdict */
};

/* 0 for a word that is none. */
enum wanted_verdict wanted_verdict(const char *word);

/* A type with '*' at its end is all that begin like it. What an event does not say is not it. */
bool wanted_matches(const struct wanted *wanted, const cJSON *event);

#endif
