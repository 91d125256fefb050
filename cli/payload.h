/* SPDX-License-Identifier: MIT
 *
 * payload.h - the bodies of test events, as each sender would make them. Pure: whoever calls makes
 * the ids, with payload_id_prefix() in front of them.
 *
 * Ownership  payload_test() fills in, payload_free() releases.
 */
#ifndef CLI_PAYLOAD_H
#define CLI_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload_ids {
    const char *event; /* of the event; where the body has none it goes into a header or nowhere */
    const char *endpoint; /* of the endpoint that it is sent to, where the body names it */
};

struct payload {
    char *body; /* JSON, without a line end */
    size_t len;
    const char *type;    /* "webhook.test", "ping", ...: lives for ever */
    char headers[2][96]; /* which the sender adds and does not sign, "Name: value"; "" for none */
};

/* "wevt_", "evt_", "msg_", ...: what the ids of this sender's events begin with. */
const char *payload_id_prefix(const char *scheme);

/* What the sender's "send a test" delivers, or, for those that have none, something sensible; for a
 * scheme that is unknown, or NULL, as well. False without memory. */
bool payload_test(struct payload *payload, const char *scheme, const struct payload_ids *ids,
                  int64_t now_us);
void payload_free(struct payload *payload);

#endif
