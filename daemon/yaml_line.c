/* SPDX-License-Identifier: MIT */
#include "yaml_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

static yaml_node_t *find_value(yaml_document_t *doc, yaml_node_t *mapping, const char *name,
                               size_t len, unsigned *line)
{
    yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

    for (; pair < mapping->data.mapping.pairs.top; pair++) {
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

static unsigned walk(yaml_document_t *doc, const char *path)
{
    yaml_node_t *node = yaml_document_get_root_node(doc);
    unsigned line = node == NULL ? 1 : (unsigned)node->start_mark.line + 1;

    while (node != NULL && *path != '\0') {
        size_t len = strcspn(path, "/");

        if (node->type == YAML_MAPPING_NODE)
            node = find_value(doc, node, path, len, &line);
        else if (node->type == YAML_SEQUENCE_NODE)
            node = find_item(doc, node, strtoul(path, NULL, 10), &line);
        else
            break;
        path += len + (path[len] == '/');
    }
    return line;
}

unsigned yaml_line_of(const char *file, const char *path)
{
    FILE *input = fopen(file, "re");
    yaml_parser_t parser;
    yaml_document_t doc;
    unsigned line = 0;

    if (input == NULL)
        return 0;
    if (yaml_parser_initialize(&parser)) {
        yaml_parser_set_input_file(&parser, input);
        if (yaml_parser_load(&parser, &doc)) {
            line = walk(&doc, path);
            yaml_document_delete(&doc);
        }
        yaml_parser_delete(&parser);
    }
    fclose(input);
    return line;
}
