/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "daemon/http/call.h"
#include "daemon/base/clock.h"
#include "daemon/base/json_line.h"
#include "daemon/base/notice.h"
#include "cli/command.h"
#include "cli/draft.h"
#include "cli/fault.h"
#include "daemon/base/printable.h"
#include "cli/shipment.h"
#include "cli/terminal.h"
#include "cli/trust.h"

enum {
    POLL_MS = 1000
};

struct options {
    struct trust_options trust;
    struct draft_options draft;
    const char *fault, *ca_file;
    int64_t timeout;
    bool fault_help, json;
};

static const struct options defaults = {.trust = {.tolerance = -1}, .timeout = 30};

static const struct option_row rows[] = {
    TRUST_OPTIONS(struct options, trust),
    DRAFT_OPTIONS(struct options, draft),
    {"fault", 'f', OPTION_TEXT, offsetof(struct options, fault), "WORDS",
     "what to do wrong, such as future=412,duplicate", 0, 0},
    {"fault-help", 0, OPTION_FLAG, offsetof(struct options, fault_help), NULL,
     "list the faults that there are, and exit", 0, 0},
    {"timeout", 't', OPTION_NUMBER, offsetof(struct options, timeout), "SECONDS",
     "until the answer is there; default: 30", 1, 86400},
    {"ca-file", 0, OPTION_AUTHORITIES, offsetof(struct options, ca_file), "FILE",
     "whom to trust for https; default: as the system does", 0, 0},
    {"json", 0, OPTION_FLAG, offsetof(struct options, json), NULL,
     "print a JSON object for each answer", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

struct item;

/* All that is to be sent. */
struct mission {
    const struct options *options;
    struct trust *trust;
    struct call_target target;
    struct faults faults;
    struct item *items;
    unsigned count, copies, copy; /* copy: the one that is under way, from 1 on */
    unsigned under_way;
    struct call_set *calls;
    enum outcome outcome; /* the worst so far */
};

struct item {
    struct shipment_sending sending; /* first, for shipment_tune() */
    struct mission *mission;
    unsigned number;
    struct shipment *shipment;
    int64_t started_us;
};

/* ---- what came of it */

/* hooklined says why it refuses. */
static bool is_stale(const struct call_result *result)
{
    cJSON *answer = cJSON_ParseWithLength(result->answer, result->len);
    cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "code"));
    bool stale = code != NULL && (strcmp(code, hookline_code_name(HOOKLINE_TOO_OLD)) == 0 ||
                                  strcmp(code, hookline_code_name(HOOKLINE_TOO_NEW)) == 0);

    cJSON_Delete(answer);
    return stale;
}

static enum outcome outcome_of(const struct call_result *result)
{
    if (result->outcome == CALL_TIMEOUT)
        return OUTCOME_TIMEOUT;
    if (result->outcome == CALL_FAILED)
        return OUTCOME_TRANSPORT;
    if (result->status >= 200 && result->status < 300)
        return OUTCOME_GOOD;
    return result->answer != NULL && is_stale(result) ? OUTCOME_STALE : OUTCOME_REFUSED;
}

static const char *error_of(const struct item *item, const struct call_result *result)
{
    if (result->outcome == CALL_TIMEOUT)
        return "no answer in time";
    return result->outcome == CALL_FAILED ? shipment_error(&item->sending, result->error)
                                          : result->error;
}

static void print_json(const struct item *item, const struct call_result *result, int64_t took_us)
{
    static const char *const outcomes[] = {
        [CALL_ANSWERED] = "answered", [CALL_FAILED] = "failed", [CALL_TIMEOUT] = "timeout"};
    struct json_line line = {0};

    json_line_begin(&line);
    json_line_string(&line, "outcome", outcomes[result->outcome]);
    json_line_number(&line, "status", result->status);
    json_line_string(&line, "error", error_of(item, result));
    json_line_number(&line, "delivery", item->number + 1);
    json_line_number(&line, "copy", item->mission->copy);
    json_line_number(&line, "took_ms", took_us / 1000);
    json_line_text(&line, "answer", result->answer, result->len);
    if (json_line_end(&line))
        printable_write_json(stdout, line.base, line.len);
    else
        notice("out of memory");
    json_line_free(&line);
}

static void print(const struct item *item, const struct call_result *result, int64_t took_us)
{
    const struct mission *m = item->mission;

    if (m->count > 1)
        printf("delivery %u: ", item->number + 1);
    if (m->copies > 1)
        printf("copy %u: ", m->copy);
    if (result->outcome != CALL_ANSWERED) {
        printf("no answer\n");
        notice("%s: %s", m->target.url, error_of(item, result));
        return;
    }
    printf("%s%d%s after %" PRId64 " ms\n",
           terminal_tone(stdout, outcome_of(result) == OUTCOME_GOOD ? TERMINAL_GOOD : TERMINAL_BAD),
           result->status, terminal_tone(stdout, TERMINAL_PLAIN), took_us / 1000);
    if (result->len == 0)
        return;
    printable_write_lines(stdout, result->answer, result->len);
    if (result->answer[result->len - 1] != '\n')
        putchar('\n');
}

