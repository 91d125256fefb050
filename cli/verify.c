/* SPDX-License-Identifier: MIT */
#include <hookline.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/description.h"
#include "cli/raw_request.h"
#include "cli/request.h"
#include "cli/secrets.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/process.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"
#include "daemon/hints/diagnose.h"
#include "daemon/policy/source.h"

/* ---- what is said of a request that was verified: for people, or as JSON. What it prints
 * of the request is authentic, or harmless to a terminal.
 *
 * Ownership  The verdict points into what is somebody else's. */

struct verify_report {
    const char *scheme, *source; /* source: NULL if it is none of hooklined's */
    size_t secrets_count;
    hookline_result result;
    int code;                    /* result.reason, or why the event could not be read */
    int64_t now;                 /* at which it was verified */
    const hookline_event *event; /* NULL: it was not read */
    const char *hint, *hint_text,
        *hint_source;                /* the usual mistake behind it; NULL: none is found */
    const hookline_signature *right; /* what would be verified, for who is testing; else NULL */
};

enum outcome verify_report_outcome(const struct verify_report *verdict);

enum outcome verify_report_outcome(const struct verify_report *v)
{
    if (v->code > 0)
        return OUTCOME_GOOD;
    if (v->code == HOOKLINE_TOO_OLD || v->code == HOOKLINE_TOO_NEW)
        return OUTCOME_STALE;
    return v->code <= HOOKLINE_BAD_CALL ? OUTCOME_USAGE : OUTCOME_REFUSED;
}

static const char *verify_report_word(const struct verify_report *v)
{
    switch (verify_report_outcome(v)) {
    case OUTCOME_GOOD:
        return "verified";
    case OUTCOME_STALE:
        return "stale";
    default:
        return "refused";
    }
}

/* ---- for people */

static void verify_report_print_name(const char *name)
{
    printf("  %-10s ", name);
}

static void verify_report_print_text(const char *name, const char *text)
{
    if (text == NULL)
        return;
    verify_report_print_name(name);
    text_write_printable(stdout, text, strlen(text));
    putchar('\n');
}

static void verify_report_print_time(const struct verify_report *v)
{
    int64_t at = v->result.signed_at, age = v->now - at;
    char text[RFC3339_SIZE];

    if (v->result.secret < 0)
        return;
    verify_report_print_name("signed at");
    if (at < 0) {
        printf("not said: nobody knows how old it is\n");
        return;
    }
    /* The library reads times that no calendar has. */
    rfc3339_write(text, at < INT64_MAX / 1000000 ? at * 1000000 : INT64_MAX);
    printf("%s (%" PRId64 "), %" PRId64 " s %s\n", text, at, age < 0 ? -age : age,
           age < 0 ? "in the future" : "ago");
}

static void verify_report_print_event(const hookline_event *event)
{
    if (event == NULL || event->type == NULL)
        return;
    verify_report_print_name("type");
    text_write_printable(stdout, event->type, strlen(event->type));
    printf("%s\n", event->test ? ", a test" : "");
}

static void verify_report_print_headers(const hookline_signature *right)
{
    if (right == NULL)
        return;
    printf("\nThe right headers for this body:\n");
    for (size_t i = 0; i < right->headers.count; i++)
        printf("%s: %.*s\n", right->entries[i].name, (int)right->entries[i].value.len,
               right->entries[i].value.base);
}

static void verify_report_print(const struct verify_report *v)
{
    const char *tone = terminal_tone(stdout, v->code > 0 ? TERMINAL_GOOD : TERMINAL_BAD);

    printf("%s%s%s", tone, verify_report_word(v), terminal_tone(stdout, TERMINAL_PLAIN));
    if (v->code > 0)
        printf(": by the secret of %s%s%s\n", v->source == NULL ? "scheme " : "source ",
               v->source == NULL ? v->scheme : v->source,
               v->result.fresh ? "" : ", but its age is not known");
    else
        printf(": %s\n  %s\n", hookline_code_name(v->code), hookline_code_text(v->code));
    if (v->result.secret >= 0 && v->secrets_count > 1) {
        verify_report_print_name("secret");
        printf("%d of %zu\n", v->result.secret + 1, v->secrets_count);
    }
    if (v->result.id.len > 0) {
        verify_report_print_name("id");
        text_write_printable(stdout, v->result.id.base, v->result.id.len);
        putchar('\n');
    }
    verify_report_print_event(v->event);
    verify_report_print_time(v);
    verify_report_print_text("mistake", v->hint);
    verify_report_print_text("", v->hint_text);
    verify_report_print_text("source", v->hint_source);
    verify_report_print_headers(v->right);
}

