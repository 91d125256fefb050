/* SPDX-License-Identifier: MIT */
#include "daemon/log/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_SIZE = 32
};

static void put(struct exposition *e, const char *bytes, size_t len)
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

static void put_string(struct exposition *e, const char *text)
{
    put(e, text, strlen(text));
}

static void put_escaped(struct exposition *e, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            put_string(e, "\\n");
        else if (*text == '\\' || *text == '"')
            put(e, (char[]){'\\', *text}, 2);
        else
            put(e, text, 1);
    }
}

void exposition_family(struct exposition *e, enum exposition_type type, const char *name,
                       const char *help)
{
    static const char *const types[] = {
        [EXPOSITION_COUNTER] = "counter",
        [EXPOSITION_GAUGE] = "gauge",
        [EXPOSITION_HISTOGRAM] = "histogram",
    };
    const char *const parts[] = {"# HELP ", name, " ",         help, "\n# TYPE ",
                                 name,      " ",  types[type], "\n"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        put_string(e, parts[i]);
    e->name = name;
}

static void put_label(struct exposition *e, const char **between, const char *name,
                      const char *value)
{
    put_string(e, *between);
    put_string(e, name);
    put_string(e, "=\"");
    put_escaped(e, value);
    put_string(e, "\"");
    *between = ",";
}

static void sample(struct exposition *e, const char *suffix, const struct exposition_label labels[],
                   const char *le, const char *value)
{
    const char *between = "{";

    put_string(e, e->name);
    put_string(e, suffix);
    for (int i = 0; labels != NULL && i < EXPOSITION_LABELS && labels[i].name != NULL; i++)
        put_label(e, &between, labels[i].name, labels[i].value);
    if (le != NULL)
        put_label(e, &between, "le", le);
    put_string(e, between[0] == '{' ? " " : "} ");
    put_string(e, value);
    put_string(e, "\n");
}

static void write_seconds(char text[NUMBER_SIZE], int64_t us)
{
    int len = snprintf(text, NUMBER_SIZE, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "",
                       (us < 0 ? -(us / 1000000) : us / 1000000),
                       (us < 0 ? -(us % 1000000) : us % 1000000));

    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
}

void exposition_number(struct exposition *e, const struct exposition_label labels[],
                       uint64_t number)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    sample(e, "", labels, NULL, text);
}

void exposition_seconds(struct exposition *e, const struct exposition_label labels[], int64_t us)
{
    char text[NUMBER_SIZE];

    write_seconds(text, us);
    sample(e, "", labels, NULL, text);
}

void exposition_histogram(struct exposition *e, const struct exposition_label labels[],
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
            write_seconds(le, bounds_us[i]);
        sample(e, "_bucket", labels, le, text);
    }
    write_seconds(text, (int64_t)sum_us);
    sample(e, "_sum", labels, NULL, text);
    snprintf(text, sizeof(text), "%" PRIu64, count);
    sample(e, "_count", labels, NULL, text);
}

void exposition_free(struct exposition *e)
{
    free(e->base);
    *e = (struct exposition){0};
}
