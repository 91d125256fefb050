/* SPDX-License-Identifier: MIT
 *
 * framing.h - where the body of a request ends, and whether a proxy in front of us could see it
 * end elsewhere. Pure.
 */
#ifndef DAEMON_RECEIVE_FRAMING_H
#define DAEMON_RECEIVE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

/* libh2o takes the first of several Content-Lengths, and Transfer-Encoding before any of them. A
 * proxy that decides otherwise would let a second request be smuggled inside of the first
 * (RFC 9112, section 6.3). `head` is the request up to its body. */
bool request_head_is_ambiguous(const char *head, size_t len);

#endif
