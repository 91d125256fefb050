/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "journald.h"

/* The names of members are ours, and so are those of fields: what a sender writes becomes a value
 * and nothing else. */
static const struct field {
    const char *member, *name;
} fields[] = {
    {"verdict", "HOOKLINE_VERDICT"},
    {"remote", "HOOKLINE_REMOTE"},
    {"source", "HOOKLINE_SOURCE"},
    {"scheme", "HOOKLINE_SCHEME"},
    {"reason", "HOOKLINE_REASON"},
    {"status", "HOOKLINE_STATUS"},
    {"receipt", "HOOKLINE_RECEIPT"},
    {"hint", "HOOKLINE_HINT"},
    {"hint_source", "HOOKLINE_HINT_SOURCE"},
    {"seq", "HOOKLINE_SEQ"},
    {"id", "HOOKLINE_ID"},
    {"type", "HOOKLINE_TYPE"},
    {"test", "HOOKLINE_TEST"},
    {"secret_label", "HOOKLINE_SECRET_LABEL"},
    {"destination", "HOOKLINE_DESTINATION"},
    {"tries", "HOOKLINE_TRIES"},
    {"lost_lines", "HOOKLINE_LOST_LINES"},
};

enum {
    VERDICT = 0, /* in `fields` */
    REMOTE = 1,
    FIELDS = sizeof(fields) / sizeof(fields[0]),
};

/* A refusal is no warning: anybody on the Internet can cause one. */
static const struct kind {
    const char *verdict;
    int priority;
    const char *message_id;
} kinds[] = {
    {"stored", LOG_INFO, "7aeb0eacedbe46edb406e4d88d0f16ea"},
    {"duplicate", LOG_INFO, "5acbda11bead46b996bf873e357c31e1"},
    {"refused", LOG_NOTICE, "e5d24676d04c4337b4d94618c16aad9b"},
    {"failed", LOG_WARNING, "cc205d9ff31849c3a3ed6eb7ec978540"},
    {"forwarded", LOG_INFO, "e6a1b1b40b1545e3a87090ba364afb28"},
    {"retried", LOG_NOTICE, "322b6cddec074370b786584fe724c18c"},
    {"parked", LOG_WARNING, "8b6ad53670504f1a86d08e3e89f5cecc"},
};

static const struct kind no_verdict = {NULL, LOG_WARNING, "42721269d368474e937b8569b282bbcd"};

struct text {
    const char *base;
    size_t len;
};

static bool is_text(const struct text *text, const char *other)
{
    return text->len == strlen(other) && memcmp(text->base, other, text->len) == 0;
}

/* ---- reading a line, which json_line.h wrote: nothing but what that writes is understood */

/* The quote that ends the text at `at`. */
static const char *closing_quote(const char *at, const char *end)
{
    while (end - at > 1 && *at != '"')
        at += *at == '\\' ? 2 : 1;
    return at;
}

static const char *end_of_word(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != '}')
        at++;
    return at;
}

/* The member behind *at, which is a "{" or a ","; false at the end. */
static bool next_member(const char **at, const char *end, struct text *name, struct text *value)
{
    const char *p = *at;

    if (end - p < 2 || *p == '}')
        return false;
    name->base = p + 2;
    p = closing_quote(name->base, end);
    name->len = (size_t)(p - name->base);
    if (end - p < 4)
        return false;
    value->base = p += 2;
    if (*p == '"') {
        value->base = p + 1;
        p = closing_quote(value->base, end);
        value->len = (size_t)(p - value->base);
        *at = p + 1;
    } else {
        *at = end_of_word(p, end);
        value->len = (size_t)(*at - p);
        if (is_text(value, "null"))
            value->len = 0;
    }
    return true;
}

static void read_line(const char *line, size_t len, struct text values[FIELDS])
{
    const char *at = line;
    struct text name, value;

    while (next_member(&at, line + len, &name, &value))
        for (size_t i = 0; i < FIELDS; i++)
            if (is_text(&name, fields[i].member))
                values[i] = value;
}

/* ---- what stands behind an escape */

static size_t put_code(char *to, const char *hex)
{
    char digits[5] = {0};
    unsigned long code;

    memcpy(digits, hex, 4);
    code = strtoul(digits, NULL, 16);
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    memcpy(to, "\xef\xbf\xbd", 3); /* U+FFFD: no other one is written so */
    return 3;
}

/* Takes no more room than `text` does; returns how much. */
static size_t unescape(char *to, const struct text *text)
{
    static const char plain[] = {['b'] = '\b', ['t'] = '\t', ['n'] = '\n', ['f'] = '\f',
                                 ['r'] = '\r', ['"'] = '"',  ['\\'] = '\\'};
    size_t len = 0;

    for (size_t i = 0; i < text->len; i++) {
        const char *at = text->base + i;

        if (*at != '\\') {
            to[len++] = *at;
        } else if (at[1] == 'u') {
            len += put_code(to + len, at + 2);
            i += 5;
        } else {
            to[len++] = plain[(unsigned char)at[1]];
            i++;
        }
    }
    return len;
}

static void add(struct journald *journald, const char *name, const struct text *value)
{
    char *plain;

    if (memchr(value->base, '\\', value->len) == NULL) {
        journald_add(journald, name, value->base, value->len);
    } else if ((plain = malloc(value->len)) != NULL) {
        journald_add(journald, name, plain, unescape(plain, value));
        free(plain);
    }
}

/* ---- */

/* Who looks for an address does not know the port, which is another one for each connection. */
static struct text without_port(struct text remote)
{
    const char *end = remote.base + remote.len;
    const char *bracket = memchr(remote.base, ']', remote.len);
    const char *colon = memchr(remote.base, ':', remote.len);

    if (bracket != NULL)
        return (struct text){remote.base + 1, (size_t)(bracket - remote.base - 1)};
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) == NULL)
        remote.len = (size_t)(colon - remote.base);
    return remote;
}

static const struct kind *kind_of(const struct text *verdict)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (is_text(verdict, kinds[i].verdict))
            return &kinds[i];
    return &no_verdict;
}

void fields_write(struct journald *journald, const char *line, size_t len)
{
    struct text values[FIELDS] = {0};
    const struct kind *kind;

    read_line(line, len, values);
    if (values[REMOTE].len > 0)
        values[REMOTE] = without_port(values[REMOTE]);
    kind = kind_of(&values[VERDICT]);
    journald_begin(journald, kind->priority);
    journald_add(journald, "MESSAGE_ID", kind->message_id, strlen(kind->message_id));
    for (size_t i = 0; i < FIELDS; i++)
        if (values[i].len > 0)
            add(journald, fields[i].name, &values[i]);
    journald_add(journald, "MESSAGE", line, len);
}
