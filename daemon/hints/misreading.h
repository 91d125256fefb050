/* SPDX-License-Identifier: MIT
 *
 * misreading.h - whether a sender made another key of a secret than its scheme does, and signed
 * with that.
 *
 * Threads    Any. Makes a verifier for each way to read the secret; the keys lie in locked memory.
 */
#ifndef DAEMON_HINTS_MISREADING_H
#define DAEMON_HINTS_MISREADING_H

#include <stdint.h>

#include <hookline.h>

enum misreading {
    MISREADING_NONE,     /* or it could not be tried, for want of memory, say */
    MISREADING_LINE_END, /* the key is the secret with a line end behind it */
    MISREADING_DECODING, /* the secret was decoded though it is the key, or the other way round */
};

enum misreading misreading_find(const char *description, const char *secret,
                                const hookline_request *request, int64_t now);

#endif
