/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "daemon/http/client.h"
#include "daemon/base/json.h"
#include "daemon/base/text.h"
#include "daemon/base/process.h"
#include "cli/command.h"
#include "cli/draft.h"
#include "cli/raw_request.h"
#include "cli/secrets.h"

struct cmd_sign_options {
    struct secrets_options secrets;
    struct draft_options draft;
    const char *curl;
    bool json;
};

static const struct cmd_sign_options defaults = {.secrets = {.tolerance = -1}};

static const struct option_row rows[] = {
    SECRETS_OPTIONS(struct cmd_sign_options, secrets),
    DRAFT_OPTIONS(struct cmd_sign_options, draft),
    TEXT(0, "curl", struct cmd_sign_options, curl, "URL",
         "print the command line of curl that sends it there"),
    FLAG(0, "json", struct cmd_sign_options, json, "print one JSON object"),
    OPTIONS_END,
};

/* What is printed: the headers that were given, and those that are made by signing. */
struct cmd_sign_job {
    const struct cmd_sign_options *options;
    struct secrets *secrets;
    struct draft draft;
    struct header_lines extra;
    hookline_signature signature;
};

/* ---- printing */

static void cmd_sign_print_header(const hookline_header *header)
{
    printf("%s: %.*s\n", header->name, (int)header->value.len, header->value.base);
}

static void cmd_sign_print_lines(const struct cmd_sign_job *s)
{
    for (size_t i = 0; i < s->extra.count; i++)
        cmd_sign_print_header(&s->extra.entries[i]);
    for (size_t i = 0; i < s->signature.headers.count; i++)
        cmd_sign_print_header(&s->signature.entries[i]);
}

static bool cmd_sign_print_json(const struct cmd_sign_job *s)
{
    struct json_writer line = {0};
    bool good;

    json_begin(&line);
    json_string(&line, "scheme", s->secrets->name);
    json_number(&line, "time", s->draft.now);
    json_open_array(&line, "headers");
    for (size_t i = 0; i < s->extra.count + s->signature.headers.count; i++) {
        const hookline_header *header =
            i < s->extra.count ? &s->extra.entries[i] : &s->signature.entries[i - s->extra.count];

        json_open_element(&line);
        json_string(&line, "name", header->name);
        json_text(&line, "value", header->value.base, header->value.len);
        json_close_object(&line);
    }
    json_close_array(&line);
    if (text_is_utf8(s->draft.body.base, s->draft.body.len))
        json_text(&line, "body", s->draft.body.base, s->draft.body.len);
    else
        json_base64(&line, "body_base64", s->draft.body.base, s->draft.body.len);
    good = json_end(&line);
    if (good)
        fwrite(line.text.base, 1, line.text.len, stdout);
    json_free(&line);
    return good;
}

/* In single quotes the shell changes nothing; a single quote itself stands between them. */
static void cmd_sign_print_quoted(const char *before, const char *text, size_t len)
{
    printf(" '%s", before);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'')
            fputs("'\\''", stdout);
        else
            putchar(text[i]);
    }
    putchar('\'');
}

static void cmd_sign_print_curl_header(const hookline_header *header)
{
    fputs(" -H", stdout);
    if (header->value.len == 0) {
        cmd_sign_print_quoted(header->name, ";", 1);
        return;
    }
    printf(" '%s: ", header->name);
    for (size_t i = 0; i < header->value.len; i++) {
        if (header->value.base[i] == '\'')
            fputs("'\\''", stdout);
        else
            putchar(header->value.base[i]);
    }
    putchar('\'');
}

static void cmd_sign_print_curl(const struct cmd_sign_job *s)
{
    static const hookline_header json = {"Content-Type", {"application/json", 16}};
    hookline_header_list extra = header_lines_list(&s->extra);
    const char *method = s->secrets->method, *body = s->options->draft.body;
    hookline_bytes value;

    /* What stands in brackets would be several URLs. */
    fputs(strpbrk(s->options->curl, "[]{}") == NULL ? "curl" : "curl -g", stdout);
    if (method != NULL && strcmp(method, "POST") != 0) {
        fputs(" -X", stdout);
        cmd_sign_print_quoted("", method, strlen(method));
    }
    if (hookline_find_in_list(&extra, "Content-Type", &value) == 0)
        cmd_sign_print_curl_header(&json);
    for (size_t i = 0; i < s->extra.count; i++)
        cmd_sign_print_curl_header(&s->extra.entries[i]);
    for (size_t i = 0; i < s->signature.headers.count; i++)
        cmd_sign_print_curl_header(&s->signature.entries[i]);
    /* What begins with @ would be a file to --data, and to --data-binary as well. */
    fputs(body == NULL ? " --data-raw" : " --data-binary", stdout);
    if (body == NULL)
        cmd_sign_print_quoted("", s->draft.body.base, s->draft.body.len);
    else
        cmd_sign_print_quoted("@", body, strlen(body));
    cmd_sign_print_quoted("", s->options->curl, strlen(s->options->curl));
    putchar('\n');
}

