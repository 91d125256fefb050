/* SPDX-License-Identifier: MIT */
#include "daemon/conf/yaml_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "daemon/conf/config.h"

enum {
    FILE_BYTES_MAX = 16 << 20
};

struct yaml_reader {
    const char *file;
    char *why;
    char *bytes;
    size_t len;
    yaml_parser_t parser;
    yaml_event_t event; /* owns the text of the last value; YAML_NO_EVENT at first */
};

bool yaml_reader_fail(struct yaml_reader *r, unsigned line, const char *format, ...)
{
    int len = snprintf(r->why, CONFIG_WHY_SIZE, "%s:%u: ", r->file, line);
    va_list args;

    if (len < 0 || len >= CONFIG_WHY_SIZE)
        return false;
    va_start(args, format);
    vsnprintf(r->why + len, CONFIG_WHY_SIZE - (size_t)len, format, args);
    va_end(args);
    return false;
}

/* ---- file */

static bool yaml_file_fail(const struct yaml_reader *r, int error)
{
    snprintf(r->why, CONFIG_WHY_SIZE, "%s: %s", r->file, strerror(error));
    return false;
}

static bool yaml_file_fill(struct yaml_reader *r, FILE *input)
{
    size_t room = 0, got = 1;

    while (got > 0) {
        if (r->len == room) {
            char *bigger = realloc(r->bytes, room = room == 0 ? 1 << 14 : 2 * room);

            if (bigger == NULL)
                return yaml_file_fail(r, ENOMEM);
            r->bytes = bigger;
        }
        got = fread(r->bytes + r->len, 1, room - r->len, input);
        r->len += got;
        if (r->len > FILE_BYTES_MAX)
            return yaml_reader_fail(r, 1, "the file has more than %d MiB; is it a configuration?",
                                    FILE_BYTES_MAX >> 20);
    }
    return !ferror(input) || yaml_file_fail(r, errno);
}

static bool yaml_file_read(struct yaml_reader *r)
{
    FILE *input = fopen(r->file, "re");
    struct stat st;
    bool good;

    if (input == NULL)
        return yaml_file_fail(r, errno);
    if (fstat(fileno(input), &st) == 0 && S_ISDIR(st.st_mode))
        good = yaml_file_fail(r, EISDIR);
    else
        good = yaml_file_fill(r, input);
    fclose(input);
    return good;
}

struct yaml_reader *yaml_reader_open(const char *file, char *why)
{
    struct yaml_reader *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "%s: %s", file, strerror(ENOMEM));
        return NULL;
    }
    r->file = file;
    r->why = why;
    if (!yaml_parser_initialize(&r->parser)) {
        yaml_file_fail(r, ENOMEM);
        free(r);
        return NULL;
    }
    if (!yaml_file_read(r))
        yaml_reader_close(&r);
    else
        yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->bytes, r->len);
    return r;
}

void yaml_reader_close(struct yaml_reader **reader)
{
    struct yaml_reader *r = *reader;

    *reader = NULL;
    if (r == NULL)
        return;
    yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    free(r->bytes);
    free(r);
}

/* ---- syntax errors */

static unsigned yaml_line_at(const struct yaml_reader *r, size_t offset)
{
    unsigned line = 1;

    for (size_t i = 0; i < offset && i < r->len; i++)
        line += r->bytes[i] == '\n' ||
                (r->bytes[i] == '\r' && i + 1 < r->len && r->bytes[i + 1] != '\n');
    return line;
}

static bool yaml_fail_encoding(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    unsigned line = yaml_line_at(r, p->problem_offset);

    if (strstr(p->problem, "control") == NULL)
        return yaml_reader_fail(r, line, "bytes that are not UTF-8; save the file as UTF-8");
    if (p->problem_value == 0)
        return yaml_reader_fail(r, line,
                                "a control character, NUL; is the file UTF-16 or binary? "
                                "save it as UTF-8");
    return yaml_reader_fail(r, line, "a control character, U+%04X; delete it",
                            (unsigned)p->problem_value);
}

