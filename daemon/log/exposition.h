/* SPDX-License-Identifier: MIT
 *
 * exposition.h - writes the text format of Prometheus, version 0.0.4. All numbers are integers:
 * times are microseconds here and seconds in the text.
 *
 * Ownership  The buffer is the exposition's; a zeroed struct is an empty one.
 * Threads    One owner.
 * Errors     Writing never fails at once: `failed` says whether all of it had memory.
 */
#ifndef DAEMON_LOG_EXPOSITION_H
#define DAEMON_LOG_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exposition {
    char *base;
    size_t len, size;
    bool failed;
    const char *name; /* of the family that is being written */
};

enum exposition_type {
    EXPOSITION_COUNTER,
    EXPOSITION_GAUGE,
    EXPOSITION_HISTOGRAM,
};

enum {
    EXPOSITION_LABELS = 2
};

/* Up to the first one without a name. */
struct exposition_label {
    const char *name, *value;
};

/* What follows, up to the next one, are samples of this family. */
void exposition_family(struct exposition *e, enum exposition_type type, const char *name,
                       const char *help);

void exposition_number(struct exposition *e, const struct exposition_label labels[],
                       uint64_t number);
void exposition_seconds(struct exposition *e, const struct exposition_label labels[], int64_t us);

/* `counts[i]` observations took at most `bounds_us[i]` and more than the bound before; the last
 * bound is INT64_MAX. */
void exposition_histogram(struct exposition *e, const struct exposition_label labels[],
                          const int64_t bounds_us[], const uint64_t counts[], uint64_t sum_us);

void exposition_free(struct exposition *e);

#endif
