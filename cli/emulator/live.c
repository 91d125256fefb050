/* SPDX-License-Identifier: MIT */
#include "cli/emulator/live.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/iso_time.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/dispatch.h"
#include "cli/emulator/emulator.h"
#include "daemon/base/identity.h"
#include "cli/emulator/ledger.h"

enum {
    TIMEOUT_S = 10,
    TYPE_MAX = 128,
};

struct making {
    const char *type;
    const cJSON *data;
    const char *endpoint_id;
    char id[IDENTITY_SIZE], time[ISO_TIME_SIZE];
};

static void write_foil(cJSON *body, const struct making *m)
{
    cJSON_AddStringToObject(body, "id", m->id);
    cJSON_AddStringToObject(body, "object", "webhook_event");
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "created", m->time);
}

static void write_shodai(cJSON *body, const struct making *m)
{
    cJSON_AddStringToObject(body, "id", m->id);
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "apiVersion", "2026-06-01");
    cJSON_AddStringToObject(body, "createdAt", m->time);
}

static void write_trulayer(cJSON *body, const struct making *m)
{
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "webhook_id", m->endpoint_id);
    cJSON_AddStringToObject(body, "sent_at", m->time);
}

static const struct kind {
    const char *provider, *id_prefix, *delivery_prefix; /* NULL: nothing is recorded */
    void (*write)(cJSON *body, const struct making *m);
    const char *status_names[5];
    bool retries;
} kinds[] = {
    {"foil",
     "wevt_",
     "wdlv_",
     write_foil,
     {"pending", "delivering", "succeeded", "pending", "failed"},
     true},
    {"shodai",
     "evt_",
     "whd_",
     write_shodai,
     {"pending", "pending", "succeeded", "retry_pending", "failed"},
     true},
    {"trulayer", "evt_", NULL, write_trulayer, {NULL}, false},
};

static const struct kind *find(const char *provider)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].provider, provider) == 0)
            return &kinds[i];
    return NULL;
}

static bool subscribes(const struct ledger_endpoint *endpoint, const char *type)
{
    cJSON *events = detail_get(endpoint, "events");
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

static char *write_body(const struct kind *kind, const struct making *m)
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

static bool send_one(struct emulator *emulator, const struct kind *kind, struct making *m,
                     const struct ledger_endpoint *endpoint, char *why)
{
    struct dispatch_order order = {
        .provider = kind->provider,
        .endpoint = endpoint,
        .event_id = m->id,
        .event_type = m->type,
        .retry_s = kind->retries ? emulator->retry_s : NULL,
        .timeout_s = TIMEOUT_S,
    };
    char delivery_id[IDENTITY_SIZE];
    char *body;
    bool good;

    m->endpoint_id = endpoint->id;
    if (kind->delivery_prefix != NULL) {
        identity_hex(delivery_id, kind->delivery_prefix);
        order.delivery_id = delivery_id;
    }
    for (int i = 0; i < 5; i++)
        order.status_names[i] = kind->status_names[i];
    if ((body = write_body(kind, m)) == NULL) {
        snprintf(why, FAULT_WHY_SIZE, "out of memory");
        return false;
    }
    order.body = body;
    order.len = strlen(body);
    good = fault_read(&order.faults, endpoint->faults, why) &&
           dispatch(emulator->dispatcher, &order, why);
    cJSON_free(body);
    return good;
}

int live_publish(struct emulator *emulator, const char *provider, const char *type,
                 const cJSON *data, cJSON *answer, char *why)
{
    const struct kind *kind = find(provider);
    struct making making = {.type = type, .data = data};
    struct ledger_endpoint *endpoint;
    int count = 0;
    bool good = true;

    if (kind == NULL || type[0] == '\0' || strlen(type) > TYPE_MAX ||
        (data != NULL && !cJSON_IsObject(data))) {
        snprintf(why, FAULT_WHY_SIZE,
                 "expected provider foil, shodai or trulayer, a type and an object as data");
        return -1;
    }
    identity_hex(making.id, kind->id_prefix);
    iso_time_write(making.time, emulator_take_time(emulator, 1));
    for (size_t i = 0;
         good && (endpoint = ledger_endpoint_at(emulator->ledger, provider, i)) != NULL; i++) {
        if (subscribes(endpoint, type)) {
            good = send_one(emulator, kind, &making, endpoint, why);
            count += good;
        }
        ledger_endpoint_free(&endpoint);
    }
    cJSON_AddStringToObject(answer, "id", making.id);
    cJSON_AddNumberToObject(answer, "deliveries", count);
    return good || count > 0 ? count : -1;
}
