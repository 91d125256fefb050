/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "cli/command.h"
#include "cli/draft.h"
#include "cli/faults.h"
#include "cli/record.h"
#include "cli/secrets.h"
#include "cli/shipment.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/message.h"
#include "daemon/base/text.h"
#include "daemon/http/client.h"
#include "daemon/http/tls.h"

enum {
    POLL_MS = 1000
};

struct cmd_send_options {
    struct secrets_options secrets;
    struct draft_options draft;
    const char *fault, *ca_file;
    int64_t timeout;
    bool fault_help, json;
};

static const struct cmd_send_options defaults = {.secrets = {.tolerance = -1}, .timeout = 30};

static const struct option_row rows[] = {
    SECRETS_OPTIONS(struct cmd_send_options, secrets),
    DRAFT_OPTIONS(struct cmd_send_options, draft),
    TEXT('f', "fault", struct cmd_send_options, fault, "WORDS",
         "corrupt the delivery, e.g. future=412,duplicate; see\n--fault-help"),
    FLAG(0, "fault-help", struct cmd_send_options, fault_help, "list the faults and exit"),
    NUMBER('t', "timeout", struct cmd_send_options, timeout, "SECONDS", 1, 86400,
           "wait at most SECONDS for each answer; default: 30"),
    CHECKED(0, "ca-file", struct cmd_send_options, ca_file, "FILE", certificate_file_problem,
            "trust these CA certificates; default: the system's"),
    FLAG(0, "json", struct cmd_send_options, json, "print each answer as one line of JSON"),
    OPTIONS_END,
};

struct cmd_send_item;

struct cmd_send_job {
    const struct cmd_send_options *options;
    struct secrets *secrets;
    struct client_target target;
    struct faults faults;
    struct cmd_send_item *items;
    unsigned count, copies, copy; /* copy: the current one, from 1 */
    unsigned under_way;
    struct client_calls *calls;
    enum outcome outcome; /* highest so far */
};

struct cmd_send_item {
    struct shipment_sending sending; /* first, for shipment_tune() */
    struct cmd_send_job *job;
    unsigned number;
    struct shipment *shipment;
    int64_t started_us;
};

/* ---- results */

/* Returns true if hooklined's answer gives a stale time as the reason. */
static bool cmd_send_is_stale(const struct client_result *result)
{
    cJSON *answer = cJSON_ParseWithLength(result->answer, result->len);
    cJSON *error = json_get(answer, "error");
    bool stale = json_get_is(error, "code", hookline_code_name(HOOKLINE_TOO_OLD)) ||
                 json_get_is(error, "code", hookline_code_name(HOOKLINE_TOO_NEW));

    cJSON_Delete(answer);
    return stale;
}

static enum outcome cmd_send_outcome(const struct client_result *result)
{
    if (result->outcome == CLIENT_TIMEOUT)
        return OUTCOME_TIMEOUT;
    if (result->outcome == CLIENT_FAILED)
        return OUTCOME_TRANSPORT;
    if (result->status >= 200 && result->status < 300)
        return OUTCOME_GOOD;
    return result->answer != NULL && cmd_send_is_stale(result) ? OUTCOME_STALE : OUTCOME_REFUSED;
}

static const char *cmd_send_error(const struct cmd_send_item *item,
                                  const struct client_result *result)
{
    if (result->outcome == CLIENT_TIMEOUT)
        return "no answer in time";
    return result->outcome == CLIENT_FAILED ? shipment_error(&item->sending, result->error)
                                            : result->error;
}

