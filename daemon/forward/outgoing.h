/* SPDX-License-Identifier: MIT
 *
 * outgoing.h - the headers of a delivery on its way to a destination.
 *
 *   content-type and the headers that the sender signed or signed with, as they came
 *   Hookline-Source, -Scheme, -Id, -Type, -Seq, -Signed-At, -Received-At, -Attempt
 *   webhook-id, webhook-timestamp, webhook-signature, if the destination has a secret
 *
 * What a signed payload says may be any text: in a header every byte that is not printable ASCII,
 * blanks and "%" become %XX, and what is longer than 256 bytes is left out.
 *
 * Ownership  attempt_headers_new() allocates, attempt_headers_free() releases.
 */
#ifndef DAEMON_FORWARD_OUTGOING_H
#define DAEMON_FORWARD_OUTGOING_H

#include <stdint.h>

struct destination;
struct delivery_row;

struct attempt_headers {
    char *text;
    const char **headers; /* as post.h takes them */
};

/* `tries` counts this one. Without memory `headers` is NULL. */
struct attempt_headers attempt_headers_new(const struct delivery_row *delivery,
                                           const struct destination *d, unsigned tries,
                                           int64_t now_s);
void attempt_headers_free(struct attempt_headers *outgoing);

#endif
