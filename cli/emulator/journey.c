/* SPDX-License-Identifier: MIT */
#include "cli/emulator/journey.h"

#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "cli/emulator/dispatch.h"
#include "cli/emulator/ledger.h"

/* NULL stays NULL. */
static char *emulated_copy_text(const char *text, bool *good)
{
    char *out = text == NULL ? NULL : strdup(text);

    if (text != NULL && out == NULL)
        *good = false;
    return out;
}

static void emulated_copy_names(struct emulated_delivery *j, const struct dispatch_request *request,
                                bool *good)
{
    j->provider = emulated_copy_text(request->provider, good);
    j->endpoint_id = emulated_copy_text(request->endpoint->id, good);
    j->event_id = emulated_copy_text(request->event_id == NULL ? "" : request->event_id, good);
    j->event_type = emulated_copy_text(request->event_type, good);
    j->delivery_id = emulated_copy_text(request->delivery_id, good);
    for (int i = 0; i < 5; i++)
        j->status_names[i] = emulated_copy_text(request->status_names[i], good);
    for (int i = 0; request->retry_s != NULL && request->retry_s[i] != 0; i++)
        if (i < EMULATED_RETRIES_MAX)
            j->retry_s[i] = request->retry_s[i];
}

static void emulated_copy_target(struct emulated_delivery *j,
                                 const struct ledger_endpoint *endpoint, bool *good)
{
    const hookline_scheme *scheme =
        endpoint->scheme == NULL ? NULL : hookline_scheme_find(endpoint->scheme);

    j->url = emulated_copy_text(endpoint->url, good);
    j->signed_url = emulated_copy_text(endpoint->signed_url, good);
    j->description =
        emulated_copy_text(scheme == NULL ? endpoint->description : scheme->description, good);
    if (j->description == NULL)
        j->description = emulated_copy_text("", good);
    j->secrets[0] = emulated_copy_text(endpoint->secret, good);
    if (endpoint->previous_secret != NULL && endpoint->previous_secret[0] != '\0')
        j->secrets[1] = emulated_copy_text(endpoint->previous_secret, good);
}

static void emulated_copy_content(struct emulated_delivery *j,
                                  const struct dispatch_request *request, bool *good)
{
    j->body = malloc(request->len + 1);
    if (j->body == NULL)
        *good = false;
    else if (request->len > 0)
        memcpy(j->body, request->body, request->len);
    for (size_t i = 0; request->extra != NULL && request->extra[i] != NULL; i++) {
        if (i < EMULATED_EXTRA_MAX)
            j->extra[i] = emulated_copy_text(request->extra[i], good);
        else
            *good = false;
    }
}

static void emulated_address_job(struct emulated_delivery *j)
{
    j->job.url = j->url;
    j->job.spec.url = j->signed_url == NULL ? j->url : j->signed_url;
    j->job.spec.secrets_count = j->secrets[1] == NULL ? 1 : 2;
}

static void emulated_fill_job(struct emulated_delivery *j, const struct dispatch_request *request)
{
    j->job = (struct courier_job){
        .spec =
            {
                .description = j->description,
                .secrets = (const char *const *)j->secrets,
                .body = {j->body, request->len},
                .id = {j->event_id, strlen(j->event_id)},
                .extra = (const char *const *)j->extra,
            },
        .faults = request->faults,
        .timeout_s = request->timeout_s,
        .in_line = request->faults.reorder,
        .data = j,
    };
    emulated_address_job(j);
}

struct emulated_delivery *emulated_delivery_new(const struct dispatch_request *request)
{
    struct emulated_delivery *j = calloc(1, sizeof(*j));
    bool good = j != NULL;

    if (!good)
        return NULL;
    emulated_copy_names(j, request, &good);
    emulated_copy_target(j, request->endpoint, &good);
    emulated_copy_content(j, request, &good);
    j->done = request->done;
    j->data = request->data;
    if (request->faults.copies > 1)
        j->copies_left = request->faults.copies - 1;
    if (good)
        emulated_fill_job(j, request);
    else
        emulated_delivery_free(&j);
    return j;
}

static void emulated_wipe_secret(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void emulated_free_target(struct emulated_delivery *j)
{
    free(j->url);
    free(j->signed_url);
    free(j->description);
    emulated_wipe_secret(j->secrets[0]);
    emulated_wipe_secret(j->secrets[1]);
}

void emulated_delivery_refresh(struct emulated_delivery *delivery,
                               const struct ledger_endpoint *endpoint)
{
    struct emulated_delivery fresh = {.url = NULL};
    bool good = true;

    emulated_copy_target(&fresh, endpoint, &good);
    if (!good) {
        emulated_free_target(&fresh);
        return;
    }
    emulated_free_target(delivery);
    delivery->url = fresh.url;
    delivery->signed_url = fresh.signed_url;
    delivery->description = fresh.description;
    delivery->secrets[0] = fresh.secrets[0];
    delivery->secrets[1] = fresh.secrets[1];
    delivery->job.spec.description = delivery->description;
    emulated_address_job(delivery);
}

void emulated_delivery_free(struct emulated_delivery **delivery)
{
    struct emulated_delivery *j = *delivery;

    if (j == NULL)
        return;
    shipment_free(&j->job.shipment);
    free(j->job.error);
    free(j->job.excerpt);
    free(j->provider);
    free(j->endpoint_id);
    free(j->event_id);
    free(j->event_type);
    free(j->delivery_id);
    for (int i = 0; i < 5; i++)
        free(j->status_names[i]);
    emulated_free_target(j);
    free(j->body);
    for (int i = 0; i < EMULATED_EXTRA_MAX; i++)
        free(j->extra[i]);
    free(j);
    *delivery = NULL;
}
