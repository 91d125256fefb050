/* SPDX-License-Identifier: MIT
 *
 * seal.h - hookline_sign(), and a sentence why if it cannot. Pure.
 */
#ifndef CLI_SEAL_H
#define CLI_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include <hookline.h>

enum {
    SEAL_WHY_SIZE = 256
};

/* What goes in: `description` is that of the verifier's scheme. Where the scheme signs no method,
 * URL or headers they may be left out. */
struct seal {
    const hookline_verifier *verifier;
    const char *description;
    hookline_request request;
    hookline_bytes id;
    int64_t now;
};

/* False, and in `why` what is missing. */
bool seal_sign(const struct seal *seal, hookline_signature *out, char why[SEAL_WHY_SIZE]);

#endif
