/* SPDX-License-Identifier: MIT
 *
 * certificate.h - what a certificate says of itself: of which kind its key is, and how long it is
 * good.
 *
 * Threads  Every function on any thread.
 */
#ifndef DAEMON_HTTP_CERTIFICATE_H
#define DAEMON_HTTP_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

struct x509_st;

/* NULL if `path` can be read and has one; else what is wrong with it. What can be read but once, as
 * a pipe, is left to who needs it. */
const char *certificate_file_problem(const char *path);

/* Whether one of the ciphers of tls.c goes with its key. */
bool certificate_key_is_usable(const struct x509_st *certificate);

/* In seconds since 1970. */
int64_t certificate_end_s(const struct x509_st *certificate);

/* Call `warn` for what clients will not like about ours, which was read from `path`, and for one of
 * `path` with which no client's can be good. */
void certificate_warn(const struct x509_st *certificate, const char *path, int64_t now_s,
                      void (*warn)(const char *text));
void certificate_warn_authority(const struct x509_st *authority, const char *path, int64_t now_s,
                                void (*warn)(const char *text));

#endif
