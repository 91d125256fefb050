/* SPDX-License-Identifier: MIT */
#include "cli/emulator/journey.h"

#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "cli/emulator/dispatch.h"
#include "cli/emulator/ledger.h"

/* NULL stays NULL. */
static char *copy(const char *text, bool *good)
{
    char *out = text == NULL ? NULL : strdup(text);

    if (text != NULL && out == NULL)
        *good = false;
    return out;
}

static void copy_names(struct journey *j, const struct dispatch_order *order, bool *good)
{
    j->provider = copy(order->provider, good);
    j->endpoint_id = copy(order->endpoint->id, good);
    j->event_id = copy(order->event_id == NULL ? "" : order->event_id, good);
    j->event_type = copy(order->event_type, good);
    j->delivery_id = copy(order->delivery_id, good);
    for (int i = 0; i < 5; i++)
        j->status_names[i] = copy(order->status_names[i], good);
    for (int i = 0; order->retry_s != NULL && order->retry_s[i] != 0; i++)
        if (i < JOURNEY_RETRIES_MAX)
            j->retry_s[i] = order->retry_s[i];
}

static void copy_target(struct journey *j, const struct ledger_endpoint *endpoint, bool *good)
{
    const hookline_scheme *scheme =
        endpoint->scheme == NULL ? NULL : hookline_scheme_find(endpoint->scheme);

    j->url = copy(endpoint->url, good);
    j->signed_url = copy(endpoint->signed_url, good);
    j->description = copy(scheme == NULL ? endpoint->description : scheme->description, good);
    if (j->description == NULL)
        j->description = copy("", good);
    j->secrets[0] = copy(endpoint->secret, good);
    if (endpoint->previous_secret != NULL && endpoint->previous_secret[0] != '\0')
        j->secrets[1] = copy(endpoint->previous_secret, good);
}

static void copy_content(struct journey *j, const struct dispatch_order *order, bool *good)
{
    j->body = malloc(order->len + 1);
    if (j->body == NULL)
        *good = false;
    else if (order->len > 0)
        memcpy(j->body, order->body, order->len);
    for (size_t i = 0; order->extra != NULL && order->extra[i] != NULL; i++) {
        if (i < JOURNEY_EXTRA_MAX)
            j->extra[i] = copy(order->extra[i], good);
        else
            *good = false;
    }
}

static void address_letter(struct journey *j)
{
    j->letter.url = j->url;
    j->letter.parcel.url = j->signed_url == NULL ? j->url : j->signed_url;
    j->letter.parcel.secrets_count = j->secrets[1] == NULL ? 1 : 2;
}

static void write_letter(struct journey *j, const struct dispatch_order *order)
{
    j->letter = (struct letter){
        .parcel =
            {
                .description = j->description,
                .secrets = (const char *const *)j->secrets,
                .body = {j->body, order->len},
                .id = {j->event_id, strlen(j->event_id)},
                .extra = (const char *const *)j->extra,
            },
        .faults = order->faults,
        .timeout_s = order->timeout_s,
        .in_line = order->faults.reorder,
        .data = j,
    };
    address_letter(j);
}

struct journey *journey_new(const struct dispatch_order *order)
{
    struct journey *j = calloc(1, sizeof(*j));
    bool good = j != NULL;

    if (!good)
        return NULL;
    copy_names(j, order, &good);
    copy_target(j, order->endpoint, &good);
    copy_content(j, order, &good);
    j->done = order->done;
    j->data = order->data;
    if (order->faults.copies > 1)
        j->copies_left = order->faults.copies - 1;
    if (good)
        write_letter(j, order);
    else
        journey_free(&j);
    return j;
}

static void wipe(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void free_target(struct journey *j)
{
    free(j->url);
    free(j->signed_url);
    free(j->description);
    wipe(j->secrets[0]);
    wipe(j->secrets[1]);
}

void journey_renew(struct journey *journey, const struct ledger_endpoint *endpoint)
{
    struct journey fresh = {.url = NULL};
    bool good = true;

    copy_target(&fresh, endpoint, &good);
    if (!good) {
        free_target(&fresh);
        return;
    }
    free_target(journey);
    journey->url = fresh.url;
    journey->signed_url = fresh.signed_url;
    journey->description = fresh.description;
    journey->secrets[0] = fresh.secrets[0];
    journey->secrets[1] = fresh.secrets[1];
    journey->letter.parcel.description = journey->description;
    address_letter(journey);
}

void journey_free(struct journey **journey)
{
    struct journey *j = *journey;

    if (j == NULL)
        return;
    shipment_free(&j->letter.shipment);
    free(j->letter.error);
    free(j->letter.excerpt);
    free(j->provider);
    free(j->endpoint_id);
    free(j->event_id);
    free(j->event_type);
    free(j->delivery_id);
    for (int i = 0; i < 5; i++)
        free(j->status_names[i]);
    free_target(j);
    free(j->body);
    for (int i = 0; i < JOURNEY_EXTRA_MAX; i++)
        free(j->extra[i]);
    free(j);
    *journey = NULL;
}
