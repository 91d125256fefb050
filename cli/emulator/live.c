/* SPDX-License-Identifier: MIT */
#include "cli/emulator/live.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/iso_time.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/dispatch.h"
#include "cli/emulator/emulator.h"
#include "daemon/base/ids.h"
#include "cli/emulator/ledger.h"

enum {
    EVENT_TIMEOUT_S = 10,
    TYPE_MAX = 128,
};

struct control_event {
    const char *type;
    const cJSON *data;
    const char *endpoint_id;
    char id[IDS_SIZE], time[RFC3339_SIZE];
};

static void control_event_write_foil(cJSON *body, const struct control_event *m)
{
    cJSON_AddStringToObject(body, "id", m->id);
    cJSON_AddStringToObject(body, "object", "webhook_event");
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "created", m->time);
}

static void control_event_write_shodai(cJSON *body, const struct control_event *m)
{
    cJSON_AddStringToObject(body, "id", m->id);
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "apiVersion", "2026-06-01");
    cJSON_AddStringToObject(body, "createdAt", m->time);
}

static void control_event_write_trulayer(cJSON *body, const struct control_event *m)
{
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "webhook_id", m->endpoint_id);
    cJSON_AddStringToObject(body, "sent_at", m->time);
}

static const struct control_event_kind {
    const char *provider, *id_prefix, *delivery_prefix; /* NULL: nothing is recorded */
    void (*write)(cJSON *body, const struct control_event *m);
    const char *status_names[5];
    bool retries;
} control_event_kinds[] = {
    {"foil",
     "wevt_",
     "wdlv_",
     control_event_write_foil,
     {"pending", "delivering", "succeeded", "pending", "failed"},
     true},
    {"shodai",
     "evt_",
     "whd_",
     control_event_write_shodai,
     {"pending", "pending", "succeeded", "retry_pending", "failed"},
     true},
    {"trulayer", "evt_", NULL, control_event_write_trulayer, {NULL}, false},
};

static const struct control_event_kind *control_event_kind_find(const char *provider)
{
    for (size_t i = 0; i < sizeof(control_event_kinds) / sizeof(control_event_kinds[0]); i++)
        if (strcmp(control_event_kinds[i].provider, provider) == 0)
            return &control_event_kinds[i];
    return NULL;
}

static bool control_event_is_subscribed(const struct ledger_endpoint *endpoint, const char *type)
{
    cJSON *events = ledger_endpoint_detail_get(endpoint, "events");
    const cJSON *event;
    bool found = !cJSON_IsArray(events);

    cJSON_ArrayForEach(event, events)
    {
        if (cJSON_IsString(event) && strcmp(event->valuestring, type) == 0)
            found = true;
    }
    cJSON_Delete(events);
    return found && endpoint->enabled;
}

static char *control_event_body(const struct control_event_kind *kind,
                                const struct control_event *m)
{
    cJSON *body = cJSON_CreateObject();
    char *text;

    kind->write(body, m);
    cJSON_AddItemToObject(body, "data",
                          m->data == NULL ? cJSON_CreateObject() : cJSON_Duplicate(m->data, 1));
    text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

static bool control_event_send(struct emulator *emulator, const struct control_event_kind *kind,
                               struct control_event *m, const struct ledger_endpoint *endpoint,
                               char *why)
{
    struct dispatch_request request = {
        .provider = kind->provider,
        .endpoint = endpoint,
        .event_id = m->id,
        .event_type = m->type,
        .retry_s = kind->retries ? emulator->retry_s : NULL,
        .timeout_s = EVENT_TIMEOUT_S,
    };
    char delivery_id[IDS_SIZE];
    char *body;
    bool good;

    m->endpoint_id = endpoint->id;
    if (kind->delivery_prefix != NULL) {
        ids_make_hex(delivery_id, kind->delivery_prefix);
        request.delivery_id = delivery_id;
    }
    for (int i = 0; i < 5; i++)
        request.status_names[i] = kind->status_names[i];
    if ((body = control_event_body(kind, m)) == NULL) {
        snprintf(why, FAULTS_WHY_SIZE, "out of memory");
        return false;
    }
    request.body = body;
    request.len = strlen(body);
    good = faults_read(&request.faults, endpoint->faults, why) &&
           dispatcher_send(emulator->dispatcher, &request, why);
    cJSON_free(body);
    return good;
}

int control_publish_event(struct emulator *emulator, const char *provider, const char *type,
                          const cJSON *data, cJSON *answer, char *why)
{
    const struct control_event_kind *kind = control_event_kind_find(provider);
    struct control_event event = {.type = type, .data = data};
    struct ledger_endpoint *endpoint;
    int count = 0;
    bool good = true;

    if (kind == NULL || type[0] == '\0' || strlen(type) > TYPE_MAX ||
        (data != NULL && !cJSON_IsObject(data))) {
        snprintf(why, FAULTS_WHY_SIZE,
                 "expected provider foil, shodai or trulayer, a type and an object as data");
        return -1;
    }
    ids_make_hex(event.id, kind->id_prefix);
    rfc3339_write(event.time, dispatch_take_time(emulator, 1));
    for (size_t i = 0;
         good && (endpoint = ledger_endpoint_at(emulator->ledger, provider, i)) != NULL; i++) {
        if (control_event_is_subscribed(endpoint, type)) {
            good = control_event_send(emulator, kind, &event, endpoint, why);
            count += good;
        }
        ledger_endpoint_free(&endpoint);
    }
    cJSON_AddStringToObject(answer, "id", event.id);
    cJSON_AddNumberToObject(answer, "deliveries", count);
    return good || count > 0 ? count : -1;
}
