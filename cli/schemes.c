/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/process.h"
#include "cli/description.h"
#include "cli/command.h"
#include "cli/secrets.h"

struct cmd_schemes_options {
    const char *description;
    bool json;
};

static const struct option_row rows[] = {
    TEXT(0, "description", struct cmd_schemes_options, description, "FILE",
         "explain, and check, a scheme of your own"),
    FLAG(0, "json", struct cmd_schemes_options, json, "print a JSON object for each scheme"),
    OPTIONS_END,
};

static bool cmd_schemes_print_line(struct json_writer *line)
{
    bool good = json_end(line);

    if (good)
        fwrite(line->text.base, 1, line->text.len, stdout);
    else
        message_print("out of memory");
    json_free(line);
    return good;
}

/* ---- all of them */

static enum outcome cmd_schemes_list(bool json)
{
    const hookline_scheme *scheme;

    for (size_t i = 0; (scheme = hookline_scheme_at(i)) != NULL; i++) {
        struct json_writer line = {0};

        if (!json) {
            printf("%-10s %-36s %s\n", scheme->name, scheme->title, scheme->documentation);
            continue;
        }
        json_begin(&line);
        json_string(&line, "name", scheme->name);
        json_string(&line, "title", scheme->title);
        json_string(&line, "documentation", scheme->documentation);
        if (!cmd_schemes_print_line(&line))
            return OUTCOME_TRANSPORT;
    }
    return OUTCOME_GOOD;
}

/* ---- one, for people */

static void cmd_schemes_print_text(const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        printf("  %-14s %s\n", name, text);
}

static const char *cmd_schemes_time_unit(const char *unit)
{
    if (strcmp(unit, "rfc3339") == 0)
        return "as a date, such as 2026-11-22T02:07:35.306Z (RFC 3339)";
    if (strcmp(unit, "any") == 0)
        return "as seconds or milliseconds since 1970, or as a date";
    return strcmp(unit, "seconds") == 0 ? "in seconds since 1970" : "in milliseconds since 1970";
}

static void cmd_schemes_print_time(const struct description_summary *a)
{
    if (a->time_unit == NULL) {
        cmd_schemes_print_text("time", "none is signed: nobody knows how old a request is");
        return;
    }
    printf("  %-14s %s, %s\n", "time", a->time, cmd_schemes_time_unit(a->time_unit));
    cmd_schemes_print_text(
        "", a->time_optional ? "it may be missing: then nobody knows how old a request is" : NULL);
    printf("  %-14s %ld s in the past and in the future\n", "tolerance", a->tolerance_s);
}

static void cmd_schemes_print_secret(const struct description_summary *a)
{
    if (strcmp(a->secret, "text") == 0)
        cmd_schemes_print_text(
            "secret", "text, all of which is the key; also what it begins with, such as whsec_");
    else if (a->secret_prefix[0] == '\0')
        printf("  %-14s %s, which is decoded\n", "secret", a->secret);
    else
        printf("  %-14s %s behind %s, which may be left away; it is decoded\n", "secret", a->secret,
               a->secret_prefix);
}

static void cmd_schemes_print_clauses(const char *description)
{
    struct clause clause;

    printf("\n  As hookline-schemes(7) has it:\n");
    while (clause_next(&description, &clause)) {
        const hookline_bytes *last = &clause.words[clause.count - 1];

        printf("    %.*s;\n", (int)(last->base + last->len - clause.words[0].base),
               clause.words[0].base);
    }
}

static void cmd_schemes_print(const hookline_scheme *scheme)
{
    struct description_summary a;

    description_summarize(&a, scheme->description);
    printf("%s: %s\n\n", scheme->name, scheme->title);
    printf("  %-14s %s: %s\n", "signature", a.signature, a.form);
    cmd_schemes_print_text("", a.also[0] == '\0' ? NULL : "or, while secrets rotate, in");
    cmd_schemes_print_text("", a.also);
    printf("  %-14s HMAC-SHA256 in %s\n", "", a.encoding);
    cmd_schemes_print_text("signed", a.content);
    cmd_schemes_print_time(&a);
    cmd_schemes_print_text("id", a.id[0] == '\0' ? "none: repetitions are told by their signatures"
                                                 : a.id);
    cmd_schemes_print_secret(&a);
    cmd_schemes_print_text("tests", a.tests);
    cmd_schemes_print_text("documentation", scheme->documentation);
    cmd_schemes_print_clauses(scheme->description);
}

