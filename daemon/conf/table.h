/* SPDX-License-Identifier: MIT
 *
 * table.h - keys of the configuration, one row each: type, unit, default, range and help.
 *
 * The reader, its messages and --print-defaults use these rows; tests compare the manual with them.
 * Dots join the parts of a key: "limits.idle_seconds", and "sources.name" for the items of a list.
 *
 * Ownership  Rows are constants.
 * Threads    Any.
 */
#ifndef DAEMON_CONF_TABLE_H
#define DAEMON_CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
    CONFIG_FLAG,    /* bool */
    CONFIG_TEXT,    /* char *; NULL: unset */
    CONFIG_CHOICE,  /* an enum, the index in `words` */
    CONFIG_NUMBER,  /* unsigned or uint64_t */
    CONFIG_MAP,     /* a struct */
    CONFIG_MAPS,    /* a list of structs */
    CONFIG_TEXTS,   /* a list of char * */
    CONFIG_NUMBERS, /* a list of unsigned */
};

enum config_unit {
    CONFIG_COUNT,
    CONFIG_BYTES,
    CONFIG_SECONDS,
    CONFIG_DAYS,
};

/* The limit of keys without one of their own: SQLite stores signed 64-bit integers. */
#define CONFIG_NUMBER_MAX INT64_MAX

enum {
    CONFIG_EXAMPLES_MAX = 3,
    CONFIG_KEYS_MAX = 32, /* in one mapping */
};

struct config_row {
    const char *key;
    enum config_kind kind;
    enum config_unit unit;
    size_t at;       /* offset of the field in the struct of the enclosing mapping */
    size_t size;     /* bytes of a number, of a struct, or of a list's item */
    size_t count_at; /* offset of a list's length, an unsigned */
    bool pointer;    /* the number or struct is allocated; NULL: unset */
    bool required;
    bool included;      /* allowed in an included file */
    bool example_on;    /* --print-defaults does not comment the key out */
    bool example_short; /* --print-defaults prints the mapping on one line */
    bool verbatim;      /* the text may hold {{ and ${ */
    uint64_t unset;     /* default of a number or flag */
    uint64_t min, max;  /* of a number, of numbers in a list, or of a text's length in bytes */
    unsigned items_max;
    const char *const *words; /* of a choice; ends with NULL */
    const char *zero;         /* special meaning of 0; NULL: none */
    const char *help;
    /* Values for --print-defaults, the n-th for the n-th item of a list. A number without examples
     * shows `unset`. */
    const char *examples[CONFIG_EXAMPLES_MAX];
};

/* Returns the row of a dotted key, which must exist. */
const struct config_row *config_table_row(const char *key);

/* Iterates over the children of `parent` (NULL: top level): returns the child after `before`, the
 * first one if `before` is NULL, and NULL after the last one. */
const struct config_row *config_table_child(const struct config_row *parent,
                                            const struct config_row *before);

/* Returns the child with this name, or NULL. */
const struct config_row *config_table_find(const struct config_row *parent, const char *name,
                                           size_t len);

/* Returns the child with the most similar name; NULL if none is close. */
const struct config_row *config_table_nearest(const struct config_row *parent, const char *name,
                                              size_t len);

/* Returns the first row of any mapping with this name, or NULL. */
const struct config_row *config_table_elsewhere(const char *name, size_t len);

/* Returns the last part of a row's key. */
const char *config_row_name(const struct config_row *row);

/* Writes the names of the children as "a, b, c"; with `included`, only those allowed there. */
void config_table_list(const struct config_row *parent, bool included, char *out, size_t size);

/* Writes the range of a number in the manual's format, "seconds, 1 to 86400; 0: no limit"; an empty
 * text for other rows. */
void config_row_range(const struct config_row *row, char *out, size_t size);

#endif
