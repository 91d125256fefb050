/* SPDX-License-Identifier: MIT
 *
 * yaml_reader.h - a YAML file as a stream of values, each with its line. A file is one document
 * without aliases, anchors and tags; everything else is an error in plain words.
 *
 * Ownership  yaml_reader_open() allocates, yaml_reader_close() releases. A value's text is valid
 *            until the next call.
 * Errors     Functions return false with "FILE:LINE: what was found; what to type" in the buffer
 *            `why` of CONFIG_WHY_SIZE bytes that yaml_reader_open() was given.
 */
#ifndef DAEMON_CONF_YAML_READER_H
#define DAEMON_CONF_YAML_READER_H

#include <stdbool.h>
#include <stddef.h>

struct yaml_reader;

enum yaml_value_kind {
    YAML_VALUE_TEXT,
    YAML_VALUE_MAP,     /* its keys and values follow, then an end */
    YAML_VALUE_LIST,    /* its items follow, then an end */
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

/* Reads the whole file, which may be a pipe. NULL with `why`. */
struct yaml_reader *yaml_reader_open(const char *file, char *why);
void yaml_reader_close(struct yaml_reader **reader);

/* The next value, with the document's own end left out. */
bool yaml_reader_next(struct yaml_reader *reader, struct yaml_value *value);

/* After the document's last value: false if anything but its end follows. */
bool yaml_reader_finish(struct yaml_reader *reader);

/* True for a value that YAML takes for null: nothing at all, ~ or null. */
bool yaml_value_is_null(const struct yaml_value *value);

/* Writes the message. Always false. */
bool yaml_reader_fail(struct yaml_reader *reader, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
