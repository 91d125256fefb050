/* SPDX-License-Identifier: MIT
 *
 * shipment.h - one delivery as the request that is sent: signed, then spoilt as a fault asks for.
 *
 * Ownership  shipment_build() makes it, shipment_free() releases it.
 */
#ifndef CLI_SHIPMENT_H
#define CLI_SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/http/client.h"
#include "cli/faults.h"

/* Nothing in it changes while it is sent. */
struct shipment {
    char **headers; /* "Name: value", as struct client_request takes them; NULL is the end */
    const char *method;
    char *body;
    size_t len;
    uint64_t bytes_per_s; /* 0: as fast as it goes */
    bool truncate, reset;
};

/* What is to be sent. */
struct shipment_spec {
    const char *description;    /* of the scheme */
    const char *const *secrets; /* the first one signs, and where the scheme lists signatures the
                                   others do, too, as while secrets rotate */
    size_t secrets_count;
    hookline_bytes body, id;  /* the id may be empty, as hookline_sign() has it */
    const char *method, *url; /* NULL method: POST. The url: for schemes that sign it */
    const char *const *extra; /* further headers, "Name: value"; may be NULL. NULL is the end */
    int64_t now;              /* s since 1970: what is signed as the time */
};

enum {
    SHIPMENT_WHY_SIZE = 256
};

/* Signs, and spoils. Content-Type and User-Agent are added if `extra` has none. Of `faults`, which
 * may be NULL, it heeds all that changes one request; copies, burst and reorder are the caller's.
 * The parcel is not needed afterwards, but for `method`. NULL, and in `why` what is wrong. */
struct shipment *shipment_build(const struct shipment_spec *spec, const struct faults *faults,
                                char why[SHIPMENT_WHY_SIZE]);
void shipment_free(struct shipment **shipment);

/* One sending of a shipment, which has to outlive it. It is the data of client_call_start(), or the first
 * member of the struct that is. */
struct shipment_sending {
    const struct shipment *shipment;
    size_t sent; /* bytes of the body, where it goes slowly or not to its end */
};

/* The request for client_call_start(), with shipment_tune() set; whether the answer is kept is left to the
 * caller. */
void shipment_request(const struct shipment *shipment, const struct client_target *target,
                      struct client_request *request);

/* For call_request.tune, with such data: sends it slowly, or ends the connection in the middle.
 * Then the call fails, as the sender sees it. */
void shipment_tune(void *data, void *easy);

/* Why a call with such data failed: `error`, unless that is what was to happen. */
const char *shipment_error(const struct shipment_sending *sending, const char *error);

#endif