static void cmd_send_print_json(const struct cmd_send_item *item,
                                const struct client_result *result, int64_t took_us)
{
    static const char *const outcomes[] = {
        [CLIENT_ANSWERED] = "answered", [CLIENT_FAILED] = "failed", [CLIENT_TIMEOUT] = "timeout"};
    struct json_writer line = {0};

    json_begin(&line);
    json_string(&line, "outcome", outcomes[result->outcome]);
    json_number(&line, "status", result->status);
    json_string(&line, "error", cmd_send_error(item, result));
    json_number(&line, "delivery", item->number + 1);
    json_number(&line, "copy", item->job->copy);
    json_number(&line, "took_ms", took_us / 1000);
    json_text(&line, "answer", result->answer, result->len);
    if (json_end(&line))
        text_write_json(stdout, line.text.base, line.text.len);
    else
        message_print("out of memory");
    json_free(&line);
}

static void cmd_send_print(const struct cmd_send_item *item, const struct client_result *result,
                           int64_t took_us)
{
    const struct cmd_send_job *job = item->job;

    if (job->count > 1)
        printf("delivery %u: ", item->number + 1);
    if (job->copies > 1)
        printf("copy %u: ", job->copy);
    if (result->outcome != CLIENT_ANSWERED) {
        printf("no answer\n");
        message_print("%s: %s", job->target.url, cmd_send_error(item, result));
        return;
    }
    printf("%s%d%s after %" PRId64 " ms\n",
           terminal_tone(stdout,
                         cmd_send_outcome(result) == OUTCOME_GOOD ? TERMINAL_GOOD : TERMINAL_BAD),
           result->status, terminal_tone(stdout, TERMINAL_PLAIN), took_us / 1000);
    if (result->len == 0)
        return;
    text_write_lines(stdout, result->answer, result->len);
    if (result->answer[result->len - 1] != '\n')
        putchar('\n');
}

static void cmd_send_on_done(void *data, const struct client_result *result)
{
    struct cmd_send_item *item = data;
    struct cmd_send_job *job = item->job;
    enum outcome outcome = cmd_send_outcome(result);
    int64_t took_us = clock_mono_us() - item->started_us;

    job->under_way--;
    if (outcome > job->outcome)
        job->outcome = outcome;
    if (job->options->json)
        cmd_send_print_json(item, result, took_us);
    else
        cmd_send_print(item, result, took_us);
    fflush(stdout);
}

/* ---- sending */

static bool cmd_send_start(struct cmd_send_item *item)
{
    struct cmd_send_job *job = item->job;
    struct client_request request;

    shipment_request(item->shipment, &job->target, &request);
    request.keep_answer = true;
    item->sending = (struct shipment_sending){item->shipment, 0};
    item->started_us = clock_mono_us();
    if (client_call_start(job->calls, &request, cmd_send_on_done, item) == NULL) {
        message_print("out of memory");
        job->outcome = OUTCOME_TRANSPORT;
        return false;
    }
    job->under_way++;
    return true;
}

static void cmd_send_wait_for_all(struct cmd_send_job *job)
{
    while (job->under_way > 0)
        client_calls_poll(job->calls, POLL_MS);
}

/* Sends all at once; with `reorder` one after the other, last one first. */
static void cmd_send_all(struct cmd_send_job *job)
{
    for (job->copy = 1; job->copy <= job->copies; job->copy++) {
        for (unsigned i = 0; i < job->count; i++) {
            if (!cmd_send_start(&job->items[job->faults.reorder ? job->count - 1 - i : i]))
                break;
            if (job->faults.reorder)
                cmd_send_wait_for_all(job);
        }
        cmd_send_wait_for_all(job);
    }
}

/* ---- building */

static bool cmd_send_build(struct cmd_send_job *job, struct cmd_send_item *item)
{
    const struct secrets *secrets = job->secrets;
    char why[DRAFT_WHY_SIZE];
    struct draft draft;

    if (!draft_open(&draft, &job->options->draft, secrets, item->number, why)) {
        message_print("%s", why);
        return false;
    }
    item->shipment = shipment_build(
        &(struct shipment_spec){
            .description = secrets->description,
            .secrets = (const char *const *)secrets->secrets,
            .secrets_count = secrets->secrets_count,
            .body = draft.body,
            .id = draft.id,
            .method = secrets->method,
            .url = secrets->url == NULL ? job->target.url : secrets->url,
            .extra = draft.extra,
            .now = draft.now,
        },
        &job->faults, why);
    if (item->shipment == NULL)
        message_print("cannot sign: %s", why);
    draft_close(&draft);
    return item->shipment != NULL;
}

