/* SPDX-License-Identifier: MIT */
#include "daemon/log/prometheus.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_SIZE = 32
};

static void prometheus_put(struct prometheus *e, const char *bytes, size_t len)
{
    if (e->size - e->len < len) {
        size_t size = e->len + len > 2 * e->size ? e->len + len : 2 * e->size;
        char *base = realloc(e->base, size);

        if (base == NULL) {
            e->failed = true;
            return;
        }
        e->base = base;
        e->size = size;
    }
    memcpy(e->base + e->len, bytes, len);
    e->len += len;
}

static void prometheus_put_string(struct prometheus *e, const char *text)
{
    prometheus_put(e, text, strlen(text));
}

static void prometheus_put_escaped(struct prometheus *e, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            prometheus_put_string(e, "\\n");
        else if (*text == '\\' || *text == '"')
            prometheus_put(e, (char[]){'\\', *text}, 2);
        else
            prometheus_put(e, text, 1);
    }
}

void prometheus_family(struct prometheus *e, enum prometheus_type type, const char *name,
                       const char *help)
{
    static const char *const types[] = {
        [PROMETHEUS_COUNTER] = "counter",
        [PROMETHEUS_GAUGE] = "gauge",
        [PROMETHEUS_HISTOGRAM] = "histogram",
    };
    const char *const parts[] = {"# HELP ", name, " ",         help, "\n# TYPE ",
                                 name,      " ",  types[type], "\n"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        prometheus_put_string(e, parts[i]);
    e->name = name;
}

static void prometheus_put_label(struct prometheus *e, const char **between, const char *name,
                                 const char *value)
{
    prometheus_put_string(e, *between);
    prometheus_put_string(e, name);
    prometheus_put_string(e, "=\"");
    prometheus_put_escaped(e, value);
    prometheus_put_string(e, "\"");
    *between = ",";
}

static void prometheus_put_sample(struct prometheus *e, const char *suffix,
                                  const struct prometheus_label labels[], const char *le,
                                  const char *value)
{
    const char *between = "{";

    prometheus_put_string(e, e->name);
    prometheus_put_string(e, suffix);
    for (int i = 0; labels != NULL && i < PROMETHEUS_LABELS && labels[i].name != NULL; i++)
        prometheus_put_label(e, &between, labels[i].name, labels[i].value);
    if (le != NULL)
        prometheus_put_label(e, &between, "le", le);
    prometheus_put_string(e, between[0] == '{' ? " " : "} ");
    prometheus_put_string(e, value);
    prometheus_put_string(e, "\n");
}

static void prometheus_format_seconds(char text[NUMBER_SIZE], int64_t us)
{
    int len = snprintf(text, NUMBER_SIZE, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "",
                       (us < 0 ? -(us / 1000000) : us / 1000000),
                       (us < 0 ? -(us % 1000000) : us % 1000000));

    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
}

void prometheus_number(struct prometheus *e, const struct prometheus_label labels[],
                       uint64_t number)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    prometheus_put_sample(e, "", labels, NULL, text);
}

void prometheus_seconds(struct prometheus *e, const struct prometheus_label labels[], int64_t us)
{
    char text[NUMBER_SIZE];

    prometheus_format_seconds(text, us);
    prometheus_put_sample(e, "", labels, NULL, text);
}

void prometheus_histogram(struct prometheus *e, const struct prometheus_label labels[],
                          const int64_t bounds_us[], const uint64_t counts[], uint64_t sum_us)
{
    char le[NUMBER_SIZE] = "", text[NUMBER_SIZE];
    uint64_t count = 0;

    for (int i = 0; le[0] != '+'; i++) {
        count += counts[i];
        snprintf(text, sizeof(text), "%" PRIu64, count);
        if (bounds_us[i] == INT64_MAX)
            snprintf(le, sizeof(le), "+Inf");
        else
            prometheus_format_seconds(le, bounds_us[i]);
        prometheus_put_sample(e, "_bucket", labels, le, text);
    }
    prometheus_format_seconds(text, (int64_t)sum_us);
    prometheus_put_sample(e, "_sum", labels, NULL, text);
    snprintf(text, sizeof(text), "%" PRIu64, count);
    prometheus_put_sample(e, "_count", labels, NULL, text);
}

void prometheus_free(struct prometheus *e)
{
    free(e->base);
    *e = (struct prometheus){0};
}
