/* SPDX-License-Identifier: MIT
 *
 * table.h - the keys of the configuration, a row each: type, unit, default, range and help.
 * The reader, its messages and --print-defaults all work from these rows, and tests compare the
 * manual with them.
 *
 * A key is written with dots: "limits.idle_seconds". The keys of a list's items have the list's key
 * in front: "sources.name".
 *
 * Ownership  Everything here is constant.
 */
#ifndef DAEMON_CONF_TABLE_H
#define DAEMON_CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_kind {
    CONFIG_FLAG,    /* bool */
    CONFIG_TEXT,    /* char *; NULL: unset */
    CONFIG_CHOICE,  /* an enum, numbered as `words` are */
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

/* SQLite stores signed 64-bit integers: the largest number of a key without a limit of its own. */
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
    bool included;      /* may stand in an included file */
    bool example_on;    /* --print-defaults shows the key without # */
    bool example_short; /* --print-defaults shows the mapping in one line */
    bool verbatim;      /* braces and dollar signs are part of the text's language */
    uint64_t unset;     /* a number's value without the key */
    uint64_t min, max;  /* of a number, of a list's numbers, or of a text's bytes */
    unsigned items_max;
    const char *const *words; /* of a choice, ends with NULL */
    const char *zero;         /* what 0 means; NULL: nothing that a reader would not guess */
    const char *help;
    /* Values that --print-defaults shows, the n-th in the list's n-th item. For a number without
     * any: `unset`. */
    const char *examples[CONFIG_EXAMPLES_MAX];
};

/* The row of a dotted key, which must exist. */
const struct config_row *config_table_row(const char *key);

/* The first child of `parent` (NULL: the file itself) if `before` is NULL, else the child after
 * `before`. NULL after the last one. */
const struct config_row *config_table_child(const struct config_row *parent,
                                            const struct config_row *before);

/* The child with this name, or NULL. */
const struct config_row *config_table_find(const struct config_row *parent, const char *name,
                                           size_t len);

/* The child whose name is most like this one; NULL if none is near. */
const struct config_row *config_table_nearest(const struct config_row *parent, const char *name,
                                              size_t len);

/* A row of another mapping that has this name, or NULL. */
const struct config_row *config_table_elsewhere(const char *name, size_t len);

/* The last part of a row's key. */
const char *config_row_name(const struct config_row *row);

/* Writes "a, b, c": the children's names; of an included file only those allowed there. */
void config_table_list(const struct config_row *parent, bool included, char *out, size_t size);

/* Writes the range as the manual has it, such as "seconds, 1 to 86400; 0: no limit"; nothing unless
 * the row is a number. */
void config_row_range(const struct config_row *row, char *out, size_t size);

#endif
