/* SPDX-License-Identifier: MIT */
#include "cli/verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/json_line.h"
#include "daemon/base/iso_time.h"
#include "daemon/base/printable.h"
#include "cli/terminal.h"

enum outcome verdict_outcome(const struct verdict *v)
{
    if (v->code > 0)
        return OUTCOME_GOOD;
    if (v->code == HOOKLINE_TOO_OLD || v->code == HOOKLINE_TOO_NEW)
        return OUTCOME_STALE;
    return v->code <= HOOKLINE_BAD_CALL ? OUTCOME_USAGE : OUTCOME_REFUSED;
}

static const char *word_of(const struct verdict *v)
{
    switch (verdict_outcome(v)) {
    case OUTCOME_GOOD:
        return "verified";
    case OUTCOME_STALE:
        return "stale";
    default:
        return "refused";
    }
}

/* ---- for people */

static void print_name(const char *name)
{
    printf("  %-10s ", name);
}

static void print_text(const char *name, const char *text)
{
    if (text == NULL)
        return;
    print_name(name);
    printable_write(stdout, text, strlen(text));
    putchar('\n');
}

static void print_time(const struct verdict *v)
{
    int64_t at = v->result.signed_at, age = v->now - at;
    char text[ISO_TIME_SIZE];

    if (v->result.secret < 0)
        return;
    print_name("signed at");
    if (at < 0) {
        printf("not said: nobody knows how old it is\n");
        return;
    }
    /* The library reads times that no calendar has. */
    iso_time_write(text, at < INT64_MAX / 1000000 ? at * 1000000 : INT64_MAX);
    printf("%s (%" PRId64 "), %" PRId64 " s %s\n", text, at, age < 0 ? -age : age,
           age < 0 ? "in the future" : "ago");
}

static void print_event(const hookline_event *event)
{
    if (event == NULL || event->type == NULL)
        return;
    print_name("type");
    printable_write(stdout, event->type, strlen(event->type));
    printf("%s\n", event->test ? ", a test" : "");
}

static void print_headers(const hookline_signature *right)
{
    if (right == NULL)
        return;
    printf("\nThe right headers for this body:\n");
    for (size_t i = 0; i < right->headers.count; i++)
        printf("%s: %.*s\n", right->entries[i].name, (int)right->entries[i].value.len,
               right->entries[i].value.base);
}

void verdict_print(const struct verdict *v)
{
    const char *tone = terminal_tone(stdout, v->code > 0 ? TERMINAL_GOOD : TERMINAL_BAD);

    printf("%s%s%s", tone, word_of(v), terminal_tone(stdout, TERMINAL_PLAIN));
    if (v->code > 0)
        printf(": by the secret of %s%s%s\n", v->source == NULL ? "scheme " : "source ",
               v->source == NULL ? v->scheme : v->source,
               v->result.fresh ? "" : ", but its age is not known");
    else
        printf(": %s\n  %s\n", hookline_code_name(v->code), hookline_code_text(v->code));
    if (v->result.secret >= 0 && v->secrets_count > 1) {
        print_name("secret");
        printf("%d of %zu\n", v->result.secret + 1, v->secrets_count);
    }
    if (v->result.id.len > 0) {
        print_name("id");
        printable_write(stdout, v->result.id.base, v->result.id.len);
        putchar('\n');
    }
    print_event(v->event);
    print_time(v);
    print_text("mistake", v->hint);
    print_text("", v->hint_text);
    print_text("source", v->hint_source);
    print_headers(v->right);
}

/* ---- as JSON */

static void write_facts(struct json_line *line, const struct verdict *v)
{
    const hookline_result *r = &v->result;

    json_line_text(line, "id", r->id.len == 0 ? NULL : r->id.base, r->id.len);
    if (r->signed_at >= 0) {
        json_line_number(line, "signed_at", r->signed_at);
        json_line_number(line, "age_s", v->now - r->signed_at);
    } else {
        json_line_string(line, "signed_at", NULL);
        json_line_string(line, "age_s", NULL);
    }
    json_line_bool(line, "fresh", r->fresh == 1);
    if (r->secret >= 0)
        json_line_number(line, "secret", r->secret);
    else
        json_line_string(line, "secret", NULL);
    json_line_string(line, "type", v->event == NULL ? NULL : v->event->type);
    json_line_bool(line, "test", v->event != NULL && v->event->test != 0);
}

static void write_headers(struct json_line *line, const hookline_signature *right)
{
    json_line_open_list(line, "right_headers");
    for (size_t i = 0; i < right->headers.count; i++) {
        json_line_open_item(line);
        json_line_string(line, "name", right->entries[i].name);
        json_line_text(line, "value", right->entries[i].value.base, right->entries[i].value.len);
        json_line_close(line);
    }
    json_line_close_list(line);
}

bool verdict_print_json(const struct verdict *v)
{
    struct json_line line = {0};
    bool good;

    json_line_begin(&line);
    json_line_string(&line, "verdict", word_of(v));
    json_line_string(&line, "reason", hookline_code_name(v->code));
    json_line_string(&line, "message", hookline_code_text(v->code));
    json_line_string(&line, "scheme", v->scheme);
    json_line_string(&line, "source", v->source);
    json_line_number(&line, "now", v->now);
    write_facts(&line, v);
    json_line_string(&line, "hint", v->hint);
    json_line_string(&line, "hint_message", v->hint_text);
    json_line_string(&line, "hint_source", v->hint_source);
    if (v->right != NULL)
        write_headers(&line, v->right);
    good = json_line_end(&line);
    if (good)
        printable_write_json(stdout, line.base, line.len);
    json_line_free(&line);
    return good;
}