/* ---- one, as JSON */

static const char *cmd_schemes_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static enum outcome cmd_schemes_print_json(const hookline_scheme *scheme)
{
    struct json_writer line = {0};
    struct description_summary a;

    description_summarize(&a, scheme->description);
    json_begin(&line);
    json_string(&line, "name", scheme->name);
    json_string(&line, "title", scheme->title);
    json_string(&line, "documentation", scheme->documentation);
    json_open_object(&line, "signature");
    json_string(&line, "header", a.signature);
    json_string(&line, "also", cmd_schemes_or_null(a.also));
    json_string(&line, "form", a.form);
    json_string(&line, "encoding", a.encoding);
    json_close_object(&line);
    json_string(&line, "content", a.content);
    json_open_object(&line, "time");
    json_string(&line, "where", cmd_schemes_or_null(a.time));
    json_string(&line, "unit", a.time_unit);
    json_bool(&line, "optional", a.time_optional);
    json_close_object(&line);
    json_number(&line, "tolerance_s", a.tolerance_s);
    json_string(&line, "id", cmd_schemes_or_null(a.id));
    json_open_object(&line, "secret");
    json_string(&line, "form", a.secret);
    json_string(&line, "prefix", cmd_schemes_or_null(a.secret_prefix));
    json_close_object(&line);
    json_string(&line, "tests", cmd_schemes_or_null(a.tests));
    json_string(&line, "description", scheme->description);
    return cmd_schemes_print_line(&line) ? OUTCOME_GOOD : OUTCOME_TRANSPORT;
}

static enum outcome cmd_schemes_explain(const hookline_scheme *scheme, bool json)
{
    if (json)
        return cmd_schemes_print_json(scheme);
    cmd_schemes_print(scheme);
    return OUTCOME_GOOD;
}

/* Any secret would do; this one can be read as text, as hexadecimal and as base64. */
static bool cmd_schemes_is_sound(const char *file, const char *description)
{
    static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    hookline_verifier *verifier;
    char why[256] = "";
    int code = hookline_verifier_new_custom(&verifier, description, secret, why, sizeof(why));

    hookline_verifier_free(&verifier);
    if (code < 0)
        message_print("%s: %s", file, why[0] == '\0' ? hookline_code_text(code) : why);
    return code == 0;
}

static enum outcome cmd_schemes_explain_file(const char *file, bool json)
{
    enum outcome outcome = OUTCOME_USAGE;
    char why[SECRETS_WHY_SIZE];
    char *text = secrets_read_description(file, why);
    hookline_scheme scheme = {"custom", "a scheme of your own", NULL, text};

    if (text == NULL)
        message_print("%s", why);
    else if (cmd_schemes_is_sound(file, text))
        outcome = cmd_schemes_explain(&scheme, json);
    free(text);
    return outcome;
}

static enum outcome cmd_schemes_run(const void *options, const char *const *arguments, size_t count)
{
    const struct cmd_schemes_options *o = options;
    const hookline_scheme *scheme;

    if (o->description != NULL && count > 0) {
        message_print("schemes: expected a name or --description, not both");
        return OUTCOME_USAGE;
    }
    if (o->description != NULL)
        return cmd_schemes_explain_file(o->description, o->json);
    if (count == 0)
        return cmd_schemes_list(o->json);
    if ((scheme = hookline_scheme_find(arguments[0])) != NULL)
        return cmd_schemes_explain(scheme, o->json);
    message_print(
        "there is no such scheme; hookline schemes lists them, and hookline-schemes(7) says how "
        "to describe another");
    return OUTCOME_USAGE;
}

const struct command command_schemes = {
    .name = "schemes",
    .arguments = "[NAME]",
    .arguments_max = 1,
    .summary = "List how senders sign, or explain one of them",
    .options = rows,
    .options_size = sizeof(struct cmd_schemes_options),
    .run = cmd_schemes_run,
};
