/* SPDX-License-Identifier: MIT
 *
 * secret_mistakes.h - secrets stored wrongly on this machine: in quotes, as NAME=value, with a byte
 * order mark, as base64 of a line. Such a text may be the real secret, so it causes a warning and
 * no error.
 *
 * Threads    Any. Copies of a secret are in locked memory.
 */
#ifndef DAEMON_HINTS_SECRET_MISTAKES_H
#define DAEMON_HINTS_SECRET_MISTAKES_H

#include <stdint.h>

#include <hookline.h>

#include "daemon/hints/diagnose_cause.h"

/* Returns the likely mistake and its remedy, to follow "secret 0 "; NULL: none. */
const char *secret_mistake_warning(const char *secret);

/* Returns the outermost mistake in `secret` if undoing it, and those inside, gives the request's
 * signature; else DIAGNOSE_NONE, also on ENOMEM. */
enum diagnose_cause secret_mistake_find(const char *description, const char *secret,
                                        const hookline_request *request, int64_t now);

/* Returns why a verifier of the description refused the secret with `code`, as static text. */
const char *secret_error_text(int code, const char *description, const char *secret);

#endif