static bool cmd_send_build_all(struct cmd_send_job *job)
{
    job->copies = job->faults.copies == 0 ? 1 : job->faults.copies;
    job->count = job->faults.burst == 0 ? 1 : job->faults.burst;
    job->calls = client_calls_new();
    job->items = calloc(job->count, sizeof(job->items[0]));
    if (job->calls == NULL || job->items == NULL) {
        message_print("out of memory");
        return false;
    }
    for (unsigned i = 0; i < job->count; i++) {
        job->items[i].job = job;
        job->items[i].number = i;
        if (!cmd_send_build(job, &job->items[i]))
            return false;
    }
    return true;
}

/* ---- options */

/* Rejects methods without a body, because libcurl handles them differently. */
static bool cmd_send_is_method(const char *method)
{
    size_t len = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return len > 0 && method[len] == '\0' && strcmp(method, "GET") != 0 &&
           strcmp(method, "HEAD") != 0 && strcmp(method, "CONNECT") != 0;
}

static bool cmd_send_check(struct cmd_send_job *job, const char *url)
{
    const struct cmd_send_options *o = job->options;
    const char *problem = client_url_problem(url);
    char why[FAULTS_WHY_SIZE];

    job->target = (struct client_target){
        .url = url, .ca_file = o->ca_file, .timeout_s = (unsigned)o->timeout};
    if (problem != NULL)
        message_print("URL: %s", problem);
    else if (o->secrets.method != NULL && !cmd_send_is_method(o->secrets.method))
        message_print("--method: expected a method with a body, such as POST or PUT");
    else if (o->fault != NULL && !faults_read(&job->faults, o->fault, why))
        message_print("--fault: %s", why);
    else if (job->faults.burst > 0 && !o->draft.test)
        message_print("--fault: burst needs --test, because each delivery needs its own body");
    else
        return true;
    return false;
}

static void cmd_send_finish(struct cmd_send_job *job)
{
    for (unsigned i = 0; job->items != NULL && i < job->count; i++)
        shipment_free(&job->items[i].shipment);
    free(job->items);
    client_calls_free(&job->calls);
    secrets_close(&job->secrets);
}

static enum outcome cmd_send_run(const void *options, const char *const *arguments, size_t count)
{
    struct cmd_send_job job = {.options = options, .outcome = OUTCOME_GOOD};
    char why[SECRETS_WHY_SIZE];

    if (job.options->fault_help) {
        fputs(faults_help(), stdout);
        return OUTCOME_GOOD;
    }
    if (count == 0) {
        message_print("send: expected URL");
        return OUTCOME_USAGE;
    }
    if (!cmd_send_check(&job, arguments[0]))
        return OUTCOME_USAGE;
    if ((job.secrets = secrets_open(&job.options->secrets, why)) == NULL) {
        message_print("%s", why);
        return OUTCOME_USAGE;
    }
    sleep(job.faults.delay_s);
    if (cmd_send_build_all(&job))
        cmd_send_all(&job);
    else
        job.outcome = OUTCOME_USAGE;
    cmd_send_finish(&job);
    return job.outcome;
}

const struct command command_send = {
    .name = "send",
    .arguments = "URL",
    .arguments_max = 1,
    .summary = "Sign a body and send it, correctly or with faults",
    .details = "Exit status: 0 answered 2xx; 1 answered otherwise; 3 refused by hooklined as too\n"
               "old or too new; 4 no answer in time; 5 connection failed. If several requests\n"
               "are sent, the highest.\n",
    .options = rows,
    .options_size = sizeof(struct cmd_send_options),
    .defaults = &defaults,
    .run = cmd_send_run,
};
