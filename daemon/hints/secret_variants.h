/* SPDX-License-Identifier: MIT
 *
 * secret_variants.h - other keys that a sender may derive from a secret by mistake.
 *
 * Threads    Any. Creates a verifier per variant; keys are in locked memory.
 */
#ifndef DAEMON_HINTS_SECRET_VARIANTS_H
#define DAEMON_HINTS_SECRET_VARIANTS_H

#include <stdbool.h>
#include <stdint.h>

#include <hookline.h>

#include "daemon/hints/diagnose_cause.h"

/* True if the request's signature is that of this secret, at any signed time. */
bool secret_variants_fit(const char *description, const char *secret,
                         const hookline_request *request, int64_t now);

/* Returns DIAGNOSE_SECRET_NEWLINE or DIAGNOSE_SECRET_DECODING for the first variant of `secret` whose
 * key gives the request's signature; else DIAGNOSE_NONE, also on ENOMEM. */
enum diagnose_cause secret_variants_find(const char *description, const char *secret,
                                         const hookline_request *request, int64_t now);

#endif
