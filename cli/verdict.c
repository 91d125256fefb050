/* SPDX-License-Identifier: MIT */
#include "cli/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/iso_time.h"
#include "daemon/base/printable.h"
#include "cli/terminal.h"

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

void verify_report_print(const struct verify_report *v)
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

bool verify_report_print_json(const struct verify_report *v)
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
        text_write_json(stdout, line.base, line.len);
    json_free(&line);
    return good;
}
