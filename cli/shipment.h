/* SPDX-License-Identifier: MIT
 *
 * shipment.h - a signed request ready to send, corrupted by faults.
 *
 * Ownership  shipment_build() makes it, shipment_free() releases it.
 * Threads    Any; read-only while it is sent.
 */
#ifndef CLI_SHIPMENT_H
#define CLI_SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "cli/faults.h"
#include "daemon/http/client.h"

struct shipment {
    char **headers; /* as in struct client_request; NULL-terminated */
    const char *method;
    char *body;
    size_t len;
    uint64_t bytes_per_s; /* 0: no limit */
    bool truncate, reset;
};

struct shipment_spec {
    const char *description;    /* of the signature scheme */
    const char *const *secrets; /* the first one signs; the others too, as during a rotation, if
                                   the scheme lists signatures */
    size_t secrets_count;
    hookline_bytes body, id;  /* id: may be empty, see hookline_sign() */
    const char *method, *url; /* method: NULL for POST; url: for schemes that sign it */
    const char *const *extra; /* extra headers, "Name: value", NULL-terminated; may be NULL */
    int64_t now;              /* time to sign, seconds since 1970 */
};

enum {
    SHIPMENT_WHY_SIZE = 256
};

/* Signs a request and applies `faults`, which may be NULL; copies, burst, reorder and delay are left
 * to the caller. Adds Content-Type and User-Agent unless `extra` has them. Keeps no pointer into
 * `spec` except `method`. Returns NULL, with the reason in `why`, on error. */
struct shipment *shipment_build(const struct shipment_spec *spec, const struct faults *faults,
                                char why[SHIPMENT_WHY_SIZE]);
void shipment_free(struct shipment **shipment);

/* One transmission of a shipment, which must outlive it. Is the `data` of client_call_start(), or
 * the first member of the struct that is. */
struct shipment_sending {
    const struct shipment *shipment;
    size_t sent; /* bytes of the body, if throttled or cut */
};

/* Fills the request for client_call_start(), including `tune`; the caller sets keep_answer. */
void shipment_request(const struct shipment *shipment, const struct client_target *target,
                      struct client_request *request);

/* Implements client_request.tune: throttles the body, or ends the connection in the middle of it.
 * The call then fails. `data` is a struct shipment_sending. */
void shipment_tune(void *data, void *easy);

/* Returns the error of a failed call: `error`, or a sentence if the fault caused it. */
const char *shipment_error(const struct shipment_sending *sending, const char *error);

#endif
