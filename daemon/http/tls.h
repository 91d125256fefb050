/* SPDX-License-Identifier: MIT
 *
 * tls.h - the certificate and the key of an address, and how TLS is spoken with them: 1.2 and 1.3,
 * forward secrecy and authenticated ciphers only, HTTP/1.1 and nothing else.
 *
 * Ownership  tls_open() makes it, tls_free() ends it. Handshakes hold what they use.
 * Threads    tls_hold(), tls_take_alert(), tls_on_close_notify() and tls_end_s() on any, the others on
 * the thread that opened it.
 */
#ifndef DAEMON_HTTP_TLS_H
#define DAEMON_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- what a certificate says of itself: of which kind its key is, and how long it is
 * good.
 *
 * Threads  Every function on any thread. */

struct x509_st;

/* NULL if `path` can be read and has one; else what is wrong with it. What can be read but once, as
 * a pipe, is left to who needs it. */
const char *certificate_file_problem(const char *path);

struct config_tls;
struct ssl_ctx_st;
struct tls;

enum {
    TLS_ALERT_SIZE = 512
};

/* Reads the files. `warn` is called for what is allowed but unwise. NULL, what is wrong in `why`,
 * and in *key that of the configuration which named it. */
struct tls *tls_open(const struct config_tls *config, void (*warn)(const char *text),
                     const char **key, char *why, size_t why_size);
void tls_free(struct tls **tls);

/* Goes on with what `newer` has read; connections keep what they began with. Ends `newer`. */
void tls_renew(struct tls *tls, struct tls **newer);

/* For one handshake; SSL_CTX_free() lets go of it. */
struct ssl_ctx_st *tls_hold(struct tls *tls);

/* What this thread's last handshake, which failed, has for the peer and libh2o did not send.
 * Returns its length, 0 for nothing. */
size_t tls_take_alert(char alert[TLS_ALERT_SIZE]);

/* `heard` is called on this thread when a peer says that no more comes from it, which libh2o takes
 * no notice of: it would neither answer nor end, and keep what comes all the same. `socket` is the
 * one of libh2o, in the midst of reading: it cannot be closed yet. */
void tls_on_close_notify(void (*heard)(void *socket));

/* When the certificate ends, in seconds since 1970. */
int64_t tls_end_s(struct tls *tls);

#endif
