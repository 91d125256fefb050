/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/record.h"
#include "cli/sink.h"
#include "cli/terminal.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/message.h"
#include "daemon/base/text.h"

enum {
    SHOW_TARGET_SIZE = 64,
    SHOWN_MAX = 64 << 10,  /* bytes of a text body printed with the facts */
    FETCHED_MAX = 1 << 20, /* longer bodies are not fetched for the facts */
    HEX_MAX = 256,
    HEX_LINE = 16,
};

struct cmd_show_options {
    struct sink_options sink;
    int64_t timeout;
    bool body, json;
};

static const struct cmd_show_options defaults = {.timeout = 30};

static const struct option_row rows[] = {
    FLAG(0, "body", struct cmd_show_options, body, "print only the bytes of the body"),
    FLAG(0, "json", struct cmd_show_options, json, "print the result as one line of JSON"),
    SINK_OPTIONS(struct cmd_show_options, sink),
    NUMBER(0, "timeout", struct cmd_show_options, timeout, "SECONDS", 1, 86400,
           "give up after SECONDS; default: 30"),
    OPTIONS_END,
};

struct cmd_show_job {
    struct sink *sink;
    const struct cmd_show_options *options;
    int64_t seq, deadline_us;
    char why[SINK_WHY_SIZE];
};

static enum outcome cmd_show_fetch(struct cmd_show_job *job, const char *what, char **bytes,
                                   size_t *len)
{
    char target[SHOW_TARGET_SIZE];

    snprintf(target, sizeof(target), "/deliveries/%" PRId64 "%s", job->seq, what);
    return sink_fetch(job->sink, target, job->deadline_us, bytes, len, job->why);
}

/* ---- body */

static void cmd_show_write_hex(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool ends = i % HEX_LINE == HEX_LINE - 1 || i + 1 == len;

        printf("%s%02x%s", i % HEX_LINE == 0 ? "  " : " ", (unsigned char)bytes[i],
               ends ? "\n" : "");
    }
}

