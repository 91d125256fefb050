/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"

enum {
    VERDICTS = METRICS_FAILED + 1,
    REASONS = 48, /* more than there are */
    BUCKETS = 14,
};

static const int64_t bounds_us[BUCKETS] = {
    250,   500,    1000,   2500,   5000,    10000,    25000,
    50000, 100000, 250000, 500000, 1000000, 10000000, INT64_MAX,
};

typedef atomic_uint_fast64_t counter;

struct reason {
    _Atomic(const char *) name; /* set once */
    counter count;
};

struct source {
    char *name;
    counter verdicts[VERDICTS], bytes;
    counter buckets[BUCKETS], sum_us;
    struct reason reasons[REASONS];
};

struct metrics {
    size_t count;
    struct source sources[]; /* and after them one for what no source has received */
};

const char *metrics_verdict_name(enum metrics_verdict verdict)
{
    static const char *const names[VERDICTS] = {
        [METRICS_STORED] = "stored",
        [METRICS_DUPLICATE] = "duplicate",
        [METRICS_REFUSED] = "refused",
        [METRICS_FAILED] = "failed",
    };

    return names[verdict];
}

struct metrics *metrics_new(const char *const names[], size_t count)
{
    struct metrics *m = calloc(1, sizeof(*m) + (count + 1) * sizeof(m->sources[0]));

    if (m == NULL)
        return NULL;
    m->count = count;
    for (size_t i = 0; i <= count; i++)
        if ((m->sources[i].name = strdup(i < count ? names[i] : "")) == NULL) {
            metrics_free(&m);
            return NULL;
        }
    return m;
}

void metrics_free(struct metrics **metrics)
{
    for (size_t i = 0; *metrics != NULL && i <= (*metrics)->count; i++)
        free((*metrics)->sources[i].name);
    free(*metrics);
    *metrics = NULL;
}

static void add(counter *to, uint64_t number)
{
    atomic_fetch_add_explicit(to, number, memory_order_relaxed);
}

static uint64_t value(const counter *of)
{
    return atomic_load_explicit(of, memory_order_relaxed);
}

/* Whoever needs a reason first takes the next free slot for it. */
static void count_reason(struct source *source, const char *name)
{
    for (struct reason *r = source->reasons; r < source->reasons + REASONS; r++) {
        const char *known = NULL;

        if (atomic_compare_exchange_strong(&r->name, &known, name) || strcmp(known, name) == 0) {
            add(&r->count, 1);
            return;
        }
    }
}

void metrics_count(struct metrics *m, const struct metrics_delivery *d)
{
    struct source *source = &m->sources[d->source < m->count ? d->source : m->count];
    size_t bucket = 0;

    while (d->duration_us > bounds_us[bucket])
        bucket++;
    add(&source->verdicts[d->verdict], 1);
    add(&source->bytes, d->bytes);
    add(&source->buckets[bucket], 1);
    add(&source->sum_us, d->duration_us < 0 ? 0 : (uint64_t)d->duration_us);
    if (d->verdict == METRICS_REFUSED || d->verdict == METRICS_FAILED)
        count_reason(source, d->reason);
}

static void write_verdicts(const struct metrics *m, struct exposition *e)
{
    exposition_family(e, EXPOSITION_COUNTER, "hookline_deliveries_total",
                      "Deliveries received, by verdict.");
    for (size_t i = 0; i <= m->count; i++)
        for (size_t v = 0; v < VERDICTS; v++)
            exposition_number(e,
                              (struct exposition_label[]){{"source", m->sources[i].name},
                                                          {"verdict", metrics_verdict_name(v)}},
                              value(&m->sources[i].verdicts[v]));
}

static void write_reasons(const struct metrics *m, struct exposition *e)
{
    exposition_family(e, EXPOSITION_COUNTER, "hookline_refusals_total",
                      "Deliveries refused or failed, by reason.");
    for (size_t i = 0; i <= m->count; i++)
        for (const struct reason *r = m->sources[i].reasons;
             r < m->sources[i].reasons + REASONS && atomic_load(&r->name) != NULL; r++)
            exposition_number(e,
                              (struct exposition_label[]){{"source", m->sources[i].name},
                                                          {"reason", atomic_load(&r->name)}},
                              value(&r->count));
}

static void write_durations(const struct metrics *m, struct exposition *e)
{
    exposition_family(e, EXPOSITION_HISTOGRAM, "hookline_request_duration_seconds",
                      "From the last byte of a request to the verdict on it.");
    for (size_t i = 0; i <= m->count; i++) {
        const struct source *source = &m->sources[i];
        uint64_t counts[BUCKETS];

        for (size_t b = 0; b < BUCKETS; b++)
            counts[b] = value(&source->buckets[b]);
        exposition_histogram(e, (struct exposition_label[]){{"source", source->name}, {NULL, NULL}},
                             bounds_us, counts, value(&source->sum_us));
    }
}

void metrics_write(const struct metrics *m, struct exposition *e)
{
    write_verdicts(m, e);
    write_reasons(m, e);
    exposition_family(e, EXPOSITION_COUNTER, "hookline_received_bytes_total",
                      "Bytes of the bodies received.");
    for (size_t i = 0; i <= m->count; i++)
        exposition_number(e,
                          (struct exposition_label[]){{"source", m->sources[i].name}, {NULL, NULL}},
                          value(&m->sources[i].bytes));
    write_durations(m, e);
}