/* ---- as JSON */

static void verify_report_json_facts(struct json_writer *line, const struct verify_report *v)
{
    const hookline_result *r = &v->result;

    json_text(line, "id", r->id.len == 0 ? NULL : r->id.base, r->id.len);
    if (r->signed_at >= 0) {
        json_number(line, "signed_at", r->signed_at);
        json_number(line, "age_s", v->now - r->signed_at);
    } else {
        json_string(line, "signed_at", NULL);
        json_string(line, "age_s", NULL);
    }
    json_bool(line, "fresh", r->fresh == 1);
    if (r->secret >= 0)
        json_number(line, "secret", r->secret);
    else
        json_string(line, "secret", NULL);
    json_string(line, "type", v->event == NULL ? NULL : v->event->type);
    json_bool(line, "test", v->event != NULL && v->event->test != 0);
}

static void verify_report_json_headers(struct json_writer *line, const hookline_signature *right)
{
    json_open_array(line, "right_headers");
    for (size_t i = 0; i < right->headers.count; i++) {
        json_open_element(line);
        json_string(line, "name", right->entries[i].name);
        json_text(line, "value", right->entries[i].value.base, right->entries[i].value.len);
        json_close_object(line);
    }
    json_close_array(line);
}

/* False without memory. */
static bool verify_report_print_json(const struct verify_report *v)
{
    struct json_writer line = {0};
    bool good;

    json_begin(&line);
    json_string(&line, "verdict", verify_report_word(v));
    json_string(&line, "reason", hookline_code_name(v->code));
    json_string(&line, "message", hookline_code_text(v->code));
    json_string(&line, "scheme", v->scheme);
    json_string(&line, "source", v->source);
    json_number(&line, "now", v->now);
    verify_report_json_facts(&line, v);
    json_string(&line, "hint", v->hint);
    json_string(&line, "hint_message", v->hint_text);
    json_string(&line, "hint_source", v->hint_source);
    if (v->right != NULL)
        verify_report_json_headers(&line, v->right);
    good = json_end(&line);
    if (good)
        text_write_json(stdout, line.text.base, line.text.len);
    json_free(&line);
    return good;
}

/* ---- verify */

enum {
    NAME_SIZE = 128,
    TIME_SIZE = 64
};

struct cmd_verify_options {
    struct secrets_options secrets;
    struct request_options request;
    int64_t now;
    bool testing, json;
};

static const struct cmd_verify_options defaults = {.secrets = {.tolerance = -1}};

static const struct option_row rows[] = {
    SECRETS_OPTIONS(struct cmd_verify_options, secrets),
    REQUEST_OPTIONS(struct cmd_verify_options, request),
    NUMBER(0, "now", struct cmd_verify_options, now, "SECONDS", 1, 253402300799,
           "the time to compare with, since 1970; default: now, or\nwhen what is stored arrived"),
    NUMBER(0, "tolerance", struct cmd_verify_options, secrets.tolerance, "SECONDS", 0,
           HOOKLINE_TOLERANCE_MAX, "how old or new it may be; default: the scheme's"),
    FLAG(0, "i-am-testing", struct cmd_verify_options, testing,
         "print the right signature, too; never where others read"),
    FLAG(0, "json", struct cmd_verify_options, json, "print one JSON object"),
    OPTIONS_END,
};

struct cmd_verify_job {
    const struct cmd_verify_options *options;
    struct request *kept;
    struct secrets *secrets;
    hookline_header_list headers;
    hookline_request request;
    hookline_event *event;
    hookline_signature right;
    struct sources *sources; /* those of the configuration, once they are needed */
    struct verify_report verdict;
};

/* ---- the right signature, for who is testing */

/* A word of a clause may be two names, "A|B", of which the sender uses one. */
static bool cmd_verify_find_header(const struct cmd_verify_job *c, const struct clause *clause,
                                   size_t word, hookline_bytes *value)
{
    struct clause other = *clause;
    char name[NAME_SIZE];
    hookline_bytes *names = &other.words[word];

    while (word < clause->count && names->len > 0) {
        size_t len;

        clause_copy_word(&other, word, name, sizeof(name));
        if (hookline_find_in_list(&c->headers, name, value) > 0)
            return true;
        len = strlen(name) + 1;
        if (len == 1 || len > names->len)
            return false;
        names->base += len;
        names->len -= len;
    }
    return false;
}

