/* SPDX-License-Identifier: MIT
 *
 * delivery.h - a signed request for tests to corrupt.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <hookline.h>

/* Valid for every built-in scheme: text for some, base64 for others. */
#define SECRET       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_SECRET "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
#define NOW          INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define BODY                                                                                       \
    "{\"id\":\"msg_1\",\"event_id\":\"msg_1\",\"type\":\"ping\","                                  \
    "\"sent_at\":\"2027-01-15T08:00:00Z\"}"

struct delivery {
    hookline_verifier *v;
    hookline_request req;
    hookline_header_list list;
    hookline_header header[8];
    char value[8][8192]; /* storage of header[i].value */
    char body[512];
    int64_t now;
};

/* Signs BODY at NOW with SECRET, by a built-in scheme or by a description of one. */
void deliver(struct delivery *d, const char *scheme);
void deliver_custom(struct delivery *d, const char *description);

/* Signs the delivery's current body and time. */
void sign_again(struct delivery *d);
void delivery_free(struct delivery *d);

hookline_header *find_header(struct delivery *d, const char *name);
void set_header(struct delivery *d, const char *name, const char *value);
void set_body(struct delivery *d, const char *body);

hookline_result verify(const struct delivery *d);

/* The name of the verdict's reason. */
const char *verdict(const struct delivery *d);

size_t count_schemes(void);

#endif
