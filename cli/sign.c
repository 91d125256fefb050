/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/draft.h"
#include "cli/raw_request.h"
#include "cli/secrets.h"
#include "daemon/base/json.h"
#include "daemon/base/message.h"
#include "daemon/base/text.h"
#include "daemon/http/client.h"

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
         "print a curl command that sends the request to URL"),
    FLAG(0, "json", struct cmd_sign_options, json, "print headers and body as one line of JSON"),
    OPTIONS_END,
};

struct cmd_sign_job {
    const struct cmd_sign_options *options;
    struct secrets *secrets;
    struct draft draft;
    struct header_lines extra; /* of the user and of the test event */
    hookline_signature signature;
};

/* ---- printing */

static void cmd_sign_print_header(const hookline_header *header)
{
    printf("%s: %.*s\n", header->name, (int)header->value.len, header->value.base);
}

static void cmd_sign_print_lines(const struct cmd_sign_job *job)
{
    for (size_t i = 0; i < job->extra.count; i++)
        cmd_sign_print_header(&job->extra.entries[i]);
    for (size_t i = 0; i < job->signature.headers.count; i++)
        cmd_sign_print_header(&job->signature.entries[i]);
}

static bool cmd_sign_print_json(const struct cmd_sign_job *job)
{
    struct json_writer line = {0};
    bool good;

    json_begin(&line);
    json_string(&line, "scheme", job->secrets->name);
    json_number(&line, "time", job->draft.now);
    json_open_array(&line, "headers");
    for (size_t i = 0; i < job->extra.count + job->signature.headers.count; i++) {
        const hookline_header *header = i < job->extra.count
                                            ? &job->extra.entries[i]
                                            : &job->signature.entries[i - job->extra.count];

        json_open_element(&line);
        json_string(&line, "name", header->name);
        json_text(&line, "value", header->value.base, header->value.len);
        json_close_object(&line);
    }
    json_close_array(&line);
    if (text_is_utf8(job->draft.body.base, job->draft.body.len))
        json_text(&line, "body", job->draft.body.base, job->draft.body.len);
    else
        json_base64(&line, "body_base64", job->draft.body.base, job->draft.body.len);
    good = json_end(&line);
    if (good)
        fwrite(line.text.base, 1, line.text.len, stdout);
    json_free(&line);
    return good;
}

/* Quotes for the shell: single quotes, with '\'' for a single quote. */
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

static void cmd_sign_print_curl(const struct cmd_sign_job *job)
{
    static const hookline_header json = {"Content-Type", {"application/json", 16}};
    hookline_header_list extra = header_lines_list(&job->extra);
    const char *method = job->secrets->method, *file = job->draft.file;
    hookline_bytes value;

    /* -g: do not expand brackets and braces to several URLs. */
    fputs(strpbrk(job->options->curl, "[]{}") == NULL ? "curl" : "curl -g", stdout);
    if (method != NULL && strcmp(method, "POST") != 0) {
        fputs(" -X", stdout);
        cmd_sign_print_quoted("", method, strlen(method));
    }
    if (hookline_find_in_list(&extra, "Content-Type", &value) == 0)
        cmd_sign_print_curl_header(&json);
    for (size_t i = 0; i < job->extra.count; i++)
        cmd_sign_print_curl_header(&job->extra.entries[i]);
    for (size_t i = 0; i < job->signature.headers.count; i++)
        cmd_sign_print_curl_header(&job->signature.entries[i]);
    /* --data-raw: a body that starts with @ is not a file name. */
    fputs(file == NULL ? " --data-raw" : " --data-binary", stdout);
    if (file == NULL)
        cmd_sign_print_quoted("", job->draft.body.base, job->draft.body.len);
    else
        cmd_sign_print_quoted("@", file, strlen(file));
    cmd_sign_print_quoted("", job->options->curl, strlen(job->options->curl));
    putchar('\n');
}

static enum outcome cmd_sign_print(const struct cmd_sign_job *job)
{
    if (job->options->curl != NULL) {
        cmd_sign_print_curl(job);
    } else if (!job->options->json) {
        cmd_sign_print_lines(job);
    } else if (!cmd_sign_print_json(job)) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    return OUTCOME_GOOD;
}

/* ---- signing */

static bool cmd_sign_read_extra(struct cmd_sign_job *job)
{
    char why[HEADER_LINES_WHY_SIZE];

    for (const char **line = job->draft.extra; *line != NULL; line++) {
        if (!header_lines_add(&job->extra, *line, strlen(*line), why)) {
            message_print("--header: %s", why);
            return false;
        }
    }
    return true;
}

/* Receivers refuse a signature header that occurs twice. */
static bool cmd_sign_has_no_duplicates(const struct cmd_sign_job *job)
{
    hookline_header_list extra = header_lines_list(&job->extra);
    hookline_bytes value;

    for (size_t i = 0; i < job->signature.headers.count; i++) {
        if (hookline_find_in_list(&extra, job->signature.entries[i].name, &value) > 0) {
            message_print("--header: %s is set by signing; remove it",
                          job->signature.entries[i].name);
            return false;
        }
    }
    return true;
}

static bool cmd_sign_make(struct cmd_sign_job *job)
{
    const char *method = job->secrets->method == NULL ? "POST" : job->secrets->method;
    const char *url = job->secrets->url == NULL ? job->options->curl : job->secrets->url;
    hookline_header_list extra = header_lines_list(&job->extra);
    struct signing_input input = {
        .verifier = job->secrets->verifier,
        .description = job->secrets->description,
        .request = {.find_header = hookline_find_in_list,
                    .headers = &extra,
                    .body = job->draft.body,
                    .method = {method, strlen(method)},
                    .url = {url, url == NULL ? 0 : strlen(url)}},
        .id = job->draft.id,
        .now = job->draft.now,
    };
    char why[SECRETS_SIGN_WHY_SIZE];

    if (secrets_sign(&input, &job->signature, why))
        return cmd_sign_has_no_duplicates(job);
    message_print("cannot sign: %s", why);
    return false;
}

static bool cmd_sign_check_options(const struct cmd_sign_options *o)
{
    const char *problem = o->curl == NULL ? NULL : client_url_problem(o->curl);

    if (problem != NULL)
        message_print("--curl: %s", problem);
    else if (o->curl != NULL && o->json)
        message_print("--curl and --json cannot be combined");
    else if (o->draft.test && o->draft.body == NULL && o->draft.data == NULL && o->curl == NULL &&
             !o->json)
        message_print("--test needs --curl or --json to show the body, which is new each time");
    else
        return true;
    return false;
}

static enum outcome cmd_sign_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_sign_job job = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;
    char why[SECRETS_WHY_SIZE];

    (void)arguments, (void)count;
    if (!cmd_sign_check_options(job.options))
        return OUTCOME_USAGE;
    if ((job.secrets = secrets_open(&job.options->secrets, why)) == NULL ||
        !draft_open(&job.draft, &job.options->draft, job.secrets, 0, why))
        message_print("%s", why);
    else if (cmd_sign_read_extra(&job) && cmd_sign_make(&job))
        outcome = cmd_sign_print(&job);
    header_lines_free(&job.extra);
    draft_close(&job.draft);
    secrets_close(&job.secrets);
    return outcome;
}

const struct command command_sign = {
    .name = "sign",
    .arguments = "",
    .summary = "Sign a body and print the signature headers",
    .details = "Prints one header a line, as `hookline verify --headers` reads them. A scheme\n"
               "with its time in the body signs that time.\n",
    .options = rows,
    .options_size = sizeof(struct cmd_sign_options),
    .defaults = &defaults,
    .run = cmd_sign_run,
};
