/* SPDX-License-Identifier: MIT
 *
 * payload.h - bodies of test events in the format of each sender. Pure: the caller makes the ids,
 * with the prefix of payload_id_prefix().
 *
 * Ownership  payload_test() fills a payload, payload_free() releases it.
 */
#ifndef CLI_PAYLOAD_H
#define CLI_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload_ids {
    const char *event;    /* event id; sent in a header or not at all if the body has none */
    const char *endpoint; /* receiving endpoint's id, if the body names it */
};

struct payload {
    char *body; /* JSON without a trailing newline */
    size_t len;
    const char *type;    /* "webhook.test", "ping", ...; static */
    char headers[2][96]; /* unsigned extra headers, "Name: value"; "" if none */
};

/* Returns the prefix of this sender's event ids: "wevt_", "evt_", "msg_", ... */
const char *payload_id_prefix(const char *scheme);

/* Makes the event that the sender's "send a test" delivers, or a generic one for senders without
 * such a function, for unknown schemes and for NULL. Returns false on ENOMEM. */
bool payload_test(struct payload *payload, const char *scheme, const struct payload_ids *ids,
                  int64_t now_us);
void payload_free(struct payload *payload);

#endif
