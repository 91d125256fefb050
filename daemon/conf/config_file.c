/* SPDX-License-Identifier: MIT
 *
 * Recursion is as deep as the rows of the table are nested, however deep the file is.
 */
#include "daemon/conf/config_file.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "daemon/conf/config.h"
#include "daemon/conf/number.h"
#include "daemon/conf/table.h"
#include "daemon/conf/value.h"
#include "daemon/conf/yaml_reader.h"

/* ---- included files */

/* Files that the key `include` names by a pattern, in the order of their names. */
struct include {
    size_t count;
    char **files;
};

/* Joins folder and pattern, with the folder's own wildcards escaped. */
static char *include_join(const char *file, const char *pattern)
{
    const char *slash = strrchr(file, '/');
    size_t folder = slash == NULL || pattern[0] == '/' ? 0 : (size_t)(slash - file) + 1;
    char *all = malloc(2 * folder + strlen(pattern) + 1), *to = all;

    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < folder; i++) {
        if (strchr("*?[]\\", file[i]) != NULL)
            *to++ = '\\';
        *to++ = file[i];
    }
    memcpy(to, pattern, strlen(pattern) + 1);
    return all;
}

static int include_glob_fail(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

/* Lists the files that match the pattern, relative to the folder of `file`; may find none. Returns
 * false with errno. */
static bool include_open(struct include *include, const char *file, const char *pattern)
{
    char *all = include_join(file, pattern);
    glob_t found = {0};
    int code;

    *include = (struct include){0};
    errno = ENOMEM;
    if (all == NULL)
        return false;
    code = glob(all, 0, include_glob_fail, &found);
    free(all);
    if (code != 0) {
        int saved = errno;

        globfree(&found);
        errno = saved;
        return code == GLOB_NOMATCH;
    }
    include->files = found.gl_pathv;
    include->count = found.gl_pathc;
    return true;
}

static void include_close(struct include *include)
{
    glob_t found = {.gl_pathc = include->count, .gl_pathv = include->files};

    if (include->files != NULL)
        globfree(&found);
    *include = (struct include){0};
}

/* ---- one file */

enum {
    LIST_SIZE = 320,
    PATH_SIZE = 128,
};

/* ---- struct config */

struct config *config_new(void)
{
    struct config *c = calloc(1, sizeof(*c));

    if (c != NULL)
        config_value_fill(NULL, c);
    return c;
}

void *config_add(const char *key, void *map)
{
    return config_value_add(config_table_row(key), map);
}

void config_free(struct config **config)
{
    struct config *c = *config;

    *config = NULL;
    if (c == NULL)
        return;
    config_value_free(NULL, c);
    config_places_free(&c->places);
    free(c);
}

/* ---- reader */

struct config_reader {
    struct config *config;
    struct yaml_reader *yaml;
    bool included;
    char path[PATH_SIZE]; /* of the current value: "sources/0/scheme" */
};

static bool reader_read_map(struct config_reader *r, const struct config_row *parent, void *map,
                            unsigned line);

static size_t reader_path_push_key(struct config_reader *r, const char *key)
{
    size_t len = strlen(r->path);

    snprintf(r->path + len, sizeof(r->path) - len, "%s%s", len == 0 ? "" : "/", key);
    return len;
}

static size_t reader_path_push_index(struct config_reader *r, unsigned index)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", index);
    return reader_path_push_key(r, text);
}

static void reader_path_pop(struct config_reader *r, size_t len)
{
    r->path[len] = '\0';
}

static bool reader_fail_memory(struct config_reader *r, unsigned line)
{
    return yaml_reader_fail(r->yaml, line, "out of memory");
}

static bool reader_note_place(struct config_reader *r, unsigned line)
{
    return config_places_add(r->config->places, r->path, line) || reader_fail_memory(r, line);
}

/* ---- messages */

static void reader_describe(const struct yaml_value *v, char *out, size_t size)
{
    snprintf(out, size, "%s",
             v->kind == YAML_VALUE_MAP    ? "found a mapping"
             : v->kind == YAML_VALUE_LIST ? "found a list"
             : yaml_value_is_null(v)      ? "no value"
             : v->len == 0                ? "empty text"
                                          : "found a text");
}

