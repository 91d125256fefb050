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
#include "daemon/base/message.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"
#include "daemon/hints/diagnose.h"
#include "daemon/policy/source.h"

/* ---- report
 *
 * Prints untrusted parts of the request in printable form only.
 *
 * Ownership  Points into the job. */

struct verify_report {
    const char *scheme, *source; /* source: NULL without a configuration */
    size_t secrets_count, body_len;
    hookline_result result;
    int code;                    /* result.reason, or the error of hookline_event_read() */
    int64_t now;                 /* time of the verification */
    const hookline_event *event; /* NULL: not read */
    const char *hint, *hint_text, *hint_source; /* likely mistake; NULL: none found */
    const hookline_signature *right; /* correct signature, for --i-am-testing; else NULL */
};

static enum outcome verify_report_outcome(const struct verify_report *report)
{
    if (report->code > 0)
        return OUTCOME_GOOD;
    if (report->code == HOOKLINE_TOO_OLD || report->code == HOOKLINE_TOO_NEW)
        return OUTCOME_STALE;
    return report->code <= HOOKLINE_BAD_CALL ? OUTCOME_USAGE : OUTCOME_REFUSED;
}

static const char *verify_report_word(const struct verify_report *report)
{
    switch (verify_report_outcome(report)) {
    case OUTCOME_GOOD:
        return "verified";
    case OUTCOME_STALE:
        return "stale";
    default:
        return "refused";
    }
}

/* The id of the event is the result's, or one that the body writes with escapes. */
static hookline_bytes verify_report_id(const struct verify_report *report)
{
    const char *id = report->event == NULL ? NULL : report->event->id;

    return id == NULL ? report->result.id : (hookline_bytes){id, strlen(id)};
}

/* ---- report as text */

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

static void verify_report_print_time(const struct verify_report *report)
{
    int64_t at = report->result.signed_at, age = report->now - at;
    char text[RFC3339_SIZE];

    if (report->result.secret < 0)
        return;
    verify_report_print_name("signed at");
    if (at < 0) {
        printf("no time signed: its age is unknown\n");
        return;
    }
    /* The library accepts times beyond the year 9999. */
    rfc3339_write(text, at < INT64_MAX / 1000000 ? at * 1000000 : INT64_MAX);
    printf("%s (%" PRId64 "), %" PRId64 " s %s\n", text, at, age < 0 ? -age : age,
           age < 0 ? "in the future" : "ago");
}

static void verify_report_print_event(const hookline_event *event)
{
    if (event == NULL)
        return;
    if (event->type != NULL) {
        verify_report_print_name("type");
        text_write_printable(stdout, event->type, strlen(event->type));
        printf("%s\n", event->test ? ", a test" : "");
    }
    verify_report_print_text("unreadable", event->unreadable);
}

static void verify_report_print_headers(const hookline_signature *right)
{
    if (right == NULL)
        return;
    printf("\nThe correct headers for this body:\n");
    for (size_t i = 0; i < right->headers.count; i++)
        printf("%s: %.*s\n", right->entries[i].name, (int)right->entries[i].value.len,
               right->entries[i].value.base);
}

static void verify_report_print(const struct verify_report *report)
{
    const char *tone = terminal_tone(stdout, report->code > 0 ? TERMINAL_GOOD : TERMINAL_BAD);
    hookline_bytes id = verify_report_id(report);

    printf("%s%s%s", tone, verify_report_word(report), terminal_tone(stdout, TERMINAL_PLAIN));
    if (report->code > 0)
        printf(": by the secret of %s%s%s\n", report->source == NULL ? "scheme " : "source ",
               report->source == NULL ? report->scheme : report->source,
               report->result.fresh ? "" : ", but its age is unknown");
    else
        printf(": %s\n  %s\n", hookline_code_name(report->code),
               report->hint_text == NULL ? hookline_code_text(report->code) : report->hint_text);
    if (report->result.secret >= 0 && report->secrets_count > 1) {
        verify_report_print_name("secret");
        printf("%d of %zu\n", report->result.secret + 1, report->secrets_count);
    }
    if (id.len > 0) {
        verify_report_print_name("id");
        text_write_printable(stdout, id.base, id.len);
        putchar('\n');
    }
    verify_report_print_event(report->event);
    verify_report_print_time(report);
    verify_report_print_text("mistake", report->hint);
    if (report->code == HOOKLINE_MISMATCH && report->body_len == 0)
        verify_report_print_text("body",
                                 "empty: if the sender sent one, a proxy or a framework has "
                                 "read it before; pass on the bytes that arrived");
    verify_report_print_text("source", report->hint_source);
    verify_report_print_headers(report->right);
}

/* ---- report as JSON */

