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
    SECRETS_SIGN_WHY_SIZE = 256
};

/* What goes in: `description` is that of the verifier's scheme. Where the scheme signs no method,
 * URL or headers they may be left out. */
struct signing_input {
    const hookline_verifier *verifier;
    const char *description;
    hookline_request request;
    hookline_bytes id;
    int64_t now;
};

/* False, and in `why` what is missing. */
bool secrets_sign(const struct signing_input *input, hookline_signature *out,
                  char why[SECRETS_SIGN_WHY_SIZE]);

#endif