static void reader_expected(const struct config_reader *r, const struct config_row *row, bool item,
                            char *out, size_t size)
{
    char children[LIST_SIZE];

    if (row == NULL || row->kind == CONFIG_MAP || (row->kind == CONFIG_MAPS && item)) {
        config_table_list(row, r->included && row == NULL, children, sizeof(children));
        snprintf(out, size, "expected a mapping, lines of KEY: VALUE (%s)", children);
    } else if (!item && (row->kind == CONFIG_MAPS || row->kind == CONFIG_TEXTS ||
                         row->kind == CONFIG_NUMBERS)) {
        snprintf(out, size, "expected a list, lines of - ITEM");
    } else if (row->kind == CONFIG_NUMBER || row->kind == CONFIG_NUMBERS) {
        config_number_expected(row, children, sizeof(children));
        snprintf(out, size, "type %s", children);
    } else if (row->kind == CONFIG_TEXT || row->kind == CONFIG_TEXTS) {
        snprintf(out, size, "type a text of 1 to %u bytes", (unsigned)row->max);
    } else if (row->kind == CONFIG_CHOICE) {
        snprintf(out, size, "expected %s or %s", row->words[0], row->words[1]);
    } else {
        snprintf(out, size, "expected true or false");
    }
}

/* YAML reads {{ as a mapping whose first key is a mapping. Consumes the next value. */
static bool reader_is_template(struct config_reader *r, const struct yaml_value *v)
{
    struct yaml_value key;

    return v->kind == YAML_VALUE_MAP && yaml_reader_next(r->yaml, &key) &&
           key.kind == YAML_VALUE_MAP;
}

static bool reader_fail_template(struct config_reader *r, const struct config_row *row,
                                 unsigned line, const char *template)
{
    return yaml_reader_fail(r->yaml, line,
                            "%s: unexpanded %s; hooklined expands nothing, so type the value",
                            row->key, template);
}

static bool reader_fail_kind(struct config_reader *r, const struct config_row *row, bool item,
                             const struct yaml_value *v)
{
    char found[32], expected[LIST_SIZE + 64];
    bool null = yaml_value_is_null(v);

    reader_describe(v, found, sizeof(found));
    reader_expected(r, row, item, expected, sizeof(expected));
    if (row != NULL && reader_is_template(r, v))
        return reader_fail_template(r, row, v->line, "{{template}}");
    return yaml_reader_fail(
        r->yaml, v->line, "%s%s%s%s; %s%s", item ? "an item of " : "", row == NULL ? "" : row->key,
        row == NULL ? "" : ": ", found, expected,
        null && row != NULL ? item ? ", or delete the line" : ", or delete the key" : "");
}

static bool reader_fail_key_kind(struct config_reader *r, const struct yaml_value *key)
{
    if (key->kind == YAML_VALUE_MAP)
        return yaml_reader_fail(r->yaml, key->line,
                                "key must be a string; unexpanded {{template}}?");
    return yaml_reader_fail(r->yaml, key->line,
                            "key must be a string, but is a list; type KEY: VALUE");
}

/* Writes a suggestion for an unknown key, or an empty text. */
static void reader_suggest(const struct config_reader *r, const struct config_row *parent,
                           const struct yaml_value *key, char *out, size_t size)
{
    const struct config_row *nearest = config_table_nearest(parent, key->text, key->len);
    const struct config_row *elsewhere = config_table_elsewhere(key->text, key->len);

    if (r->included && parent == NULL && config_table_find(NULL, key->text, key->len) != NULL)
        snprintf(out, size, " in an included file");
    else if (nearest != NULL && (!r->included || parent != NULL || nearest->included))
        snprintf(out, size, "; did you mean %s?", config_row_name(nearest));
    else if (elsewhere != NULL && strchr(elsewhere->key, '.') == NULL)
        snprintf(out, size, "; %s belongs at the top level, not in %s", elsewhere->key,
                 parent == NULL ? "it" : parent->key);
    else if (elsewhere != NULL)
        snprintf(out, size, "; did you mean %s?", elsewhere->key);
    else
        out[0] = '\0';
}

