/* SPDX-License-Identifier: MIT
 *
 * secret.h - from a secret's text to its key.
 *
 * Ownership  The caller wipes `key`, also after an error.
 * Threads    Any thread.
 * Errors     A sentence as static text, without any part of the secret.
 */
#ifndef SECRET_H
#define SECRET_H

#include <hookline.h>

#include "scheme.h"

/* Writes the key and its length in bytes. Returns NULL, or why the secret is refused. */
const char *hookline_secret_read(const struct scheme *scheme, const char *secret,
                                 unsigned char key[HOOKLINE_SECRET_LENGTH_MAX], size_t *len);

#endif