static void verify_report_json_facts(struct json_writer *line, const struct verify_report *report)
{
    const hookline_result *r = &report->result;
    hookline_bytes id = verify_report_id(report);

    json_text(line, "id", id.len == 0 ? NULL : id.base, id.len);
    if (r->signed_at >= 0) {
        json_number(line, "signed_at", r->signed_at);
        json_number(line, "age_s", report->now - r->signed_at);
    } else {
        json_string(line, "signed_at", NULL);
        json_string(line, "age_s", NULL);
    }
    json_bool(line, "fresh", r->fresh == 1);
    if (r->secret >= 0)
        json_number(line, "secret", r->secret);
    else
        json_string(line, "secret", NULL);
    json_string(line, "type", report->event == NULL ? NULL : report->event->type);
    json_bool(line, "test", report->event != NULL && report->event->test != 0);
    json_string(line, "unreadable", report->event == NULL ? NULL : report->event->unreadable);
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

/* Returns false on ENOMEM. */
static bool verify_report_print_json(const struct verify_report *report)
{
    struct json_writer line = {0};
    bool good;

    json_begin(&line);
    json_string(&line, "verdict", verify_report_word(report));
    json_string(&line, "reason", hookline_code_name(report->code));
    json_string(&line, "message", hookline_code_text(report->code));
    json_string(&line, "scheme", report->scheme);
    json_string(&line, "source", report->source);
    json_number(&line, "now", report->now);
    verify_report_json_facts(&line, report);
    json_number(&line, "body_bytes", (int64_t)report->body_len);
    json_string(&line, "hint", report->hint);
    json_string(&line, "hint_message", report->hint_text);
    json_string(&line, "hint_source", report->hint_source);
    if (report->right != NULL)
        verify_report_json_headers(&line, report->right);
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
           "compare the signed time with this one, in seconds since\n1970; default: now, or when a "
           "stored delivery arrived"),
    NUMBER(0, "tolerance", struct cmd_verify_options, secrets.tolerance, "SECONDS", 0,
           HOOKLINE_TOLERANCE_MAX,
           "accept a signed time up to SECONDS off; default: the\nscheme's"),
    FLAG(0, "i-am-testing", struct cmd_verify_options, testing,
         "print the correct signature, too; keep it private"),
    FLAG(0, "json", struct cmd_verify_options, json, "print the result as one line of JSON"),
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
    struct sources *sources; /* of the configuration; NULL until needed */
    struct verify_report verdict;
};

/* ---- correct signature */

/* Finds the header named by a word of the clause, which may be two alternatives, "A|B". */
static bool cmd_verify_find_header(const struct cmd_verify_job *job, const struct clause *clause,
                                   size_t word, hookline_bytes *value)
{
    struct clause other = *clause;
    char name[NAME_SIZE];
    hookline_bytes *names = &other.words[word];

    while (word < clause->count && names->len > 0) {
        size_t len;

        clause_copy_word(&other, word, name, sizeof(name));
        if (hookline_find_in_list(&job->headers, name, value) > 0)
            return true;
        len = strlen(name) + 1;
        if (len == 1 || len > names->len)
            return false;
        names->base += len;
        names->len -= len;
    }
    return false;
}

/* Finds the timestamp's item in a list such as "t=1492774577,v1=xxx". */
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

/* Returns the unverified time that the request claims, so that the correct signature can be
 * compared with the received one; 0 without a time. */