static bool reader_fail_unknown(struct config_reader *r, const struct config_row *parent,
                                const struct yaml_value *key)
{
    char list[LIST_SIZE], hint[128], word[CONFIG_WORD_SIZE];

    if (strcmp(key->text, "<<") == 0)
        return yaml_reader_fail(r->yaml, key->line,
                                "a merge (<<), which is not supported; type the keys themselves");
    if (memmem(key->text, key->len, "\xef\xbb\xbf", 3) != NULL)
        return yaml_reader_fail(r->yaml, key->line,
                                "a byte order mark (BOM) inside the file; delete it");
    config_word(key->text, key->len, word); /* a long key may be a misplaced secret */
    reader_suggest(r, parent, key, hint, sizeof(hint));
    config_table_list(parent, r->included && parent == NULL, list, sizeof(list));
    return yaml_reader_fail(r->yaml, key->line, "unknown key %s%s; %s%sexpected %s", word, hint,
                            parent == NULL ? "" : parent->key, parent == NULL ? "" : ": ", list);
}

/* ---- single values */

static char **reader_text_at(const struct config_row *row, void *map)
{
    return (char **)(void *)((char *)map + row->at);
}

static bool reader_check_expanded(struct config_reader *r, const struct config_row *row,
                                  const struct yaml_value *v)
{
    if (!row->verbatim && strstr(v->text, "${") != NULL)
        return reader_fail_template(r, row, v->line, "${VARIABLE}");
    if (!row->verbatim && strstr(v->text, "{{") != NULL)
        return reader_fail_template(r, row, v->line, "{{template}}");
    return true;
}

static bool reader_check_text(struct config_reader *r, const struct config_row *row, bool item,
                              const struct yaml_value *v)
{
    if (v->kind != YAML_VALUE_TEXT || v->len == 0 || yaml_value_is_null(v))
        return reader_fail_kind(r, row, item, v);
    if (v->len > row->max)
        return yaml_reader_fail(r->yaml, v->line, "%s: a text of %zu bytes; type at most %u bytes",
                                row->key, v->len, (unsigned)row->max);
    return reader_check_expanded(r, row, v);
}

static bool reader_read_text(struct config_reader *r, const struct config_row *row, char **at,
                             bool item, const struct yaml_value *v)
{
    if (!reader_check_text(r, row, item, v))
        return false;
    return (*at = strdup(v->text)) != NULL || reader_fail_memory(r, v->line);
}

static bool reader_read_number(struct config_reader *r, const struct config_row *row, bool item,
                               const struct yaml_value *v, uint64_t *number)
{
    char why[CONFIG_WHY_SIZE], expected[160], word[CONFIG_WORD_SIZE];

    if (v->kind != YAML_VALUE_TEXT || yaml_value_is_null(v))
        return reader_fail_kind(r, row, item, v);
    if (!reader_check_expanded(r, row, v))
        return false;
    if (!v->plain) {
        config_word(v->text, v->len, word);
        config_number_expected(row, expected, sizeof(expected));
        return yaml_reader_fail(r->yaml, v->line, "%s: \"%s\" is in quotes; type %s without quotes",
                                row->key, v->len == 0 ? "" : word, expected);
    }
    return config_number_read(row, v->text, v->len, number, why, sizeof(why)) ||
           yaml_reader_fail(r->yaml, v->line, "%s: %s", row->key, why);
}

static bool reader_fail_word(struct config_reader *r, const struct config_row *row,
                             const struct yaml_value *v)
{
    char word[CONFIG_WORD_SIZE], expected[LIST_SIZE];

    if (v->kind != YAML_VALUE_TEXT || v->len == 0 || yaml_value_is_null(v))
        return reader_fail_kind(r, row, false, v);
    config_word(v->text, v->len, word);
    reader_expected(r, row, false, expected, sizeof(expected));
    return yaml_reader_fail(r->yaml, v->line, "%s: found %s; %s", row->key, word, expected);
}

static bool reader_read_flag(struct config_reader *r, const struct config_row *row, void *map,
                             const struct yaml_value *v)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    bool *at = (bool *)((char *)map + row->at);

    for (size_t i = 0; v->kind == YAML_VALUE_TEXT && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(v->text, words[i]) == 0) {
            *at = i % 2 == 1;
            return true;
        }
    }
    return reader_fail_word(r, row, v);
}

static bool reader_read_choice(struct config_reader *r, const struct config_row *row, void *map,
                               const struct yaml_value *v)
{
    unsigned *at = (unsigned *)(void *)((char *)map + row->at);

    for (unsigned i = 0; v->kind == YAML_VALUE_TEXT && row->words[i] != NULL; i++) {
        if (strcmp(v->text, row->words[i]) == 0) {
            *at = i;
            return true;
        }
    }
    return reader_fail_word(r, row, v);
}

/* ---- lists */

