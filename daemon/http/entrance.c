/* SPDX-License-Identifier: MIT */
#include "daemon/http/entrance.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <h2o.h>

#include "daemon/http/answer.h"
#include "daemon/base/proxies.h"
#include "daemon/http/proxy_header.h"
#include "daemon/http/tls.h"

enum {
    TLS_HANDSHAKE = 0x16 /* the first byte of whoever speaks TLS */
};

struct passage {
    const struct entrance *entrance;
    entrance_introduced *introduced;
    entrance_done *done;
    bool is_introduced; /* the proxy's header was read, or is not asked for */
};

const char *entrance_verdict_name(enum entrance_verdict verdict)
{
    static const char *const names[ENTRANCE_VERDICTS] = {
        [ENTRANCE_UNTRUSTED] = "untrusted_proxy",
        [ENTRANCE_NO_PROXY_HEADER] = "no_proxy_header",
        [ENTRANCE_NO_TLS] = "no_tls",
        [ENTRANCE_TLS_FAILED] = "tls_failed",
    };

    return names[verdict];
}

static void finish(h2o_socket_t *sock, enum entrance_verdict verdict)
{
    struct passage *p = sock->data;
    entrance_done *done = p->done;

    h2o_socket_read_stop(sock);
    sock->data = NULL;
    free(p);
    done(sock, verdict);
}

/* Past libh2o, which drops it: the peer may as well know why. */
static void send_now(h2o_socket_t *sock, const char *bytes, size_t len)
{
    if (len > 0)
        send(h2o_socket_get_fd(sock), bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_handshake(h2o_socket_t *sock, const char *err)
{
    char alert[TLS_ALERT_SIZE];

    if (err == h2o_socket_error_closed || err == h2o_socket_error_io) {
        finish(sock, ENTRANCE_LEFT);
    } else if (err != NULL) {
        send_now(sock, alert, tls_take_alert(alert));
        finish(sock, ENTRANCE_TLS_FAILED);
    } else {
        finish(sock, ENTRANCE_OPEN);
    }
}

/* libh2o makes the SSL, which holds the context itself, of the first bytes: they are there. */
static void begin_tls(struct passage *p, h2o_socket_t *sock)
{
    SSL_CTX *context = tls_hold(p->entrance->tls);

    h2o_socket_ssl_handshake(sock, context, NULL, on_handshake);
    SSL_CTX_free(context);
}

static void refuse_plain(h2o_socket_t *sock)
{
    struct answer answer = answer_to_problem(ANSWER_TLS_REQUIRED);
    char response[512];

    send_now(sock, response, answer_write_response(response, sizeof(response), &answer));
    finish(sock, ENTRANCE_NO_TLS);
}

/* False if more has to come first, or it was the end. */
static bool read_header(struct passage *p, h2o_socket_t *sock)
{
    struct proxy_header header;

    switch (proxy_header_read(sock->input->bytes, sock->input->size, &header)) {
    case PROXY_HEADER_INCOMPLETE:
        return false;
    case PROXY_HEADER_WRONG:
        finish(sock, ENTRANCE_NO_PROXY_HEADER);
        return false;
    case PROXY_HEADER_READ:
        break;
    }
    h2o_buffer_consume(&sock->input, header.len);
    if (header.source.ss_family != AF_UNSPEC)
        h2o_socket_setpeername(sock, (struct sockaddr *)&header.source,
                               header.source.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                                  : sizeof(struct sockaddr_in6));
    p->is_introduced = true;
    if (p->introduced(sock))
        return true;
    free(p);
    return false;
}

static void on_bytes(h2o_socket_t *sock, const char *err)
{
    struct passage *p = sock->data;

    if (err != NULL)
        finish(sock, ENTRANCE_LEFT);
    else if (!p->is_introduced && !read_header(p, sock))
        return;
    else if (p->entrance->tls == NULL)
        finish(sock, ENTRANCE_OPEN);
    else if (sock->input->size > 0 && sock->input->bytes[0] != TLS_HANDSHAKE)
        refuse_plain(sock);
    else if (sock->input->size > 0)
        begin_tls(p, sock);
}

void entrance_pass(const struct entrance *entrance, h2o_socket_t *sock,
                   entrance_introduced *introduced, entrance_done *done)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    struct passage *p;

    if (entrance->proxies == NULL && entrance->tls == NULL) {
        done(sock, ENTRANCE_OPEN);
        return;
    }
    h2o_socket_getpeername(sock, (struct sockaddr *)&peer);
    if (entrance->proxies != NULL && !proxies_trust(entrance->proxies, &peer)) {
        /* Who has gone by now has no address any more. */
        done(sock, peer.ss_family == AF_UNSPEC ? ENTRANCE_LEFT : ENTRANCE_UNTRUSTED);
        return;
    }
    sock->data = p = h2o_mem_alloc(sizeof(*p));
    *p = (struct passage){entrance, introduced, done, entrance->proxies == NULL};
    h2o_socket_read_start(sock, on_bytes);
}

bool entrance_is_busy(const h2o_socket_t *sock)
{
    return sock->ssl != NULL || sock->input->size > 0;
}
