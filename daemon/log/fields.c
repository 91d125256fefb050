/* SPDX-License-Identifier: MIT */
#include "daemon/log/fields.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <cjson/cJSON.h>

#include "daemon/log/journald.h"

/* The names of members are ours, and so are those of fields: what a sender writes becomes a value
 * and nothing else. */
static const struct journald_field {
    const char *member, *name;
} journald_fields[] = {
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

/* A refusal is no warning: anybody on the Internet can cause one. */
static const struct journald_verdict {
    const char *verdict;
    int priority;
    const char *message_id;
} journald_verdicts[] = {
    {"stored", LOG_INFO, "7aeb0eacedbe46edb406e4d88d0f16ea"},
    {"duplicate", LOG_INFO, "5acbda11bead46b996bf873e357c31e1"},
    {"refused", LOG_NOTICE, "e5d24676d04c4337b4d94618c16aad9b"},
    {"failed", LOG_WARNING, "cc205d9ff31849c3a3ed6eb7ec978540"},
    {"forwarded", LOG_INFO, "e6a1b1b40b1545e3a87090ba364afb28"},
    {"retried", LOG_NOTICE, "322b6cddec074370b786584fe724c18c"},
    {"parked", LOG_WARNING, "8b6ad53670504f1a86d08e3e89f5cecc"},
};

static const struct journald_verdict journald_no_verdict = {NULL, LOG_WARNING,
                                                            "42721269d368474e937b8569b282bbcd"};

static const struct journald_verdict *journald_find_verdict(const cJSON *verdict)
{
    const char *name = cJSON_GetStringValue(verdict);

    for (size_t i = 0; name != NULL && i < sizeof(journald_verdicts) / sizeof(journald_verdicts[0]);
         i++)
        if (strcmp(name, journald_verdicts[i].verdict) == 0)
            return &journald_verdicts[i];
    return &journald_no_verdict;
}

/* Who looks for an address does not know the port, which is another one for each connection. */
static void journald_add_host(struct journald *journald, const char *name, const char *remote)
{
    const char *bracket = strchr(remote, ']'), *colon = strchr(remote, ':');

    if (bracket != NULL)
        journald_add(journald, name, remote + 1, (size_t)(bracket - remote - 1));
    else if (colon != NULL && strchr(colon + 1, ':') == NULL)
        journald_add(journald, name, remote, (size_t)(colon - remote));
    else
        journald_add(journald, name, remote, strlen(remote));
}

static void journald_add_member(struct journald *journald, const struct journald_field *field,
                                const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    char number[32];

    if (text != NULL && strcmp(field->member, "remote") == 0) {
        journald_add_host(journald, field->name, text);
        return;
    }
    if (cJSON_IsBool(value)) {
        text = cJSON_IsTrue(value) ? "true" : "false";
    } else if (cJSON_IsNumber(value)) {
        snprintf(number, sizeof(number), "%.0f", cJSON_GetNumberValue(value));
        text = number;
    }
    if (text != NULL && *text != '\0')
        journald_add(journald, field->name, text, strlen(text));
}

void journald_set_line(struct journald *journald, const char *line, size_t len)
{
    cJSON *members = cJSON_ParseWithLength(line, len);
    const struct journald_verdict *kind =
        journald_find_verdict(cJSON_GetObjectItemCaseSensitive(members, "verdict"));

    journald_begin(journald, kind->priority);
    journald_add(journald, "MESSAGE_ID", kind->message_id, strlen(kind->message_id));
    for (size_t i = 0; i < sizeof(journald_fields) / sizeof(journald_fields[0]); i++)
        journald_add_member(journald, &journald_fields[i],
                            cJSON_GetObjectItemCaseSensitive(members, journald_fields[i].member));
    journald_add(journald, "MESSAGE", line, len);
    cJSON_Delete(members);
}
