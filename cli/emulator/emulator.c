/* SPDX-License-Identifier: MIT */
#include "cli/emulator/emulator.h"

#include <stddef.h>

#include "daemon/base/clock.h"
#include "cli/emulator/api.h"
#include "cli/emulator/outage.h"

enum {
    CLOCK_AHEAD_MS = 60000 /* more, and the clock has been set back */
};

int64_t dispatch_take_time(struct emulator *emulator, size_t count)
{
    int64_t now_ms = clock_wall_us() / 1000, newest_ms = emulator->newest_ms;

    if (now_ms <= newest_ms && newest_ms < now_ms + CLOCK_AHEAD_MS)
        now_ms = newest_ms + 1;
    emulator->newest_ms = now_ms + (int64_t)count - 1;
    return now_ms * 1000;
}

void emulator_handle(struct emulator *emulator, struct api_call *call)
{
    cJSON *json, *error;

    if (control_handle(emulator, call) || outage_handle(emulator->outage, call) ||
        foil_handle(emulator, call) || shodai_handle(emulator, call) ||
        trulayer_handle(emulator, call))
        return;
    json = cJSON_CreateObject();
    error = cJSON_AddObjectToObject(json, "error");
    cJSON_AddStringToObject(error, "code", "not_found");
    cJSON_AddStringToObject(error, "message",
                            "expected a path of Foil's API (/v1/organizations/...), Shodai's "
                            "(/v0/webhooks), TruLayer's (/v1/webhooks) or /emulator/endpoints");
    api_answer(call, 404, json);
}
