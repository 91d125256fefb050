/* SPDX-License-Identifier: MIT
 *
 * tls.h - TLS of a listening address: certificate, key, client CA. TLS 1.2 and 1.3 with forward
 * secrecy and AEAD ciphers only; ALPN offers HTTP/1.1 only.
 *
 * Ownership  tls_open() creates it, tls_free() frees it. Each handshake holds its own reference.
 * Threads    tls_hold(), tls_take_alert(), tls_on_close_notify(), tls_end_s() and
 *            certificate_file_problem() on any; the others on the thread that opened it.
 * Errors     NULL, with a sentence in `why`.
 */
#ifndef DAEMON_HTTP_TLS_H
#define DAEMON_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- certificates */

struct x509_st;

/* Returns NULL if the file holds a PEM certificate, else the problem. Returns NULL for a pipe
 * without reading it, because a pipe can be read only once. */
const char *certificate_file_problem(const char *path);

/* ---- TLS */

struct config_tls;
struct ssl_ctx_st;
struct tls;

enum {
    TLS_ALERT_SIZE = 512
};

/* Reads certificate, key and client CA. Calls `warn` for legal but unwise settings. On
 * failure returns NULL, with the problem in `why` and the offending configuration key in *key
 * ("": none). */
struct tls *tls_open(const struct config_tls *config, void (*warn)(const char *text),
                     const char **key, char *why, size_t why_size);
void tls_free(struct tls **tls);

/* Switches to the certificates of `newer` and frees `newer`. Open connections keep the old ones. */
void tls_renew(struct tls *tls, struct tls **newer);

/* Returns a reference for one handshake; release it with SSL_CTX_free(). */
struct ssl_ctx_st *tls_hold(struct tls *tls);

/* Copies the alert of this thread's last failed handshake, which libh2o did not send. Returns its
 * length; 0: none. */
size_t tls_take_alert(char alert[TLS_ALERT_SIZE]);

/* Registers this thread's callback for a close_notify of a peer. libh2o ignores that alert: it
 * would neither answer nor close, and would still buffer later bytes. `socket` is libh2o's socket
 * during a read: `heard` must not close it. */
void tls_on_close_notify(void (*heard)(void *socket));

/* Returns the end of the certificate's validity, in seconds since 1970. */
int64_t tls_end_s(struct tls *tls);

#endif