static bool reader_read_item(struct config_reader *r, const struct config_row *list, void *item,
                             const struct yaml_value *v)
{
    uint64_t number;

    switch (list->kind) {
    case CONFIG_MAPS:
        return v->kind == YAML_VALUE_MAP ? reader_read_map(r, list, item, v->line)
                                         : reader_fail_kind(r, list, true, v);
    case CONFIG_NUMBERS:
        if (!reader_read_number(r, list, true, v, &number))
            return false;
        *(unsigned *)item = (unsigned)number;
        return true;
    default:
        return reader_read_text(r, list, item, true, v);
    }
}

static bool reader_add_item(struct config_reader *r, const struct config_row *list, void *map,
                            const struct yaml_value *v)
{
    unsigned count = config_value_count(list, map);
    size_t len = reader_path_push_index(r, count);
    bool good = reader_note_place(r, v->line);
    void *item;

    if (good && list->items_max > 0 && count == list->items_max)
        good = yaml_reader_fail(r->yaml, v->line, "%s: item %u; type at most %u items", list->key,
                                count + 1, list->items_max);
    else if (good && (item = config_value_add(list, map)) == NULL)
        good = reader_fail_memory(r, v->line);
    else
        good = good && reader_read_item(r, list, item, v);
    reader_path_pop(r, len);
    return good;
}

static bool reader_read_list(struct config_reader *r, const struct config_row *list, void *map,
                             const struct yaml_value *start)
{
    unsigned line = start->line, count = 0;
    struct yaml_value v;

    if (start->kind != YAML_VALUE_LIST)
        return reader_fail_kind(r, list, false, start);
    for (;; count++) {
        if (!yaml_reader_next(r->yaml, &v))
            return false;
        if (v.kind == YAML_VALUE_END)
            break;
        if (!reader_add_item(r, list, map, &v))
            return false;
    }
    return count > 0 ||
           yaml_reader_fail(r->yaml, line, "%s: an empty list; type an item, or delete the key",
                            list->key);
}

/* ---- mappings */

static bool reader_read_submap(struct config_reader *r, const struct config_row *row, void *map,
                               const struct yaml_value *v)
{
    void *inner;

    if (v->kind != YAML_VALUE_MAP)
        return reader_fail_kind(r, row, false, v);
    if ((inner = config_value_map(row, map)) == NULL)
        return reader_fail_memory(r, v->line);
    return reader_read_map(r, row, inner, v->line);
}

static bool reader_read_value(struct config_reader *r, const struct config_row *row, void *map,
                              const struct yaml_value *v)
{
    uint64_t number;

    switch (row->kind) {
    case CONFIG_FLAG:
        return reader_read_flag(r, row, map, v);
    case CONFIG_TEXT:
        return reader_read_text(r, row, reader_text_at(row, map), false, v);
    case CONFIG_CHOICE:
        return reader_read_choice(r, row, map, v);
    case CONFIG_NUMBER:
        return reader_read_number(r, row, false, v, &number) &&
               (config_value_set_number(row, map, number) || reader_fail_memory(r, v->line));
    case CONFIG_MAP:
        return reader_read_submap(r, row, map, v);
    case CONFIG_MAPS:
    case CONFIG_TEXTS:
    case CONFIG_NUMBERS:
        return reader_read_list(r, row, map, v);
    }
    return false;
}

/* Returns the row of the key `v`, NULL with a message. */
static const struct config_row *reader_find_row(struct config_reader *r,
                                                const struct config_row *parent,
                                                const struct yaml_value *v)
{
    const struct config_row *row;

    if (v->kind != YAML_VALUE_TEXT) {
        reader_fail_key_kind(r, v);
        return NULL;
    }
    row = config_table_find(parent, v->text, v->len);
    if (row != NULL && (!r->included || parent != NULL || row->included))
        return row;
    reader_fail_unknown(r, parent, v);
    return NULL;
}

static bool reader_read_pair(struct config_reader *r, const struct config_row *row, void *map,
                             unsigned line)
{
    size_t len = reader_path_push_key(r, config_row_name(row));
    struct yaml_value v;
    bool good = reader_note_place(r, line) && yaml_reader_next(r->yaml, &v) &&
                reader_read_value(r, row, map, &v);

    reader_path_pop(r, len);
    return good;
}