static void on_done(void *data, const struct call_result *result)
{
    struct item *item = data;
    struct mission *m = item->mission;
    enum outcome outcome = outcome_of(result);
    int64_t took_us = clock_mono_us() - item->started_us;

    m->under_way--;
    if (outcome > m->outcome)
        m->outcome = outcome;
    if (m->options->json)
        print_json(item, result, took_us);
    else
        print(item, result, took_us);
    fflush(stdout);
}

/* ---- sending */

static bool start(struct item *item)
{
    struct mission *m = item->mission;
    struct call_request request;

    shipment_request(item->shipment, &m->target, &request);
    request.keep_answer = true;
    item->sending = (struct shipment_sending){item->shipment, 0};
    item->started_us = clock_mono_us();
    if (call_start(m->calls, &request, on_done, item) == NULL) {
        notice("out of memory");
        m->outcome = OUTCOME_TRANSPORT;
        return false;
    }
    m->under_way++;
    return true;
}

static void wait_for_all(struct mission *m)
{
    while (m->under_way > 0)
        call_poll(m->calls, POLL_MS);
}

/* In another order one goes after the other, the last one first; else all go at once. */
static void send_all(struct mission *m)
{
    for (m->copy = 1; m->copy <= m->copies; m->copy++) {
        for (unsigned i = 0; i < m->count; i++) {
            if (!start(&m->items[m->faults.reorder ? m->count - 1 - i : i]))
                break;
            if (m->faults.reorder)
                wait_for_all(m);
        }
        wait_for_all(m);
    }
}

/* ---- packing */

static bool pack(struct mission *m, struct item *item)
{
    const struct trust *trust = m->trust;
    char why[DRAFT_WHY_SIZE];
    struct draft draft;

    if (!draft_open(&draft, &m->options->draft, trust, item->number, why)) {
        notice("%s", why);
        return false;
    }
    item->shipment = shipment_pack(
        &(struct parcel){
            .description = trust->description,
            .secrets = (const char *const *)trust->secrets,
            .secrets_count = trust->secrets_count,
            .body = draft.body,
            .id = draft.id,
            .method = trust->method,
            .url = trust->url == NULL ? m->target.url : trust->url,
            .extra = draft.extra,
            .now = draft.now,
        },
        &m->faults, why);
    if (item->shipment == NULL)
        notice("cannot sign: %s", why);
    draft_close(&draft);
    return item->shipment != NULL;
}

static bool pack_all(struct mission *m)
{
    m->copies = m->faults.copies == 0 ? 1 : m->faults.copies;
    m->count = m->faults.burst == 0 ? 1 : m->faults.burst;
    m->calls = call_set_new();
    m->items = calloc(m->count, sizeof(m->items[0]));
    if (m->calls == NULL || m->items == NULL) {
        notice("out of memory");
        return false;
    }
    for (unsigned i = 0; i < m->count; i++) {
        m->items[i].mission = m;
        m->items[i].number = i;
        if (!pack(m, &m->items[i]))
            return false;
    }
    return true;
}

/* ---- options */

/* libcurl has ways of its own with those that have no body. */
static bool is_method(const char *method)
{
    size_t len = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return len > 0 && method[len] == '\0' && strcmp(method, "GET") != 0 &&
           strcmp(method, "HEAD") != 0 && strcmp(method, "CONNECT") != 0;
}

static bool check(struct mission *m, const char *url)
{
    const struct options *o = m->options;
    const char *problem = call_url_problem(url);
    char why[FAULT_WHY_SIZE];

    m->target =
        (struct call_target){.url = url, .ca_file = o->ca_file, .timeout_s = (unsigned)o->timeout};
    if (problem != NULL)
        notice("URL: %s", problem);
    else if (o->trust.method != NULL && !is_method(o->trust.method))
        notice("--method: expected one that has a body, such as POST or PUT");
    else if (o->fault != NULL && !fault_read(&m->faults, o->fault, why))
        notice("--fault: %s", why);
    else if (m->faults.burst > 0 && !o->draft.test)
        notice("--fault: burst: expected --test with it: each delivery has a body of its own");
    else
        return true;
    return false;
}

static void finish(struct mission *m)
{
    for (unsigned i = 0; m->items != NULL && i < m->count; i++)
        shipment_free(&m->items[i].shipment);
    free(m->items);
    call_set_free(&m->calls);
    trust_close(&m->trust);
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    struct mission m = {.options = options, .outcome = OUTCOME_GOOD};
    char why[TRUST_WHY_SIZE];

    if (m.options->fault_help) {
        fputs(fault_help(), stdout);
        return OUTCOME_GOOD;
    }
    if (count == 0) {
        notice("send: expected URL");
        return OUTCOME_USAGE;
    }
    if (!check(&m, arguments[0]))
        return OUTCOME_USAGE;
    if ((m.trust = trust_open(&m.options->trust, why)) == NULL) {
        notice("%s", why);
        return OUTCOME_USAGE;
    }
    if (pack_all(&m))
        send_all(&m);
    else
        m.outcome = OUTCOME_USAGE;
    finish(&m);
    return m.outcome;
}

const struct command command_send = {
    .name = "send",
    .arguments = "URL",
    .arguments_max = 1,
    .summary = "Sign a body and send it, rightly or as a fault asks for",
    .details = "Exit status: 0 if the answer is 2xx, 1 if it is another, 3 if hooklined\n"
               "calls it too old or too new, 4 if none came in time, 5 if nobody is there; of\n"
               "several the highest.\n",
    .options = rows,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
