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
 * Ownership  outgoing_new() allocates, outgoing_free() releases.
 */
#ifndef DAEMON_FORWARD_OUTGOING_H
#define DAEMON_FORWARD_OUTGOING_H

#include <stdint.h>

struct destination;
struct entry;

struct outgoing {
    char *text;
    const char **headers; /* as post.h takes them */
};

/* `tries` counts this one. Without memory `headers` is NULL. */
struct outgoing outgoing_new(const struct entry *entry, const struct destination *d, unsigned tries,
                             int64_t now_s);
void outgoing_free(struct outgoing *outgoing);

#endif