static bool reader_check_required(struct config_reader *r, const struct config_row *parent,
                                  const unsigned lines[CONFIG_KEYS_MAX], unsigned line)
{
    const struct config_row *row = NULL;

    for (unsigned i = 0; (row = config_table_child(parent, row)) != NULL; i++)
        if (row->required && lines[i] == 0)
            return yaml_reader_fail(r->yaml, line, "%s: %s is missing; type %s: %s", parent->key,
                                    config_row_name(row), config_row_name(row),
                                    row->kind == CONFIG_MAPS ? "and a list" : "and its value");
    return true;
}

static unsigned reader_row_index(const struct config_row *parent, const struct config_row *row)
{
    const struct config_row *child = NULL;
    unsigned index = 0;

    while ((child = config_table_child(parent, child)) != NULL && child != row)
        index++;
    return index < CONFIG_KEYS_MAX ? index : CONFIG_KEYS_MAX - 1;
}

static bool reader_read_map(struct config_reader *r, const struct config_row *parent, void *map,
                            unsigned line)
{
    unsigned lines[CONFIG_KEYS_MAX] = {0}; /* of each child read so far; 0: not read */
    struct yaml_value v;

    for (;;) {
        const struct config_row *row;
        unsigned *seen;

        if (!yaml_reader_next(r->yaml, &v))
            return false;
        if (v.kind == YAML_VALUE_END)
            return reader_check_required(r, parent, lines, line);
        if ((row = reader_find_row(r, parent, &v)) == NULL)
            return false;
        seen = &lines[reader_row_index(parent, row)];
        if (*seen > 0)
            return yaml_reader_fail(r->yaml, v.line,
                                    "duplicate key %s (first on line %u); delete one of them",
                                    row->key, *seen);
        *seen = v.line;
        if (!reader_read_pair(r, row, map, v.line))
            return false;
    }
}

/* ---- files */

static bool reader_read_root(struct config_reader *r)
{
    struct yaml_value v;

    if (!yaml_reader_next(r->yaml, &v))
        return false;
    if (v.kind == YAML_VALUE_NOTHING && r->included)
        return true;
    if (yaml_value_is_null(&v) && r->included)
        return yaml_reader_finish(r->yaml);
    if (v.kind == YAML_VALUE_NOTHING || yaml_value_is_null(&v))
        return yaml_reader_fail(r->yaml, 1, "the file is empty; type at least sources or include");
    if (v.kind != YAML_VALUE_MAP)
        return reader_fail_kind(r, NULL, false, &v);
    return (r->included || reader_note_place(r, v.line)) &&
           reader_read_map(r, NULL, r->config, v.line) && yaml_reader_finish(r->yaml);
}

/* Adds the content of one file to `config`. An `included` file may be empty and holds sources and
 * destinations only. */
static bool config_file_add(struct config *config, const char *file, bool included, char *why)
{
    struct config_reader r = {.config = config, .included = included};
    bool good;

    if (!config_places_begin(config->places, file)) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: out of memory", file);
        return false;
    }
    if ((r.yaml = yaml_reader_open(file, why)) == NULL)
        return false;
    good = reader_read_root(&r);
    yaml_reader_close(&r.yaml);
    return good;
}

static bool config_file_include(struct config *c, const char *file, char *why)
{
    struct stat st;

    if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: not a regular file", file);
        return false;
    }
    return config_file_add(c, file, true, why);
}

static bool config_file_include_all(struct config *c, const char *file, char *why)
{
    struct include include;
    bool good = true;

    if (c->include == NULL)
        return true;
    if (!include_open(&include, file, c->include)) {
        int error = errno;
        size_t len = config_locate(c, "include", why, CONFIG_WHY_SIZE);

        snprintf(why + len, CONFIG_WHY_SIZE - len, "include: %s: %s", c->include, strerror(error));
        return false;
    }
    for (size_t i = 0; i < include.count && good; i++)
        good = config_file_include(c, include.files[i], why);
    include_close(&include);
    return good;
}

struct config *config_file_read(const char *file, char *why)
{
    struct config *c = config_new();

    if (c != NULL)
        c->places = config_places_new();
    if (c == NULL || c->places == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: out of memory", file);
        config_free(&c);
    } else if (!config_file_add(c, file, false, why) || !config_file_include_all(c, file, why) ||
               !config_complete(c, why)) {
        config_free(&c);
    }
    return c;
}

struct config *config_file_read_outside(const char *file, char *why)
{
    setenv("STATE_DIRECTORY", "/var/lib/hookline", 0);
    return config_file_read(file, why);
}
