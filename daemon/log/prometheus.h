/* SPDX-License-Identifier: MIT
 *
 * prometheus.h - writes the text format of Prometheus, version 0.0.4. All numbers are integers:
 * times are microseconds here and seconds in the text.
 *
 * Ownership  The buffer is the exposition's; a zeroed struct is an empty one.
 * Threads    One owner.
 * Errors     Writing never fails at once: `text.failure` says whether all of it had memory.
 */
#ifndef DAEMON_LOG_PROMETHEUS_H
#define DAEMON_LOG_PROMETHEUS_H

#include <stdint.h>

#include "daemon/base/buffer.h"

struct prometheus {
    struct buffer text;
    const char *name; /* of the family that is being written */
};

enum prometheus_type {
    PROMETHEUS_COUNTER,
    PROMETHEUS_GAUGE,
    PROMETHEUS_HISTOGRAM,
};

enum {
    PROMETHEUS_LABELS = 2
};

/* Up to the first one without a name. */
struct prometheus_label {
    const char *name, *value;
};

/* What follows, up to the next one, are samples of this family. */
void prometheus_family(struct prometheus *e, enum prometheus_type type, const char *name,
                       const char *help);

void prometheus_number(struct prometheus *e, const struct prometheus_label labels[],
                       uint64_t number);
void prometheus_seconds(struct prometheus *e, const struct prometheus_label labels[], int64_t us);

/* `counts[i]` observations took at most `bounds_us[i]` and more than the bound before; the last
 * bound is INT64_MAX. */
void prometheus_histogram(struct prometheus *e, const struct prometheus_label labels[],
                          const int64_t bounds_us[], const uint64_t counts[], uint64_t sum_us);

void prometheus_free(struct prometheus *e);

#endif