/* Cuts at SHOWN_MAX, before an incomplete UTF-8 character. */
static size_t cmd_show_shown_bytes(const char *bytes, size_t len)
{
    if (len <= SHOWN_MAX)
        return len;
    len = SHOWN_MAX;
    while (len > 0 && (bytes[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void cmd_show_write_body_for_people(const struct cmd_show_job *job, const char *bytes,
                                           size_t len)
{
    bool is_text = text_is_utf8(bytes, len);
    size_t shown = is_text ? cmd_show_shown_bytes(bytes, len) : len > HEX_MAX ? HEX_MAX : len;

    printf("\nBody, %zu bytes%s\n", len, is_text ? "" : ", not text");
    if (is_text)
        text_write_lines(stdout, bytes, shown);
    else
        cmd_show_write_hex(bytes, shown);
    if (is_text && shown > 0 && bytes[shown - 1] != '\n')
        putchar('\n');
    if (shown < len || !is_text)
        printf("(%zu of %zu bytes; all of it: hookline show %" PRId64 " --body >FILE)\n", shown,
               len, job->seq);
}

static void cmd_show_write_body_hint(const struct cmd_show_job *job, int64_t len)
{
    printf("\nBody, %" PRId64 " bytes; to save it: hookline show %" PRId64 " --body >FILE\n", len,
           job->seq);
}

static void cmd_show_write_body(const char *bytes, size_t len)
{
    if (isatty(fileno(stdout)) != 1) {
        fwrite(bytes, 1, len, stdout);
        return;
    }
    text_write_lines(stdout, bytes, len);
    if (len > 0 && bytes[len - 1] != '\n')
        putchar('\n');
}

/* ---- facts */

static void cmd_show_write_fact(const char *name, const char *text)
{
    printf("  %-10s ", name);
    text_write_printable(stdout, text == NULL ? "-" : text, text == NULL ? 1 : strlen(text));
    putchar('\n');
}

/* Writes a fact that few deliveries have. */
static void cmd_show_write_rare(const char *name, const char *text)
{
    if (text != NULL)
        cmd_show_write_fact(name, text);
}

static void cmd_show_write_signed(const cJSON *d)
{
    int64_t at = json_get_int64(d, "signed_at", -1), secret = json_get_int64(d, "secret", -1);
    bool fresh = json_get_bool(d, "fresh");

    printf("  %-10s ", "signed");
    if (at >= 0)
        printf("at %" PRId64 ", ", at);
    else
        printf("without a time, ");
    if (secret >= 0)
        printf("by secret %" PRId64, secret);
    else
        printf("by a secret that is no longer configured");
    printf("%s\n", fresh ? "" : "; its age is unknown, so it may be a replay");
}

static void cmd_show_write_facts(const struct cmd_show_job *job, const cJSON *d)
{
    bool test = json_get_bool(d, "test");

    printf("Delivery %" PRId64 "%s\n", job->seq, test ? ", a test" : "");
    cmd_show_write_fact("received", json_get_text(d, "time"));
    cmd_show_write_fact("from", json_get_text(d, "remote"));
    cmd_show_write_fact("source", json_get_text(d, "source"));
    cmd_show_write_fact("scheme", json_get_text(d, "scheme"));
    cmd_show_write_rare("query", json_get_text(d, "query"));
    cmd_show_write_fact("id", json_get_text(d, "id"));
    cmd_show_write_rare("delivery", json_get_text(d, "delivery_id"));
    cmd_show_write_fact("type", json_get_text(d, "type"));
    cmd_show_write_rare("unreadable", json_get_text(d, "unreadable"));
    cmd_show_write_signed(d);
}

static void cmd_show_write_headers(const cJSON *d)
{
    const cJSON *all = json_get(d, "headers"), *one;

    if (cJSON_GetArraySize(all) > 0)
        printf("\nHeaders\n");
    cJSON_ArrayForEach(one, all)
    {
        const char *name = json_get_text(one, "name"), *value = json_get_text(one, "value");

        if (name == NULL || value == NULL)
            continue;
        printf("  ");
        text_write_printable(stdout, name, strlen(name));
        printf(": ");
        text_write_printable(stdout, value, strlen(value));
        putchar('\n');
    }
}

static enum terminal_tone cmd_show_state_tone(const char *state)
{
    return state == NULL                  ? TERMINAL_PLAIN
           : strcmp(state, "done") == 0   ? TERMINAL_GOOD
           : strcmp(state, "parked") == 0 ? TERMINAL_BAD
                                          : TERMINAL_PLAIN;
}

static void cmd_show_write_destinations(const cJSON *d)
{
    const cJSON *all = json_get(d, "destinations"), *one;
    struct table table = {.first = NULL};

    cJSON_ArrayForEach(one, all)
    {
        int64_t tries = json_get_int64(one, "tries", -1);
        char text[64] = "";
        const char *due = json_get_text(one, "due"), *state = json_get_text(one, "state");
        const char *reason = json_get_text(one, "reason");
        const char *cells[] = {"", json_get_text(one, "name"), state, text};

        if (reason != NULL)
            snprintf(text, sizeof(text), "%.60s", reason);
        if (tries >= 0)
            snprintf(text, sizeof(text), "%" PRId64 " %s%s%.30s", tries,
                     tries == 1 ? "try" : "tries", due == NULL ? "" : ", due ",
                     due == NULL ? "" : due);
        table_add(&table, cells, text[0] == '\0' ? 3 : 4, cmd_show_state_tone(state));
    }
    if (table.first != NULL)
        printf("\nDestinations\n");
    table_write(&table, stdout);
}

static void cmd_show_write_attempts(const cJSON *d)
{
    const cJSON *all = json_get(d, "attempts"), *one;
    struct table table = {.first = NULL};

    cJSON_ArrayForEach(one, all)
    {
        char tries[32], took[32], status[32];
        int64_t us = json_get_int64(one, "duration_us", 0), code = json_get_int64(one, "status", 0);
        const char *cells[] = {
            "",   json_get_text(one, "time"), json_get_text(one, "destination"), tries, status,
            took, json_get_text(one, "error")};

        snprintf(tries, sizeof(tries), "try %" PRId64, json_get_int64(one, "tries", 0));
        snprintf(took, sizeof(took), "%.1f ms", (double)us / 1000);
        snprintf(status, sizeof(status), "%" PRId64, code);
        if (code == 0)
            cells[4] = NULL;
        table_add(&table, cells, cells[6] == NULL ? 6 : 7,
                  code >= 200 && code < 300 ? TERMINAL_GOOD : TERMINAL_BAD);
    }
    if (table.first != NULL)
        printf("\nAttempts, newest first\n");
    table_write(&table, stdout);
}

/* ---- command */

static enum outcome cmd_show_all(struct cmd_show_job *job, const char *json, size_t len)
{
    cJSON *delivery = cJSON_ParseWithLength(json, len);
    int64_t bytes = json_get_int64(delivery, "bytes", 0);
    enum outcome outcome = OUTCOME_GOOD;
    char *body = NULL;
    size_t body_len;

    if (record_seq(delivery) == 0) {
        snprintf(job->why, sizeof(job->why),
                 "%s: unexpected answer: is this a hooklined admin address?", sink_name(job->sink));
        outcome = OUTCOME_TRANSPORT;
    } else if (bytes <= FETCHED_MAX) {
        outcome = cmd_show_fetch(job, "/body", &body, &body_len);
    }
    if (outcome == OUTCOME_GOOD) {
        cmd_show_write_facts(job, delivery);
        cmd_show_write_headers(delivery);
        cmd_show_write_destinations(delivery);
        cmd_show_write_attempts(delivery);
        if (body != NULL)
            cmd_show_write_body_for_people(job, body, body_len);
        else
            cmd_show_write_body_hint(job, bytes);
    }
    free(body);
    cJSON_Delete(delivery);
    return outcome;
}

static enum outcome cmd_show_execute(struct cmd_show_job *job)
{
    char *bytes;
    size_t len;
    enum outcome outcome = cmd_show_fetch(job, job->options->body ? "/body" : "", &bytes, &len);

    if (outcome == OUTCOME_GOOD) {
        if (job->options->body)
            cmd_show_write_body(bytes, len);
        else if (job->options->json)
            text_write_json(stdout, bytes, len);
        else
            outcome = cmd_show_all(job, bytes, len);
    }
    free(bytes);
    if (outcome != OUTCOME_GOOD)
        message_print("%s", job->why);
    return outcome;
}

static enum outcome cmd_show_run(const void *options, const char *const *arguments, size_t count)
{
    const struct cmd_show_options *o = options;
    struct cmd_show_job job = {.options = o};
    enum outcome outcome;

    (void)count;
    if (!record_read_seq(arguments[0], &job.seq)) {
        message_print("expected a delivery number, as `hookline deliveries` prints it");
        return OUTCOME_USAGE;
    }
    if (o->body && o->json) {
        message_print("--body and --json cannot be combined");
        return OUTCOME_USAGE;
    }
    if ((job.sink = sink_open(NULL, &o->sink, job.why)) == NULL) {
        message_print("%s", job.why);
        return OUTCOME_USAGE;
    }
    job.deadline_us = clock_mono_us() + o->timeout * 1000000;
    outcome = cmd_show_execute(&job);
    sink_close(&job.sink);
    return outcome;
}

const struct command command_show = {
    .name = "show",
    .arguments = "SEQ",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "Show one stored delivery in full",
    .options = rows,
    .options_size = sizeof(struct cmd_show_options),
    .defaults = &defaults,
    .run = cmd_show_run,
};
