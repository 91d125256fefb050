/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/description.h"
#include "cli/secrets.h"
#include "daemon/base/json.h"
#include "daemon/base/message.h"

struct cmd_schemes_options {
    const char *description;
    bool json;
};

static const struct option_row rows[] = {
    TEXT(0, "description", struct cmd_schemes_options, description, "FILE",
         "check and explain the scheme that FILE describes"),
    FLAG(0, "json", struct cmd_schemes_options, json, "print each scheme as one line of JSON"),
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

/* ---- list */

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

/* ---- one scheme as text */

static void cmd_schemes_print_text(const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        printf("  %-14s %s\n", name, text);
}

static const char *cmd_schemes_time_unit(const char *unit)
{
    if (strcmp(unit, "rfc3339") == 0)
        return "as RFC 3339, such as 2026-11-22T02:07:35.306Z";
    if (strcmp(unit, "any") == 0)
        return "in seconds or milliseconds since 1970, or as RFC 3339";
    return strcmp(unit, "seconds") == 0 ? "in seconds since 1970" : "in milliseconds since 1970";
}

static void cmd_schemes_print_time(const struct description_summary *s)
{
    if (s->time_unit == NULL) {
        cmd_schemes_print_text("time", "not signed: the age of a request is unknown");
        return;
    }
    printf("  %-14s %s, %s\n", "time", s->time, cmd_schemes_time_unit(s->time_unit));
    cmd_schemes_print_text(
        "", s->time_optional ? "optional; without it the age of a request is unknown" : NULL);
    printf("  %-14s %ld s into the past and into the future\n", "tolerance", s->tolerance_s);
}

static void cmd_schemes_print_secret(const struct description_summary *s)
{
    if (strcmp(s->secret, "text") == 0)
        cmd_schemes_print_text("secret",
                               "text; all bytes are the key, including a prefix such as whsec_");
    else if (s->secret_prefix[0] == '\0')
        printf("  %-14s %s, decoded to the key\n", "secret", s->secret);
    else
        printf("  %-14s %s after an optional prefix %s, decoded to the key\n", "secret", s->secret,
               s->secret_prefix);
}

static void cmd_schemes_print_clauses(const char *description)
{
    struct clause clause;

    printf("\n  In the language of hookline-schemes(7):\n");
    while (clause_next(&description, &clause)) {
        const hookline_bytes *last = &clause.words[clause.count - 1];

        printf("    %.*s;\n", (int)(last->base + last->len - clause.words[0].base),
               clause.words[0].base);
    }
}

static void cmd_schemes_print(const hookline_scheme *scheme)
{
    struct description_summary s;

    description_summarize(&s, scheme->description);
    printf("%s: %s\n\n", scheme->name, scheme->title);
    printf("  %-14s %s: %s\n", "signature", s.signature, s.form);
    cmd_schemes_print_text("", s.also[0] == '\0' ? NULL : "during a rotation also:");
    cmd_schemes_print_text("", s.also);
    printf("  %-14s HMAC-SHA256 in %s\n", "", s.encoding);
    cmd_schemes_print_text("signed", s.content);
    cmd_schemes_print_time(&s);
    cmd_schemes_print_text(
        "id", s.id[0] == '\0' ? "none: duplicates are recognized by their signatures" : s.id);
    if (s.delivery[0] != '\0')
        printf("  %-14s header %s, not signed\n", "delivery id", s.delivery);
    cmd_schemes_print_secret(&s);
    cmd_schemes_print_text("tests", s.tests);
    cmd_schemes_print_text("documentation", scheme->documentation);
    cmd_schemes_print_clauses(scheme->description);
}

/* ---- one scheme as JSON */

static const char *cmd_schemes_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static enum outcome cmd_schemes_print_json(const hookline_scheme *scheme)
{
    struct json_writer line = {0};
    struct description_summary s;

    description_summarize(&s, scheme->description);
    json_begin(&line);
    json_string(&line, "name", scheme->name);
    json_string(&line, "title", scheme->title);
    json_string(&line, "documentation", scheme->documentation);
    json_open_object(&line, "signature");
    json_string(&line, "header", s.signature);
    json_string(&line, "also", cmd_schemes_or_null(s.also));
    json_string(&line, "form", s.form);
    json_string(&line, "encoding", s.encoding);
    json_close_object(&line);
    json_string(&line, "content", s.content);
    json_open_object(&line, "time");
    json_string(&line, "where", cmd_schemes_or_null(s.time));
    json_string(&line, "unit", s.time_unit);
    json_bool(&line, "optional", s.time_optional);
    json_close_object(&line);
    json_number(&line, "tolerance_s", s.tolerance_s);
    json_string(&line, "id", cmd_schemes_or_null(s.id));
    json_string(&line, "delivery", cmd_schemes_or_null(s.delivery));
    json_open_object(&line, "secret");
    json_string(&line, "form", s.secret);
    json_string(&line, "prefix", cmd_schemes_or_null(s.secret_prefix));
    json_close_object(&line);
    json_string(&line, "tests", cmd_schemes_or_null(s.tests));
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

/* Uses a fixed secret that is valid as text, hex and base64. */
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
        message_print("schemes: NAME and --description cannot be combined");
        return OUTCOME_USAGE;
    }
    if (o->description != NULL)
        return cmd_schemes_explain_file(o->description, o->json);
    if (count == 0)
        return cmd_schemes_list(o->json);
    if ((scheme = hookline_scheme_find(arguments[0])) != NULL)
        return cmd_schemes_explain(scheme, o->json);
    message_print(
        "unknown scheme; `hookline schemes` lists them, and hookline-schemes(7) explains how to "
        "describe another one");
    return OUTCOME_USAGE;
}

const struct command command_schemes = {
    .name = "schemes",
    .arguments = "[NAME]",
    .arguments_max = 1,
    .summary = "List the signature schemes, or explain one",
    .options = rows,
    .options_size = sizeof(struct cmd_schemes_options),
    .run = cmd_schemes_run,
};
