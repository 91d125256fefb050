/* SPDX-License-Identifier: MIT
 *
 * url_variants.h - other spellings of a signed URL: http or https, port, case of the host, slash at
 * the end, query. Pure.
 */
#ifndef DAEMON_HINTS_URL_VARIANTS_H
#define DAEMON_HINTS_URL_VARIANTS_H

#include <stddef.h>

#include <hookline.h>

#include "daemon/hints/diagnose_cause.h"

enum {
    URL_VARIANTS_ROOM = 16 /* bytes that a variant may add to URL and query */
};

/* Returns the number of variants. */
unsigned url_variants_count(void);

/* Writes variant `n` of `url` with its length. `query` is the request's, without "?"; empty: none.
 * Returns the first change, or DIAGNOSE_NONE if the variant equals another one, exceeds `size`, or
 * `url` is no http or https URL. */
enum diagnose_cause url_variants_write(unsigned n, hookline_bytes url, hookline_bytes query,
                                       char *out, size_t size, size_t *len);

#endif
