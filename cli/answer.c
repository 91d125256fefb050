/* SPDX-License-Identifier: MIT */
#include "cli/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/sink_address.h"
#include "daemon/base/printable.h"

enum {
    SAID_SIZE = 300
};

/* ---- as it comes */

static bool sink_answer_keep(struct sink_answer *a, const char *bytes, size_t len)
{
    if (len > a->max - a->len)
        return false;
    if (a->size - a->len < len + 1) {
        size_t size = 2 * (a->len + len) + 1024;
        char *base = realloc(a->bytes, size);

        if (base == NULL) {
            a->failed = true;
            return false;
        }
        a->bytes = base;
        a->size = size;
    }
    memcpy(a->bytes + a->len, bytes, len);
    a->len += len;
    a->bytes[a->len] = '\0';
    return true;
}

/* No more is read of what begins like no answer of hooklined's, however long it is. */
bool sink_answer_append(struct sink_answer *a, const char *bytes, size_t len)
{
    if (!a->any && a->len == 0 && len > 0 && bytes[0] != '{')
        a->odd = true;
    else if (!sink_answer_keep(a, bytes, len))
        a->odd = !a->failed;
    return !a->odd && !a->failed;
}

static bool sink_answer_receive(void *data, const char *bytes, size_t len)
{
    struct sink_answer *a = data;

    return a->hear == NULL ? sink_answer_append(a, bytes, len) : a->hear(a->data, bytes, len);
}

static bool sink_answer_is_type(const char *type, const char *wanted)
{
    size_t len = strlen(wanted);

    return type != NULL && strncasecmp(type, wanted, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

static void sink_answer_on_done(void *data, const struct client_result *result)
{
    struct sink_answer *a = data;

    a->call = NULL;
    a->outcome = result->outcome;
    a->status = result->status;
    a->is_json = sink_answer_is_type(result->content_type, "application/json");
    a->is_bytes = sink_answer_is_type(result->content_type, "application/octet-stream");
    snprintf(a->error, sizeof(a->error), "%s", result->error == NULL ? "" : result->error);
}

void sink_answer_start(struct sink_answer *a, struct client_calls *calls, const char *method,
                       const char *target)
{
    char *url = NULL;

    if (asprintf(&url, "%s%s", a->address->url, target) >= 0) {
        const struct client_target there = {url, a->address->ca_file, a->address->unix_path, 0};
        const struct client_request request = {
            .target = &there,
            .method = method,
            .headers = a->address->headers,
            .hear = sink_answer_receive,
        };

        /* libcurl copies the URL. */
        a->call = client_call_start(calls, &request, sink_answer_on_done, a);
        free(url);
    }
    if (a->call == NULL) {
        a->outcome = CLIENT_FAILED;
        a->failed = true;
    }
}

void sink_answer_end(struct sink_answer *a)
{
    if (a->call != NULL)
        client_call_cancel(a->call);
    free(a->bytes);
    a->bytes = NULL;
    a->len = a->size = 0;
}

/* ---- what it means */

enum outcome sink_answer_unexpected(const struct sink_answer *a, char *why)
{
    char sentence[200];

    if (a->status >= 300 && a->status < 400)
        snprintf(sentence, sizeof(sentence),
                 "it redirects (%d), which hooklined never does; is it the admin address?",
                 a->status);
    else if (a->odd && a->len > 0)
        snprintf(sentence, sizeof(sentence), "its answer is longer than any of hooklined's");
    else
        snprintf(sentence, sizeof(sentence),
                 "its answer (status %d) is none of hooklined's; is it the admin address?",
                 a->status);
    snprintf(why, SINK_WHY_SIZE, "%s: %s", a->address->shown, sentence);
    return OUTCOME_TRANSPORT;
}

/* Its other address, and the emulator, are easily taken for the administrator's, who knows all of
 * our paths. */
static bool sink_answer_is_foreign(const cJSON *error)
{
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "code"));
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));

    return code != NULL && strcmp(code, "not_found") == 0 && message != NULL &&
           (strstr(message, "source") != NULL || strstr(message, "/emulator/") != NULL);
}

/* hooklined says in each refusal what was wrong. */
static enum outcome sink_answer_refused(const struct sink_answer *a, const cJSON *json, char *why)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "message"));
    bool with_token = a->address->authorization != NULL;
    char said[SAID_SIZE];

    if (message == NULL || sink_answer_is_foreign(error))
        return sink_answer_unexpected(a, why);
    text_copy_printable(said, sizeof(said), message, strlen(message));
    snprintf(why, SINK_WHY_SIZE, "%s: %s%s", a->address->shown, said,
             a->status != 401 ? ""
             : with_token     ? " (the one of --sink-token is not it)"
                              : " (see --sink-token)");
    return a->status < 500 ? OUTCOME_REFUSED : OUTCOME_TRANSPORT;
}

/* Of one that has ended; *json is what it holds, or NULL. */
enum outcome sink_answer_conclude(const struct sink_answer *a, cJSON **json, char *why)
{
    char error[CLIENT_WHY_SIZE];

    *json = NULL;
    if (a->failed) {
        snprintf(why, SINK_WHY_SIZE, "%s: out of memory", a->address->shown);
        return OUTCOME_TRANSPORT;
    }
    if (a->odd)
        return sink_answer_unexpected(a, why);
    if (a->outcome != CLIENT_ANSWERED) {
        text_copy_printable(error, sizeof(error), a->error, strlen(a->error));
        if (a->status == 0)
            sink_address_explain(a->address, error, why, SINK_WHY_SIZE);
        else
            snprintf(why, SINK_WHY_SIZE, "%s: its answer broke off: %s", a->address->shown, error);
        return OUTCOME_TRANSPORT;
    }
    if (a->status == 200 && a->any && (a->is_bytes || a->is_json))
        return OUTCOME_GOOD;
    if (a->is_json && a->len > 0)
        *json = cJSON_ParseWithLength(a->bytes, a->len);
    if (!cJSON_IsObject(*json)) {
        cJSON_Delete(*json);
        *json = NULL;
        return sink_answer_unexpected(a, why);
    }
    if (a->status >= 400)
        return sink_answer_refused(a, *json, why);
    return a->status == 200 ? OUTCOME_GOOD : sink_answer_unexpected(a, why);
}