static enum outcome cmd_sign_print(const struct cmd_sign_job *s)
{
    if (s->options->curl != NULL) {
        cmd_sign_print_curl(s);
    } else if (!s->options->json) {
        cmd_sign_print_lines(s);
    } else if (!cmd_sign_print_json(s)) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    return OUTCOME_GOOD;
}

/* ---- signing */

static bool cmd_sign_read_extra(struct cmd_sign_job *s)
{
    char why[HEADER_LINES_WHY_SIZE];

    for (const char **line = s->draft.extra; *line != NULL; line++) {
        if (!header_lines_add(&s->extra, *line, strlen(*line), why)) {
            message_print("--header: %s", why);
            return false;
        }
    }
    return true;
}

/* Two headers of the name would be refused. */
static bool cmd_sign_has_no_duplicates(const struct cmd_sign_job *s)
{
    hookline_header_list extra = header_lines_list(&s->extra);
    hookline_bytes value;

    for (size_t i = 0; i < s->signature.headers.count; i++) {
        if (hookline_find_in_list(&extra, s->signature.entries[i].name, &value) > 0) {
            message_print("--header: %s is made by signing", s->signature.entries[i].name);
            return false;
        }
    }
    return true;
}

static bool cmd_sign_make(struct cmd_sign_job *s)
{
    const char *method = s->secrets->method == NULL ? "POST" : s->secrets->method;
    const char *url = s->secrets->url == NULL ? s->options->curl : s->secrets->url;
    hookline_header_list extra = header_lines_list(&s->extra);
    struct signing_input input = {
        .verifier = s->secrets->verifier,
        .description = s->secrets->description,
        .request = {.find_header = hookline_find_in_list,
                    .headers = &extra,
                    .body = s->draft.body,
                    .method = {method, strlen(method)},
                    .url = {url, url == NULL ? 0 : strlen(url)}},
        .id = s->draft.id,
        .now = s->draft.now,
    };
    char why[SECRETS_SIGN_WHY_SIZE];

    if (secrets_sign(&input, &s->signature, why))
        return cmd_sign_has_no_duplicates(s);
    message_print("cannot sign: %s", why);
    return false;
}

static bool cmd_sign_check_options(const struct cmd_sign_options *o)
{
    const char *problem = o->curl == NULL ? NULL : client_url_problem(o->curl);

    if (problem != NULL)
        message_print("--curl: %s", problem);
    else if (o->curl != NULL && o->json)
        message_print("--curl and --json contradict each other");
    else if (o->draft.test && o->draft.body == NULL && o->draft.data == NULL && o->curl == NULL &&
             !o->json)
        message_print(
            "--test: expected --curl or --json with it: they show the body, which is made anew "
            "each time");
    else
        return true;
    return false;
}

static enum outcome cmd_sign_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_sign_job s = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;
    char why[SECRETS_WHY_SIZE];

    (void)arguments, (void)count;
    if (!cmd_sign_check_options(s.options))
        return OUTCOME_USAGE;
    if ((s.secrets = secrets_open(&s.options->secrets, why)) == NULL ||
        !draft_open(&s.draft, &s.options->draft, s.secrets, 0, why))
        message_print("%s", why);
    else if (cmd_sign_read_extra(&s) && cmd_sign_make(&s))
        outcome = cmd_sign_print(&s);
    header_lines_free(&s.extra);
    draft_close(&s.draft);
    secrets_close(&s.secrets);
    return outcome;
}

const struct command command_sign = {
    .name = "sign",
    .arguments = "",
    .summary = "Print the headers by which a body is verified",
    .details = "The headers go to the standard output, one on each line, as `hookline verify\n"
               "--headers` reads them. A scheme whose time stands in the body takes it from\n"
               "there.\n",
    .options = rows,
    .options_size = sizeof(struct cmd_sign_options),
    .defaults = &defaults,
    .run = cmd_sign_run,
};
