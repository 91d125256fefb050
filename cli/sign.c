/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "daemon/http/call.h"
#include "daemon/base/json_line.h"
#include "daemon/base/notice.h"
#include "cli/command.h"
#include "cli/draft.h"
#include "cli/header_lines.h"
#include "cli/seal.h"
#include "cli/trust.h"

struct options {
    struct trust_options trust;
    struct draft_options draft;
    const char *curl;
    bool json;
};

static const struct options defaults = {.trust = {.tolerance = -1}};

static const struct option_row rows[] = {
    TRUST_OPTIONS(struct options, trust),
    DRAFT_OPTIONS(struct options, draft),
    {"curl", 0, OPTION_TEXT, offsetof(struct options, curl), "URL",
     "print the command line of curl that sends it there", 0, 0},
    {"json", 0, OPTION_FLAG, offsetof(struct options, json), NULL, "print one JSON object", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* What is printed: the headers that were given, and those that are made by signing. */
struct signing {
    const struct options *options;
    struct trust *trust;
    struct draft draft;
    struct header_lines extra;
    hookline_signature signature;
};

/* ---- printing */

static void print_header(const hookline_header *header)
{
    printf("%s: %.*s\n", header->name, (int)header->value.len, header->value.base);
}

static void print_lines(const struct signing *s)
{
    for (size_t i = 0; i < s->extra.count; i++)
        print_header(&s->extra.entries[i]);
    for (size_t i = 0; i < s->signature.headers.count; i++)
        print_header(&s->signature.entries[i]);
}

static bool print_json(const struct signing *s)
{
    struct json_line line = {0};
    bool good;

    json_line_begin(&line);
    json_line_string(&line, "scheme", s->trust->name);
    json_line_number(&line, "time", s->draft.now);
    json_line_open_list(&line, "headers");
    for (size_t i = 0; i < s->extra.count + s->signature.headers.count; i++) {
        const hookline_header *header =
            i < s->extra.count ? &s->extra.entries[i] : &s->signature.entries[i - s->extra.count];

        json_line_open_item(&line);
        json_line_string(&line, "name", header->name);
        json_line_text(&line, "value", header->value.base, header->value.len);
        json_line_close(&line);
    }
    json_line_close_list(&line);
    if (json_line_is_utf8(s->draft.body.base, s->draft.body.len))
        json_line_text(&line, "body", s->draft.body.base, s->draft.body.len);
    else
        json_line_base64(&line, "body_base64", s->draft.body.base, s->draft.body.len);
    good = json_line_end(&line);
    if (good)
        fwrite(line.base, 1, line.len, stdout);
    json_line_free(&line);
    return good;
}

/* In single quotes the shell changes nothing; a single quote itself stands between them. */
static void print_quoted(const char *before, const char *text, size_t len)
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

static void print_curl_header(const hookline_header *header)
{
    fputs(" -H", stdout);
    if (header->value.len == 0) {
        print_quoted(header->name, ";", 1);
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

static void print_curl(const struct signing *s)
{
    static const hookline_header json = {"Content-Type", {"application/json", 16}};
    hookline_header_list extra = header_lines_list(&s->extra);
    const char *method = s->trust->method, *body = s->options->draft.body;
    hookline_bytes value;

    /* What stands in brackets would be several URLs. */
    fputs(strpbrk(s->options->curl, "[]{}") == NULL ? "curl" : "curl -g", stdout);
    if (method != NULL && strcmp(method, "POST") != 0) {
        fputs(" -X", stdout);
        print_quoted("", method, strlen(method));
    }
    if (hookline_find_in_list(&extra, "Content-Type", &value) == 0)
        print_curl_header(&json);
    for (size_t i = 0; i < s->extra.count; i++)
        print_curl_header(&s->extra.entries[i]);
    for (size_t i = 0; i < s->signature.headers.count; i++)
        print_curl_header(&s->signature.entries[i]);
    /* What begins with @ would be a file to --data, and to --data-binary as well. */
    fputs(body == NULL ? " --data-raw" : " --data-binary", stdout);
    if (body == NULL)
        print_quoted("", s->draft.body.base, s->draft.body.len);
    else
        print_quoted("@", body, strlen(body));
    print_quoted("", s->options->curl, strlen(s->options->curl));
    putchar('\n');
}

static enum outcome print(const struct signing *s)
{
    if (s->options->curl != NULL) {
        print_curl(s);
    } else if (!s->options->json) {
        print_lines(s);
    } else if (!print_json(s)) {
        notice("out of memory");
        return OUTCOME_TRANSPORT;
    }
    return OUTCOME_GOOD;
}

/* ---- signing */

static bool read_extra(struct signing *s)
{
    char why[HEADER_LINES_WHY_SIZE];

    for (const char **line = s->draft.extra; *line != NULL; line++) {
        if (!header_lines_add(&s->extra, *line, strlen(*line), why)) {
            notice("--header: %s", why);
            return false;
        }
    }
    return true;
}

/* Two headers of the name would be refused. */
static bool is_clear(const struct signing *s)
{
    hookline_header_list extra = header_lines_list(&s->extra);
    hookline_bytes value;

    for (size_t i = 0; i < s->signature.headers.count; i++) {
        if (hookline_find_in_list(&extra, s->signature.entries[i].name, &value) > 0) {
            notice("--header: %s is made by signing", s->signature.entries[i].name);
            return false;
        }
    }
    return true;
}

static bool seal(struct signing *s)
{
    const char *method = s->trust->method == NULL ? "POST" : s->trust->method;
    const char *url = s->trust->url == NULL ? s->options->curl : s->trust->url;
    hookline_header_list extra = header_lines_list(&s->extra);
    struct seal seal = {
        .verifier = s->trust->verifier,
        .description = s->trust->description,
        .request = {.find_header = hookline_find_in_list,
                    .headers = &extra,
                    .body = s->draft.body,
                    .method = {method, strlen(method)},
                    .url = {url, url == NULL ? 0 : strlen(url)}},
        .id = s->draft.id,
        .now = s->draft.now,
    };
    char why[SEAL_WHY_SIZE];

    if (seal_sign(&seal, &s->signature, why))
        return is_clear(s);
    notice("cannot sign: %s", why);
    return false;
}

static bool check_options(const struct options *o)
{
    const char *problem = o->curl == NULL ? NULL : call_url_problem(o->curl);

    if (problem != NULL)
        notice("--curl: %s", problem);
    else if (o->curl != NULL && o->json)
        notice("--curl and --json contradict each other");
    else if (o->draft.test && o->draft.body == NULL && o->draft.data == NULL && o->curl == NULL &&
             !o->json)
        notice("--test: expected --curl or --json with it: they show the body, which is made anew "
               "each time");
    else
        return true;
    return false;
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    struct signing s = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;
    char why[TRUST_WHY_SIZE];

    (void)arguments, (void)count;
    if (!check_options(s.options))
        return OUTCOME_USAGE;
    if ((s.trust = trust_open(&s.options->trust, why)) == NULL ||
        !draft_open(&s.draft, &s.options->draft, s.trust, 0, why))
        notice("%s", why);
    else if (read_extra(&s) && seal(&s))
        outcome = print(&s);
    header_lines_free(&s.extra);
    draft_close(&s.draft);
    trust_close(&s.trust);
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
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