/* The item of a list such as "t=1492774577,v1=xxx". */
static bool cmd_verify_find_pair(hookline_bytes list, const struct clause *timestamp,
                                 hookline_bytes *value)
{
    char key[NAME_SIZE];
    size_t len;

    clause_copy_word(timestamp, 2, key, sizeof(key));
    len = strlen(key);
    for (size_t i = 0; i + len < list.len; i++) {
        bool begins = i == 0 || strchr(",; ", list.base[i - 1]) != NULL;

        if (!begins || memcmp(list.base + i, key, len) != 0 || list.base[i + len] != '=')
            continue;
        *value = (hookline_bytes){list.base + i + len + 1, 0};
        while (i + len + 1 + value->len < list.len &&
               strchr(",; ", value->base[value->len]) == NULL)
            value->len++;
        return true;
    }
    return false;
}

/* The time that the request says it was signed at, so that the right signature can be compared with
 * the one that came; nothing of it is authentic. 0 if it says none. */
static int64_t cmd_verify_claimed_time(const struct cmd_verify_job *c)
{
    struct clause timestamp, signature;
    hookline_bytes value = {NULL, 0};
    char text[TIME_SIZE];
    int64_t us;

    if (!clause_find(c->secrets->description, "timestamp", NULL, &timestamp) ||
        !clause_find(c->secrets->description, "signature", NULL, &signature))
        return 0;
    if (clause_word_is(&timestamp, 1, "header"))
        cmd_verify_find_header(c, &timestamp, 2, &value);
    else if (clause_word_is(&timestamp, 1, "pair") &&
             cmd_verify_find_header(c, &signature, 1, &value) &&
             !cmd_verify_find_pair(value, &timestamp, &value))
        value.len = 0;
    if (value.len == 0 || value.len >= sizeof(text))
        return 0;
    memcpy(text, value.base, value.len);
    text[value.len] = '\0';
    if (clause_word_is(&timestamp, 3, "milliseconds"))
        return strtoll(text, NULL, 10) / 1000;
    return rfc3339_read(text, &us) ? us / 1000000 : 0;
}

/* What the request lacks may be just what is needed for it: the verdict is said all the same. */
static void cmd_verify_sign_right(struct cmd_verify_job *c)
{
    struct clause id;
    struct signing_input input = {
        .verifier = c->secrets->verifier,
        .description = c->secrets->description,
        .request = c->request,
        .now = cmd_verify_claimed_time(c),
    };
    char why[SECRETS_SIGN_WHY_SIZE];

    if (input.now <= 0)
        input.now = c->verdict.now;
    if (clause_find(c->secrets->description, "id", "header", &id))
        cmd_verify_find_header(c, &id, 2, &input.id);
    if (secrets_sign(&input, &c->right, why))
        c->verdict.right = &c->right;
    else
        message_print("--i-am-testing: cannot sign: %s", why);
}

/* ---- the usual mistakes */

static void cmd_verify_ignore_warning(const char *text)
{
    (void)text;
}

/* The other sources of the configuration; without them, say because their secrets are not ours to
 * read, it is only not known whether it was meant for one of them. */
static size_t cmd_verify_open_others(struct cmd_verify_job *c, struct diagnose_other **others)
{
    char why[CONFIG_WHY_SIZE];
    size_t count = 0;

    if (c->secrets->config == NULL)
        return 0;
    c->sources = sources_open(c->secrets->config, cmd_verify_ignore_warning, why);
    if (c->sources == NULL ||
        (*others = calloc(sources_count(c->sources) + 1, sizeof(**others))) == NULL)
        return 0;
    for (size_t i = 0; i < sources_count(c->sources); i++) {
        const struct source *source = sources_at(c->sources, i);

        if (strcmp(source->name, c->secrets->source) != 0)
            (*others)[count++] =
                (struct diagnose_other){source->name, source->url, source->verifier};
    }
    return count;
}

