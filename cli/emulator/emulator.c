/* SPDX-License-Identifier: MIT */
#include "emulator.h"

#include <stddef.h>

#include "api.h"
#include "trouble.h"

void emulator_handle(struct emulator *emulator, struct api_call *call)
{
    cJSON *json, *error;

    if (control_handle(emulator, call) || trouble_takes(emulator->trouble, call) ||
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
