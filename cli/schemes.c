/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json_line.h"
#include "daemon/base/notice.h"
#include "cli/anatomy.h"
#include "cli/clause.h"
#include "cli/command.h"
#include "cli/trust.h"

struct options {
    const char *description;
    bool json;
};

static const struct option_row rows[] = {
    {"description", 0, OPTION_TEXT, offsetof(struct options, description), "FILE",
     "explain, and check, a scheme of your own", 0, 0},
    {"json", 0, OPTION_FLAG, offsetof(struct options, json), NULL,
     "print a JSON object for each scheme", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static bool print_line(struct json_line *line)
{
    bool good = json_line_end(line);

    if (good)
        fwrite(line->base, 1, line->len, stdout);
    else
        notice("out of memory");
    json_line_free(line);
    return good;
}

/* ---- all of them */

static enum outcome list(bool json)
{
    const hookline_scheme *scheme;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL; i++) {
        struct json_line line = {0};

        if (!json) {
            printf("%-10s %-36s %s\n", scheme->name, scheme->title, scheme->documentation);
            continue;
        }
        json_line_begin(&line);
        json_line_string(&line, "name", scheme->name);
        json_line_string(&line, "title", scheme->title);
        json_line_string(&line, "documentation", scheme->documentation);
        if (!print_line(&line))
            return OUTCOME_TRANSPORT;
    }
    return OUTCOME_GOOD;
}

/* ---- one, for people */

static void say(const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        printf("  %-14s %s\n", name, text);
}

static const char *unit_in_words(const char *unit)
{
    if (strcmp(unit, "rfc3339") == 0)
        return "as a date, such as 2026-11-22T02:07:35.306Z (RFC 3339)";
    if (strcmp(unit, "any") == 0)
        return "as seconds or milliseconds since 1970, or as a date";
    return strcmp(unit, "seconds") == 0 ? "in seconds since 1970" : "in milliseconds since 1970";
}

static void say_time(const struct anatomy *a)
{
    if (a->time_unit == NULL) {
        say("time", "none is signed: nobody knows how old a request is");
        return;
    }
    printf("  %-14s %s, %s\n", "time", a->time, unit_in_words(a->time_unit));
    say("", a->time_optional ? "it may be missing: then nobody knows how old a request is" : NULL);
    printf("  %-14s %ld s in the past and in the future\n", "tolerance", a->tolerance_s);
}

static void say_secret(const struct anatomy *a)
{
    if (strcmp(a->secret, "text") == 0)
        say("secret", "text, all of which is the key; also what it begins with, such as whsec_");
    else if (a->secret_prefix[0] == '\0')
        printf("  %-14s %s, which is decoded\n", "secret", a->secret);
    else
        printf("  %-14s %s behind %s, which may be left away; it is decoded\n", "secret", a->secret,
               a->secret_prefix);
}

static void say_clauses(const char *description)
{
    struct clause clause;

    printf("\n  As hookline-schemes(7) has it:\n");
    while (clause_next(&description, &clause)) {
        const hookline_bytes *last = &clause.words[clause.count - 1];

        printf("    %.*s;\n", (int)(last->base + last->len - clause.words[0].base),
               clause.words[0].base);
    }
}

static void explain(const hookline_scheme *scheme)
{
    struct anatomy a;

    anatomy_read(&a, scheme->description);
    printf("%s: %s\n\n", scheme->name, scheme->title);
    printf("  %-14s %s: %s\n", "signature", a.signature, a.form);
    say("", a.also[0] == '\0' ? NULL : "or, while secrets rotate, in");
    say("", a.also);
    printf("  %-14s HMAC-SHA256 in %s\n", "", a.encoding);
    say("signed", a.content);
    say_time(&a);
    say("id", a.id[0] == '\0' ? "none: repetitions are told by their signatures" : a.id);
    say_secret(&a);
    say("tests", a.tests);
    say("documentation", scheme->documentation);
    say_clauses(scheme->description);
}

/* ---- one, as JSON */

static const char *or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static enum outcome explain_json(const hookline_scheme *scheme)
{
    struct json_line line = {0};
    struct anatomy a;

    anatomy_read(&a, scheme->description);
    json_line_begin(&line);
    json_line_string(&line, "name", scheme->name);
    json_line_string(&line, "title", scheme->title);
    json_line_string(&line, "documentation", scheme->documentation);
    json_line_open(&line, "signature");
    json_line_string(&line, "header", a.signature);
    json_line_string(&line, "also", or_null(a.also));
    json_line_string(&line, "form", a.form);
    json_line_string(&line, "encoding", a.encoding);
    json_line_close(&line);
    json_line_string(&line, "content", a.content);
    json_line_open(&line, "time");
    json_line_string(&line, "where", or_null(a.time));
    json_line_string(&line, "unit", a.time_unit);
    json_line_bool(&line, "optional", a.time_optional);
    json_line_close(&line);
    json_line_number(&line, "tolerance_s", a.tolerance_s);
    json_line_string(&line, "id", or_null(a.id));
    json_line_open(&line, "secret");
    json_line_string(&line, "form", a.secret);
    json_line_string(&line, "prefix", or_null(a.secret_prefix));
    json_line_close(&line);
    json_line_string(&line, "tests", or_null(a.tests));
    json_line_string(&line, "description", scheme->description);
    return print_line(&line) ? OUTCOME_GOOD : OUTCOME_TRANSPORT;
}

static enum outcome explain_one(const hookline_scheme *scheme, bool json)
{
    if (json)
        return explain_json(scheme);
    explain(scheme);
    return OUTCOME_GOOD;
}

/* Any secret would do; this one can be read as text, as hexadecimal and as base64. */
static bool is_sound(const char *file, const char *description)
{
    static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    hookline_verifier *verifier;
    char why[256] = "";
    int code = hookline_verifier_new_custom(&verifier, description, secret, why, sizeof(why));

    hookline_verifier_free(&verifier);
    if (code < 0)
        notice("%s: %s", file, why[0] == '\0' ? hookline_code_text(code) : why);
    return code == 0;
}

static enum outcome explain_file(const char *file, bool json)
{
    enum outcome outcome = OUTCOME_USAGE;
    char why[TRUST_WHY_SIZE];
    char *text = trust_read_description(file, why);
    hookline_scheme scheme = {"custom", "a scheme of your own", NULL, text};

    if (text == NULL)
        notice("%s", why);
    else if (is_sound(file, text))
        outcome = explain_one(&scheme, json);
    free(text);
    return outcome;
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    const struct options *o = options;
    const hookline_scheme *scheme;

    if (o->description != NULL && count > 0) {
        notice("schemes: expected a name or --description, not both");
        return OUTCOME_USAGE;
    }
    if (o->description != NULL)
        return explain_file(o->description, o->json);
    if (count == 0)
        return list(o->json);
    if ((scheme = hookline_scheme_find(arguments[0])) != NULL)
        return explain_one(scheme, o->json);
    notice("there is no such scheme; hookline schemes lists them, and hookline-schemes(7) says how "
           "to describe another");
    return OUTCOME_USAGE;
}

const struct command command_schemes = {
    .name = "schemes",
    .arguments = "[NAME]",
    .arguments_max = 1,
    .summary = "List how senders sign, or explain one of them",
    .options = rows,
    .options_size = sizeof(struct options),
    .run = run,
};