static void cmd_verify_find_mistake(struct cmd_verify_job *c)
{
    struct diagnose_other *others = NULL;
    struct diagnose_question question = {
        .verifier = c->secrets->verifier,
        .request = &c->request,
        .now = c->verdict.now,
        .result = c->verdict.result,
        .description = c->secrets->description,
        .secrets = (const char *const *)c->secrets->secrets,
        .secrets_count = c->secrets->secrets_count,
    };
    struct diagnose_result hint;

    question.others_count = cmd_verify_open_others(c, &others);
    question.others = others;
    hint = diagnose_find(&question);
    c->verdict.hint = diagnose_cause_name(hint.kind);
    c->verdict.hint_text = diagnose_cause_text(hint.kind);
    c->verdict.hint_source = hint.other;
    free(others);
}

/* ---- the verdict */

static bool cmd_verify_open_all(struct cmd_verify_job *c)
{
    struct secrets_options secrets = c->options->secrets;
    struct request_options request = c->options->request;
    char why[REQUEST_WHY_SIZE];

    request.config = secrets.config;
    if ((c->kept = request_open(&request, why)) != NULL) {
        /* What is stored knows whose it is. */
        if (secrets.config != NULL && secrets.source == NULL)
            secrets.source = c->kept->source;
        c->secrets = secrets_open(&secrets, why);
    }
    if (c->secrets == NULL) {
        message_print("%s", why);
        return false;
    }
    if (c->kept->ignored > 0)
        message_print("%s: %zu bytes behind the body of the request are not looked at",
                      file_contents_name(c->options->request.whole), c->kept->ignored);
    return true;
}

static bool cmd_verify_has_url(const struct cmd_verify_job *c)
{
    if (c->request.url.len > 0 || !description_signs(c->secrets->description, "{url}"))
        return true;
    message_print(
        "expected --url URL: this scheme signs the URL that is registered with the sender");
    return false;
}

static void cmd_verify_view_request(struct cmd_verify_job *c)
{
    const char *url = c->secrets->url, *method = c->secrets->method;

    if (method == NULL)
        method = c->kept->method == NULL ? "POST" : c->kept->method;
    c->headers = header_lines_list(&c->kept->headers);
    c->request = (hookline_request){
        .find_header = hookline_find_in_list,
        .headers = &c->headers,
        .body = c->kept->body,
        .method = {method, strlen(method)},
        .url = {url, url == NULL ? 0 : strlen(url)},
    };
}

static void cmd_verify_check(struct cmd_verify_job *c)
{
    int64_t now = c->options->now;
    int code;

    if (now == 0)
        now = c->kept->received_at > 0 ? c->kept->received_at : clock_wall_us() / 1000000;
    c->verdict = (struct verify_report){
        .scheme = c->secrets->name,
        .source = c->secrets->source,
        .secrets_count = c->secrets->secrets_count,
        .result = hookline_verify(c->secrets->verifier, &c->request, now),
        .now = now,
    };
    c->verdict.code = c->verdict.result.reason;
    if (!hookline_accepted(c->verdict.result)) {
        cmd_verify_find_mistake(c);
        return;
    }
    code = hookline_event_read(&c->event, c->secrets->verifier, &c->verdict.result);
    if (code < 0)
        c->verdict.code = code;
    c->verdict.event = c->event;
}

static enum outcome cmd_verify_report(struct cmd_verify_job *c)
{
    if (c->verdict.code <= HOOKLINE_BAD_CALL) {
        message_print("%s", hookline_code_text(c->verdict.code));
        return OUTCOME_USAGE;
    }
    if (c->options->testing)
        cmd_verify_sign_right(c);
    if (!c->options->json) {
        verify_report_print(&c->verdict);
    } else if (!verify_report_print_json(&c->verdict)) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    return verify_report_outcome(&c->verdict);
}

static enum outcome cmd_verify_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_verify_job c = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;

    (void)arguments, (void)count;
    if (cmd_verify_open_all(&c)) {
        cmd_verify_view_request(&c);
        if (cmd_verify_has_url(&c)) {
            cmd_verify_check(&c);
            outcome = cmd_verify_report(&c);
        }
    }
    hookline_event_free(&c.event);
    if (c.sources != NULL)
        sources_free(&c.sources);
    secrets_close(&c.secrets);
    request_close(&c.kept);
    return outcome;
}

const struct command command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "Say whether a request that was received is genuine, or why not",
    .details = "Exit status: 0 verified, 1 refused, 3 genuine but too old or too new.\n",
    .options = rows,
    .options_size = sizeof(struct cmd_verify_options),
    .defaults = &defaults,
    .run = cmd_verify_run,
};