static int64_t cmd_verify_claimed_time(const struct cmd_verify_job *job)
{
    struct clause timestamp, signature;
    hookline_bytes value = {NULL, 0};
    char text[TIME_SIZE];
    int64_t us;

    if (!clause_find(job->secrets->description, "timestamp", NULL, &timestamp) ||
        !clause_find(job->secrets->description, "signature", NULL, &signature))
        return 0;
    if (clause_word_is(&timestamp, 1, "header"))
        cmd_verify_find_header(job, &timestamp, 2, &value);
    else if (clause_word_is(&timestamp, 1, "pair") &&
             cmd_verify_find_header(job, &signature, 1, &value) &&
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

/* Signing may fail, because the request lacks a signed part; the report is printed all the same. */
static void cmd_verify_sign_right(struct cmd_verify_job *job)
{
    struct clause id;
    struct signing_input input = {
        .verifier = job->secrets->verifier,
        .description = job->secrets->description,
        .request = job->request,
        .now = cmd_verify_claimed_time(job),
    };
    char why[SECRETS_SIGN_WHY_SIZE];

    if (input.now <= 0)
        input.now = job->verdict.now;
    if (clause_find(job->secrets->description, "id", "header", &id))
        cmd_verify_find_header(job, &id, 2, &input.id);
    if (secrets_sign(&input, &job->right, why))
        job->verdict.right = &job->right;
    else
        message_print("--i-am-testing: cannot sign: %s", why);
}

/* ---- likely mistake */

static void cmd_verify_ignore_warning(const char *text)
{
    (void)text;
}

/* Opens the other sources of the configuration. If that fails, for example because their secrets
 * are not readable, the diagnosis misses only a delivery to the wrong source. */
static size_t cmd_verify_open_others(struct cmd_verify_job *job, struct diagnose_other **others)
{
    char why[CONFIG_WHY_SIZE];
    size_t count = 0;

    if (job->secrets->config == NULL)
        return 0;
    job->sources = sources_open(job->secrets->config, cmd_verify_ignore_warning, why);
    if (job->sources == NULL ||
        (*others = calloc(sources_count(job->sources) + 1, sizeof(**others))) == NULL)
        return 0;
    for (size_t i = 0; i < sources_count(job->sources); i++) {
        const struct source *source = sources_at(job->sources, i);

        if (strcmp(source->name, job->secrets->source) != 0)
            (*others)[count++] =
                (struct diagnose_other){source->name, source->url, source->verifier};
    }
    return count;
}

static void cmd_verify_find_mistake(struct cmd_verify_job *job)
{
    struct diagnose_other *others = NULL;
    struct diagnose_question question = {
        .verifier = job->secrets->verifier,
        .request = &job->request,
        .now = job->verdict.now,
        .result = job->verdict.result,
        .description = job->secrets->description,
        .secrets = (const char *const *)job->secrets->secrets,
        .secrets_count = job->secrets->secrets_count,
    };
    struct diagnose_result hint;

    if (job->kept->query != NULL)
        question.query = (hookline_bytes){job->kept->query, strlen(job->kept->query)};
    question.others_count = cmd_verify_open_others(job, &others);
    question.others = others;
    hint = diagnose_find(&question);
    job->verdict.hint = diagnose_cause_name(hint.kind);
    job->verdict.hint_text = diagnose_cause_text(hint.kind);
    job->verdict.hint_source = hint.other;
    free(others);
}

/* ---- verdict */

static bool cmd_verify_open_all(struct cmd_verify_job *job)
{
    struct secrets_options secrets = job->options->secrets;
    struct request_options request = job->options->request;
    char why[REQUEST_WHY_SIZE];

    request.config = secrets.config;
    if ((job->kept = request_open(&request, why)) != NULL) {
        /* A stored delivery names its source. */
        if (secrets.config != NULL && secrets.source == NULL)
            secrets.source = job->kept->source;
        job->secrets = secrets_open(&secrets, why);
    }
    if (job->secrets == NULL) {
        message_print("%s", why);
        return false;
    }
    if (job->kept->ignored > 0)
        message_print("%s: ignored %zu bytes after the body",
                      file_contents_name(job->options->request.whole), job->kept->ignored);
    return true;
}

static bool cmd_verify_has_url(const struct cmd_verify_job *job)
{
    if (job->request.url.len > 0 || !description_signs(job->secrets->description, "{url}"))
        return true;
    message_print(
        "--url is missing; expected the URL registered with the sender, which this scheme signs");
    return false;
}

static void cmd_verify_view_request(struct cmd_verify_job *job)
{
    const char *url = job->secrets->url, *method = job->secrets->method;

    if (method == NULL)
        method = job->kept->method == NULL ? "POST" : job->kept->method;
    job->headers = header_lines_list(&job->kept->headers);
    job->request = (hookline_request){
        .find_header = hookline_find_in_list,
        .headers = &job->headers,
        .body = job->kept->body,
        .method = {method, strlen(method)},
        .url = {url, url == NULL ? 0 : strlen(url)},
    };
}

static void cmd_verify_check(struct cmd_verify_job *job)
{
    int64_t now = job->options->now;
    int code;

    if (now == 0)
        now = job->kept->received_at > 0 ? job->kept->received_at : clock_wall_us() / 1000000;
    job->verdict = (struct verify_report){
        .scheme = job->secrets->name,
        .source = job->secrets->source,
        .secrets_count = job->secrets->secrets_count,
        .body_len = job->request.body.len,
        .result = hookline_verify(job->secrets->verifier, &job->request, now),
        .now = now,
    };
    job->verdict.code = job->verdict.result.reason;
    if (!hookline_accepted(job->verdict.result)) {
        cmd_verify_find_mistake(job);
        return;
    }
    code = hookline_event_read(&job->event, job->secrets->verifier, &job->verdict.result);
    if (code < 0)
        job->verdict.code = code;
    job->verdict.event = job->event;
}

static enum outcome cmd_verify_report(struct cmd_verify_job *job)
{
    if (job->verdict.code <= HOOKLINE_BAD_CALL) {
        message_print("%s", hookline_code_text(job->verdict.code));
        return OUTCOME_USAGE;
    }
    if (job->options->testing)
        cmd_verify_sign_right(job);
    if (!job->options->json) {
        verify_report_print(&job->verdict);
    } else if (!verify_report_print_json(&job->verdict)) {
        message_print("out of memory");
        return OUTCOME_TRANSPORT;
    }
    return verify_report_outcome(&job->verdict);
}

static enum outcome cmd_verify_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_verify_job job = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;

    (void)arguments, (void)count;
    if (cmd_verify_open_all(&job)) {
        cmd_verify_view_request(&job);
        if (cmd_verify_has_url(&job)) {
            cmd_verify_check(&job);
            outcome = cmd_verify_report(&job);
        }
    }
    hookline_event_free(&job.event);
    if (job.sources != NULL)
        sources_free(&job.sources);
    secrets_close(&job.secrets);
    request_close(&job.kept);
    return outcome;
}

const struct command command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "Verify a received request, and explain a failure",
    .details = "Exit status: 0 verified; 1 refused; 3 authentic, but too old or too new.\n",
    .options = rows,
    .options_size = sizeof(struct cmd_verify_options),
    .defaults = &defaults,
    .run = cmd_verify_run,
};
