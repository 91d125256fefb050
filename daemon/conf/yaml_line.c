/* SPDX-License-Identifier: MIT */
#include "daemon/conf/yaml_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

static yaml_node_t *find_value(yaml_document_t *doc, yaml_node_t *mapping, const char *name,
                               size_t len, unsigned *line)
{
    yaml_node_pair_t *pair = mapping->data.mapping.pairs.top;

    /* From the end: of two the second is the one too many. */
    while (pair-- > mapping->data.mapping.pairs.start) {
        yaml_node_t *key = yaml_document_get_node(doc, pair->key);

        if (key->type == YAML_SCALAR_NODE && key->data.scalar.length == len &&
            memcmp(key->data.scalar.value, name, len) == 0) {
            *line = (unsigned)key->start_mark.line + 1;
            return yaml_document_get_node(doc, pair->value);
        }
    }
    return NULL;
}

static yaml_node_t *find_item(yaml_document_t *doc, yaml_node_t *sequence, size_t index,
                              unsigned *line)
{
    yaml_node_item_t *item = sequence->data.sequence.items.start + index;
    yaml_node_t *node;

    if (item >= sequence->data.sequence.items.top)
        return NULL;
    node = yaml_document_get_node(doc, *item);
    *line = (unsigned)node->start_mark.line + 1;
    return node;
}

/* Sets *line to that of the deepest part that there is. NULL if that is not all of it. */
static yaml_node_t *walk(yaml_document_t *doc, const char *path, unsigned *line)
{
    yaml_node_t *node = yaml_document_get_root_node(doc);

    *line = node == NULL ? 1 : (unsigned)node->start_mark.line + 1;
    while (node != NULL && *path != '\0') {
        size_t len = strcspn(path, "/");

        if (node->type == YAML_MAPPING_NODE)
            node = find_value(doc, node, path, len, line);
        else if (node->type == YAML_SEQUENCE_NODE)
            node = find_item(doc, node, strtoul(path, NULL, 10), line);
        else
            return NULL;
        path += len + (path[len] == '/');
    }
    return node;
}

static unsigned line_at(FILE *input, size_t offset)
{
    unsigned line = 1;

    rewind(input);
    for (int c; offset > 0 && (c = getc(input)) != EOF; offset--)
        line += c == '\n';
    return line;
}

/* Reads the file. If it is no YAML then *line is where that shows. */
static bool load(const char *file, yaml_document_t *doc, unsigned *line)
{
    FILE *input = fopen(file, "re");
    yaml_parser_t parser;
    bool loaded = false;

    *line = 0;
    if (input == NULL)
        return false;
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, input);
        loaded = yaml_parser_load(&parser, doc);
        if (!loaded && parser.error == YAML_READER_ERROR)
            *line = line_at(input, parser.problem_offset);
        else if (!loaded && parser.error != YAML_MEMORY_ERROR)
            *line = (unsigned)parser.problem_mark.line + 1;
        yaml_parser_delete(&parser);
    }
    fclose(input);
    return loaded;
}

unsigned yaml_line_of(const char *file, const char *path)
{
    yaml_document_t doc;
    unsigned line;

    if (load(file, &doc, &line)) {
        walk(&doc, path, &line);
        yaml_document_delete(&doc);
    }
    return line;
}

size_t yaml_line_count(const char *file, const char *path)
{
    yaml_document_t doc;
    const yaml_node_t *node;
    unsigned line;
    size_t count = 0;

    if (!load(file, &doc, &line))
        return 0;
    node = walk(&doc, path, &line);
    if (node != NULL && node->type == YAML_SEQUENCE_NODE)
        count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    yaml_document_delete(&doc);
    return count;
}

char *yaml_line_text(const char *file, const char *path)
{
    yaml_document_t doc;
    const yaml_node_t *node;
    unsigned line;
    char *text = NULL;

    if (!load(file, &doc, &line))
        return NULL;
    node = walk(&doc, path, &line);
    if (node != NULL && node->type == YAML_SCALAR_NODE)
        text = strndup((const char *)node->data.scalar.value, node->data.scalar.length);
    yaml_document_delete(&doc);
    return text;
}

static bool is_text(const yaml_node_t *node, const char *text)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(text) &&
           memcmp(node->data.scalar.value, text, strlen(text)) == 0;
}

static bool is_number(yaml_document_t *doc, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;

    if (node->type == YAML_SEQUENCE_NODE) {
        const yaml_node_item_t *item = node->data.sequence.items.start;

        for (; item < node->data.sequence.items.top; item++) {
            const yaml_node_t *one = yaml_document_get_node(doc, *item);

            if (one->type == YAML_SCALAR_NODE && !is_number(doc, one))
                return false;
        }
    }
    if (node->type != YAML_SCALAR_NODE)
        return true; /* that it is no scalar is another complaint */
    return text[0] != '\0' && strspn(text, "0123456789") == node->data.scalar.length &&
           (text[0] != '0' || text[1] == '\0');
}

static const char *find_no_number(yaml_document_t *doc, const yaml_node_t *mapping,
                                  const char *const keys[], size_t count, unsigned *line)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

    for (; pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(doc, pair->key);

        for (size_t i = 0; i < count; i++) {
            if (is_text(key, keys[i]) &&
                !is_number(doc, yaml_document_get_node(doc, pair->value))) {
                *line = (unsigned)key->start_mark.line + 1;
                return keys[i];
            }
        }
    }
    return NULL;
}

const char *yaml_line_of_no_number(const char *file, const char *const keys[], size_t count,
                                   unsigned *line)
{
    const char *found = NULL;
    yaml_document_t doc;

    if (!load(file, &doc, line))
        return NULL;
    for (yaml_node_t *node = doc.nodes.start; found == NULL && node < doc.nodes.top; node++)
        if (node->type == YAML_MAPPING_NODE)
            found = find_no_number(&doc, node, keys, count, line);
    yaml_document_delete(&doc);
    return found;
}

unsigned yaml_line_of_odd_key(const char *file)
{
    yaml_document_t doc;
    unsigned line;

    if (!load(file, &doc, &line))
        return 0;
    line = 0;
    for (const yaml_node_t *node = doc.nodes.start; line == 0 && node < doc.nodes.top; node++) {
        const yaml_node_pair_t *pair = NULL;

        if (node->type == YAML_MAPPING_NODE)
            pair = node->data.mapping.pairs.start;
        for (; pair != NULL && pair < node->data.mapping.pairs.top; pair++) {
            const yaml_node_t *key = yaml_document_get_node(&doc, pair->key);

            if (key->type != YAML_SCALAR_NODE)
                line = (unsigned)key->start_mark.line + 1;
        }
    }
    yaml_document_delete(&doc);
    return line;
}

static unsigned line_of_second(yaml_parser_t *parser)
{
    yaml_document_t doc;
    unsigned line = 0;

    if (!yaml_parser_load(parser, &doc))
        return 0;
    yaml_document_delete(&doc);
    if (!yaml_parser_load(parser, &doc))
        return (unsigned)parser->problem_mark.line + 1;
    if (yaml_document_get_root_node(&doc) != NULL)
        line = (unsigned)doc.start_mark.line + 1;
    yaml_document_delete(&doc);
    return line;
}

unsigned yaml_line_of_more(const char *file)
{
    FILE *input = fopen(file, "re");
    unsigned line = 0;
    yaml_parser_t parser;

    if (input == NULL)
        return 0;
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, input);
        line = line_of_second(&parser);
        yaml_parser_delete(&parser);
    }
    fclose(input);
    return line;
}
