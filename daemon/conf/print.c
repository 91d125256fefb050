/* SPDX-License-Identifier: MIT
 *
 * In the output "# " begins a comment; "#" before a key, or before two blanks or more, comments a
 * line of YAML out.
 */
#include "daemon/conf/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/conf/table.h"

static void print_map(const struct config_row *parent, int indent, unsigned item);

static bool row_is_shown(const struct config_row *row, unsigned item)
{
    const struct config_row *child = NULL;

    if (row->kind == CONFIG_MAP && row->example_short) {
        while ((child = config_table_child(row, child)) != NULL && !row_is_shown(child, item))
            ;
        return child != NULL;
    }
    if (row->kind == CONFIG_MAP || row->kind == CONFIG_MAPS)
        return item == 0 || row->required;
    if (row->examples[item] != NULL)
        return true;
    return item == 0 && row->kind == CONFIG_NUMBER && !row->required && !row->pointer;
}

static void print_help(const struct config_row *row, const char *name)
{
    char range[96];

    config_row_range(row, range, sizeof(range));
    printf("# %s%s%s", name, name[0] == '\0' ? "" : ": ", row->help);
    if (range[0] != '\0')
        printf(" (%s)", range);
    printf(".\n");
}

static void print_value(const struct config_row *row, unsigned item)
{
    if (row->examples[item] != NULL)
        fputs(row->examples[item], stdout);
    else
        printf("%" PRIu64, row->unset);
}

/* Prints a value, and the further lines of a text block below its key. */
static void print_block_lines(const char *hash, int indent, const char *text)
{
    size_t len = strcspn(text, "\n");

    printf("%.*s\n", (int)len, text);
    while (text[len] == '\n') {
        text += len + 1;
        len = strcspn(text, "\n");
        printf("%s%*s%.*s\n", hash, indent, "", (int)len, text);
    }
}

/* Prints {file: /etc/hookline/secrets/app}. */
static void print_short_map(const struct config_row *parent, unsigned item)
{
    const struct config_row *row = NULL;
    const char *between = "{";

    while ((row = config_table_child(parent, row)) != NULL) {
        if (!row_is_shown(row, item))
            continue;
        printf("%s%s: ", between, config_row_name(row));
        print_value(row, item);
        between = ", ";
    }
    printf("}\n");
}

static void print_short_help(const struct config_row *parent, unsigned item)
{
    const struct config_row *row = NULL;

    print_help(parent, "");
    while ((row = config_table_child(parent, row)) != NULL)
        if (row_is_shown(row, item))
            print_help(row, config_row_name(row));
}

static unsigned count_example_items(const struct config_row *list)
{
    const struct config_row *row = NULL;
    unsigned count = 1;

    while ((row = config_table_child(list, row)) != NULL)
        for (unsigned i = count; i < CONFIG_EXAMPLES_MAX; i++)
            if (row->examples[i] != NULL)
                count = i + 1;
    return count;
}

static void print_items(const struct config_row *list, int indent, unsigned item)
{
    unsigned count = item > 0 ? 1 : count_example_items(list);

    for (unsigned i = 0; i < count; i++)
        print_map(list, indent, i);
}

/* `dash`: the row is the first of a list item. */
static void print_row(const struct config_row *row, int indent, unsigned item, bool dash)
{
    const char *hash = row->example_on ? "" : "#";
    int blanks = dash ? indent - 2 : indent;

    if (row->example_short)
        print_short_help(row, item);
    else if (item == 0 || row->examples[0] == NULL)
        print_help(row, "");
    printf("%s%*s%s%s:", hash, blanks, "", dash ? "- " : "", config_row_name(row));
    if (row->example_short) {
        putchar(' ');
        print_short_map(row, item);
    } else if (row->kind == CONFIG_MAP) {
        putchar('\n');
        print_map(row, indent + 2, 0);
    } else if (row->kind == CONFIG_MAPS) {
        putchar('\n');
        print_items(row, indent + 4, item);
    } else if (row->examples[item] != NULL) {
        putchar(' ');
        print_block_lines(hash, indent, row->examples[item]);
    } else {
        printf(" %" PRIu64 "\n", row->unset);
    }
}

static void print_map(const struct config_row *parent, int indent, unsigned item)
{
    const struct config_row *row = NULL;
    bool dash = parent != NULL && parent->kind == CONFIG_MAPS;

    while ((row = config_table_child(parent, row)) != NULL) {
        if (!row_is_shown(row, item))
            continue;
        print_row(row, indent, item, dash);
        dash = false;
        if (parent == NULL)
            putchar('\n');
    }
}

void config_print_defaults(void)
{
    fputs(
        "# hooklined's configuration: every key, with its default where it has one.\n"
        "#\n"
        "# hooklined.yaml(5) explains each key. To set a key, delete the # in front of it and of\n"
        "# the keys around it. Only sources, or include, is required; store.file is required\n"
        "# without $STATE_DIRECTORY, which systemd sets. Check the file, line by line, with\n"
        "#\n"
        "# hooklined --config FILE --check\n"
        "\n",
        stdout);
    print_map(NULL, 0, 0);
}
