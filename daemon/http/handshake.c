/* SPDX-License-Identifier: MIT */
#include "daemon/http/handshake.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <h2o.h>

#include "daemon/base/net.h"
#include "daemon/http/proxy_header.h"
#include "daemon/http/response.h"
#include "daemon/http/tls.h"

enum {
    TLS_RECORD_HANDSHAKE = 0x16 /* first byte of a TLS handshake record */
};

struct handshake {
    const struct handshake_config *config;
    handshake_peer_known *peer_known;
    handshake_done *done;
    bool is_peer_known; /* PROXY header read, or not required */
};

const char *handshake_verdict_name(enum handshake_verdict verdict)
{
    static const char *const names[HANDSHAKE_VERDICTS] = {
        [HANDSHAKE_UNTRUSTED_PROXY] = "untrusted_proxy",
        [HANDSHAKE_NO_PROXY_HEADER] = "no_proxy_header",
        [HANDSHAKE_NO_TLS] = "no_tls",
        [HANDSHAKE_TLS_FAILED] = "tls_failed",
    };

    return names[verdict];
}

static void handshake_finish(h2o_socket_t *sock, enum handshake_verdict verdict)
{
    struct handshake *handshake = sock->data;
    handshake_done *done = handshake->done;

    h2o_socket_read_stop(sock);
    sock->data = NULL;
    free(handshake);
    done(sock, verdict);
}

/* Sends past libh2o, which would drop the bytes, so that the peer learns the reason. */
static void handshake_send_now(h2o_socket_t *sock, const char *bytes, size_t len)
{
    if (len > 0)
        send(h2o_socket_get_fd(sock), bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void handshake_on_tls(h2o_socket_t *sock, const char *err)
{
    char alert[TLS_ALERT_SIZE];

    if (err == h2o_socket_error_closed || err == h2o_socket_error_io) {
        handshake_finish(sock, HANDSHAKE_PEER_LEFT);
    } else if (err != NULL) {
        handshake_send_now(sock, alert, tls_take_alert(alert));
        handshake_finish(sock, HANDSHAKE_TLS_FAILED);
    } else {
        handshake_finish(sock, HANDSHAKE_OK);
    }
}

/* libh2o creates the SSL object from the buffered bytes at once, and SSL holds its own reference
 * to the context. */
static void handshake_begin_tls(struct handshake *handshake, h2o_socket_t *sock)
{
    SSL_CTX *context = tls_hold(handshake->config->tls);

    h2o_socket_ssl_handshake(sock, context, NULL, handshake_on_tls);
    SSL_CTX_free(context);
}

static void handshake_refuse_plain(h2o_socket_t *sock)
{
    struct response response = response_of_problem(RESPONSE_TLS_REQUIRED);
    char raw[512];

    handshake_send_now(sock, raw, response_write_raw(raw, sizeof(raw), &response));
    handshake_finish(sock, HANDSHAKE_NO_TLS);
}

/* Returns false if the header is incomplete, or the handshake ended. */
static bool handshake_read_proxy_header(struct handshake *handshake, h2o_socket_t *sock)
{
    struct proxy_header header;

    switch (proxy_header_read(sock->input->bytes, sock->input->size, &header)) {
    case PROXY_HEADER_INCOMPLETE:
        return false;
    case PROXY_HEADER_WRONG:
        handshake_finish(sock, HANDSHAKE_NO_PROXY_HEADER);
        return false;
    case PROXY_HEADER_READ:
        break;
    }
    h2o_buffer_consume(&sock->input, header.len);
    if (header.source.ss_family != AF_UNSPEC)
        h2o_socket_setpeername(sock, (struct sockaddr *)&header.source,
                               header.source.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                                  : sizeof(struct sockaddr_in6));
    handshake->is_peer_known = true;
    if (handshake->peer_known(sock))
        return true;
    free(handshake);
    return false;
}

static void handshake_on_bytes(h2o_socket_t *sock, const char *err)
{
    struct handshake *handshake = sock->data;

    if (err != NULL)
        handshake_finish(sock, HANDSHAKE_PEER_LEFT);
    else if (!handshake->is_peer_known && !handshake_read_proxy_header(handshake, sock))
        return;
    else if (handshake->config->tls == NULL)
        handshake_finish(sock, HANDSHAKE_OK);
    else if (sock->input->size > 0 && sock->input->bytes[0] != TLS_RECORD_HANDSHAKE)
        handshake_refuse_plain(sock);
    else if (sock->input->size > 0)
        handshake_begin_tls(handshake, sock);
}

void handshake_start(const struct handshake_config *config, h2o_socket_t *sock,
                     handshake_peer_known *peer_known, handshake_done *done)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    struct handshake *handshake;

    if (config->proxies == NULL && config->tls == NULL) {
        done(sock, HANDSHAKE_OK);
        return;
    }
    h2o_socket_getpeername(sock, (struct sockaddr *)&peer);
    if (config->proxies != NULL && !proxies_trust(config->proxies, &peer)) {
        /* A peer that left already has no address. */
        done(sock, peer.ss_family == AF_UNSPEC ? HANDSHAKE_PEER_LEFT : HANDSHAKE_UNTRUSTED_PROXY);
        return;
    }
    sock->data = handshake = h2o_mem_alloc(sizeof(*handshake));
    *handshake = (struct handshake){config, peer_known, done, config->proxies == NULL};
    h2o_socket_read_start(sock, handshake_on_bytes);
}

bool handshake_is_busy(const h2o_socket_t *sock)
{
    return sock->ssl != NULL || sock->input->size > 0;
}
