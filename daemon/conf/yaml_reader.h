/* SPDX-License-Identifier: MIT
 *
 * yaml_reader.h - a YAML file as a stream of values with line numbers.
 *
 * Accepts one document without aliases, anchors and tags. Explains syntax errors in plain words.
 *
 * Ownership  yaml_reader_open() allocates, yaml_reader_close() frees. A value's text is valid until
 *            the next call.
 * Threads    One owner.
 * Errors     false with "FILE:LINE: what was found; what to type" in yaml_reader_open()'s `why`.
 */
#ifndef DAEMON_CONF_YAML_READER_H
#define DAEMON_CONF_YAML_READER_H

#include <stdbool.h>
#include <stddef.h>

struct yaml_reader;

enum yaml_value_kind {
    YAML_VALUE_TEXT,
    YAML_VALUE_MAP,     /* keys and values follow, then YAML_VALUE_END */
    YAML_VALUE_LIST,    /* items follow, then YAML_VALUE_END */
    YAML_VALUE_END,     /* of a mapping or a list */
    YAML_VALUE_NOTHING, /* the file holds no document */
};

struct yaml_value {
    enum yaml_value_kind kind;
    unsigned line;
    bool plain; /* a text without quotes */
    const char *text;
    size_t len;
};

/* Reads the whole file, which may be a pipe. `why` has CONFIG_WHY_SIZE bytes. Returns NULL on
 * error. */
struct yaml_reader *yaml_reader_open(const char *file, char *why);
void yaml_reader_close(struct yaml_reader **reader);

/* Reads the next value. Skips the start of the document. */
bool yaml_reader_next(struct yaml_reader *reader, struct yaml_value *value);

/* Call it after the last value: returns false if the file goes on. */
bool yaml_reader_finish(struct yaml_reader *reader);

/* True for a YAML null: no value, ~ or null. */
bool yaml_value_is_null(const struct yaml_value *value);

/* Writes "FILE:LINE: " and the message. Returns false. */
bool yaml_reader_fail(struct yaml_reader *reader, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