/* True if a tab follows the leading blanks of a line. */
static bool yaml_line_begins_with_tab(const struct yaml_reader *r, size_t line)
{
    const char *at = r->bytes, *end = r->bytes + r->len;

    for (; line > 0 && at != NULL; line--)
        at = memchr(at, '\n', (size_t)(end - at)) == NULL
                 ? NULL
                 : (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    while (at != NULL && at < end && *at == ' ')
        at++;
    return at != NULL && at < end && *at == '\t';
}

/* libyaml's context and problem, and plain words. The first match wins. */
static const struct {
    const char *context, *problem;
    bool at_context; /* report the line of the context */
    const char *words;
} yaml_problems[] = {
    {"a flow sequence", "", true, "a [ that is not closed; type ] or a comma between items"},
    {"a flow mapping", "", true, "a { that is not closed; type } or a comma between keys"},
    {"flow node", "", false,
     "a value is missing after [ { or a comma; type it, or close the bracket"},
    {"a quoted scalar", "unexpected", true, "a quote that is not closed; type the closing quote"},
    {"a quoted scalar", "", false,
     "a backslash that begins no escape; type \\\\, or use single quotes"},
    {"a double-quoted", "", false,
     "a backslash that begins no escape; type \\\\, or use single quotes"},
    {"", "mapping values are not allowed", false,
     "a second \": \" in one line, or wrong indentation; put quotes around the value"},
    {"", "cannot start any token", false, "a value begins with @ ` or %; put quotes around it"},
    {"", "block sequence entries are not allowed", false,
     "a \"- \" where no list item can be; begin a new line below the key"},
    {"an anchor", "", false,
     "an & begins an anchor, which is not supported; put quotes around the value"},
    {"an alias", "", false,
     "an * begins an alias, which is not supported; put quotes around the value"},
    {"a tag", "", false, "an ! begins a tag, which is not supported; put quotes around the value"},
    {"a simple key", "", false, "a line without \": \"; type KEY: VALUE"},
    {"block collection", "", false,
     "expected \"- \" to continue the list; correct the indentation"},
    {"a block mapping", "", false,
     "expected KEY: VALUE; correct the indentation, or delete an extra bracket or quote"},
    {"", "<document start>", false, "a second document; a file is one YAML document, so delete it"},
    {"a block scalar", "", false, "an invalid header of a text block; type | and begin a new line"},
    {"block node", "", false, "a value is missing; type it"},
    {"directive", "", false, "a line that begins with %; put quotes around the value"},
};

static bool yaml_fail_syntax(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *context = p->context == NULL ? "" : p->context;
    unsigned line = (unsigned)p->problem_mark.line + 1;

    if (yaml_line_begins_with_tab(r, p->problem_mark.line))
        return yaml_reader_fail(r, line, "a tab in the indentation; type spaces");
    for (size_t i = 0; i < sizeof(yaml_problems) / sizeof(yaml_problems[0]); i++)
        if (strstr(context, yaml_problems[i].context) != NULL &&
            strstr(p->problem, yaml_problems[i].problem) != NULL)
            return yaml_reader_fail(
                r, yaml_problems[i].at_context ? (unsigned)p->context_mark.line + 1 : line, "%s",
                yaml_problems[i].words);
    return yaml_reader_fail(r, line, "not YAML: %s", p->problem);
}

/* ---- values */

/* Parses the next event. Returns false with `why` on error. */
static bool yaml_parse(struct yaml_reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return true;
    if (r->parser.error == YAML_MEMORY_ERROR || r->parser.problem == NULL)
        return yaml_file_fail(r, ENOMEM);
    return r->parser.error == YAML_READER_ERROR ? yaml_fail_encoding(r) : yaml_fail_syntax(r);
}

static unsigned yaml_event_line(const struct yaml_reader *r)
{
    return (unsigned)r->event.start_mark.line + 1;
}

static bool yaml_refuse_marks(struct yaml_reader *r, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor != NULL)
        return yaml_reader_fail(r, yaml_event_line(r),
                                "an anchor (&); aliases are not supported, so delete it");
    if (tag != NULL)
        return yaml_reader_fail(r, yaml_event_line(r),
                                "a tag (!); tags are not supported, so delete it");
    return true;
}

static bool yaml_take_text(struct yaml_reader *r, struct yaml_value *value)
{
    value->kind = YAML_VALUE_TEXT;
    value->plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    value->text = (const char *)r->event.data.scalar.value;
    value->len = r->event.data.scalar.length;
    if (memchr(value->text, '\0', value->len) != NULL)
        return yaml_reader_fail(r, value->line, "text with a NUL character; delete it");
    return yaml_refuse_marks(r, r->event.data.scalar.anchor, r->event.data.scalar.tag);
}

bool yaml_reader_next(struct yaml_reader *r, struct yaml_value *value)
{
    do
        if (!yaml_parse(r))
            return false;
    while (r->event.type == YAML_STREAM_START_EVENT || r->event.type == YAML_DOCUMENT_START_EVENT);
    *value = (struct yaml_value){.line = yaml_event_line(r), .text = ""};
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return yaml_take_text(r, value);
    case YAML_MAPPING_START_EVENT:
        value->kind = YAML_VALUE_MAP;
        return yaml_refuse_marks(r, r->event.data.mapping_start.anchor,
                                 r->event.data.mapping_start.tag);
    case YAML_SEQUENCE_START_EVENT:
        value->kind = YAML_VALUE_LIST;
        return yaml_refuse_marks(r, r->event.data.sequence_start.anchor,
                                 r->event.data.sequence_start.tag);
    case YAML_ALIAS_EVENT:
        return yaml_reader_fail(r, value->line,
                                "an alias (*); aliases are not supported, so type the value");
    case YAML_STREAM_END_EVENT:
        value->kind = YAML_VALUE_NOTHING;
        return true;
    default:
        value->kind = YAML_VALUE_END;
        return true;
    }
}

bool yaml_reader_finish(struct yaml_reader *r)
{
    do
        if (!yaml_parse(r))
            return false;
    while (r->event.type == YAML_DOCUMENT_END_EVENT);
    return r->event.type == YAML_STREAM_END_EVENT ||
           yaml_reader_fail(r, yaml_event_line(r),
                            "a second document begins; a file is one YAML document, so delete the "
                            "line --- or ...");
}

bool yaml_value_is_null(const struct yaml_value *v)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        if (v->kind == YAML_VALUE_TEXT && v->plain && strcmp(v->text, nulls[i]) == 0)
            return true;
    return false;
}
