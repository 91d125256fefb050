/* SPDX-License-Identifier: MIT
 *
 * shipment.h - one delivery as the request that is sent: signed, then spoilt as a fault asks for.
 *
 * Ownership  shipment_pack() makes it in one piece or several, shipment_free() releases them all.
 */
#ifndef SHIPMENT_H
#define SHIPMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "../daemon/call.h"
#include "fault.h"

struct shipment {
    char **headers; /* "Name: value", as struct call_request takes them; Content-Type among them */
    char *body;
    size_t len;
    uint64_t bytes_per_s; /* 0: as fast as it goes */
    bool truncate, reset;
};

/* What is to be sent. */
struct parcel {
    const char *description;    /* of the scheme */
    const char *const *secrets; /* the first one signs; a second one is the previous one */
    size_t secrets_count;
    hookline_bytes body, id;  /* the id may be empty, as hookline_sign() has it */
    const char *method, *url; /* for schemes that sign them */
    const char *const *extra; /* further headers, "Name: value"; may be NULL. NULL is the end */
    int64_t now;              /* s since 1970: what is signed as the time */
};

enum {
    SHIPMENT_WHY_SIZE = 256
};

/* Signs, and spoils. Of `faults` it heeds all that changes one request; copies, burst and reorder
 * are the caller's. NULL, and in `why` what is wrong. */
struct shipment *shipment_pack(const struct parcel *parcel, const struct faults *faults,
                               char why[SHIPMENT_WHY_SIZE]);
void shipment_free(struct shipment **shipment);

/* The request for call_start(); `headers` has to hold shipment_headers() pointers. The shipment is
 * then the data of call_start(), or the data's first member is a pointer to it: see
 * shipment_tune(). */
void shipment_request(const struct shipment *shipment, const struct call_target *target,
                      struct call_request *request);

/* For call_request.tune with data whose first member is a `struct shipment *`: sends it slowly, or
 * ends the connection in the middle. */
void shipment_tune(void *data, void *easy);

#endif
