/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>

#include "address.h"
#include "answer.h"
#include "clock.h"
#include "json_line.h"
#include "network.h"

enum {
    RESERVE = 128, /* connections beyond the limit that are told so, not just cut */
    LINGER_S = 2,
    FRESH_US = 1000000, /* who has just come may be about to send its first request */
};

enum phase {
    PHASE_IDLE,
    PHASE_HEADER,
    PHASE_BODY,
    PHASE_WORK,
    PHASE_ANSWER,
};

struct connection {
    struct connection_set *set;
    bool over_limit;
    int linger_fd;     /* what stays open of the socket when libh2o closes it, or -1 */
    unsigned requests; /* that it brought so far */
    /* As the sweep saw it last. Our own clock: libh2o's jumps when the wall clock is set. */
    enum phase phase;
    unsigned requests_seen;
    int64_t since_us;
};

struct connection_set {
    h2o_accept_ctx_t *accept;
    struct connection_limits limits;
    atomic_uint *count;
    unsigned size;
    h2o_linklist_t lingering;
};

/* A connection that has got its answer and is read from only so that it is not reset. */
struct lingering {
    h2o_linklist_t link;
    struct connection_set *set;
    h2o_socket_t *sock;
    int64_t until_us;
};

struct connection_set *connection_set_new(h2o_accept_ctx_t *accept,
                                          const struct connection_limits *limits,
                                          atomic_uint *count)
{
    struct connection_set *set = h2o_mem_alloc(sizeof(*set));

    *set = (struct connection_set){.accept = accept, .limits = *limits, .count = count};
    h2o_linklist_init_anchor(&set->lingering);
    return set;
}

void connection_set_free(struct connection_set **set)
{
    free(*set);
    *set = NULL;
}

unsigned connection_set_size(const struct connection_set *set)
{
    return set->size;
}

static void leave(struct connection_set *set)
{
    set->size--;
    atomic_fetch_sub(set->count, 1);
}

static struct lingering *lingering_of(h2o_linklist_t *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct lingering, link, link);
}

static void stop_lingering(struct lingering *l)
{
    h2o_linklist_unlink(&l->link);
    h2o_socket_close(l->sock);
    leave(l->set);
    free(l);
}

static void on_late_bytes(h2o_socket_t *sock, const char *err)
{
    h2o_buffer_consume(&sock->input, sock->input->size);
    if (err != NULL)
        stop_lingering(sock->data);
}

static void start_lingering(struct connection_set *set, int fd)
{
    struct lingering *l = h2o_mem_alloc(sizeof(*l));

    shutdown(fd, SHUT_WR);
    *l = (struct lingering){
        .set = set,
        .sock = h2o_evloop_socket_create(set->accept->ctx->loop, fd, 0),
        .until_us = clock_mono_us() + LINGER_S * 1000000,
    };
    l->sock->data = l;
    h2o_linklist_insert(&set->lingering, &l->link);
    h2o_socket_read_start(l->sock, on_late_bytes);
}

static void on_closed(void *data)
{
    struct connection *c = data;

    if (c->linger_fd >= 0)
        start_lingering(c->set, c->linger_fd);
    else
        leave(c->set);
    free(c);
}

static h2o_socket_t *socket_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn);
}

static struct connection *connection_of(h2o_req_t *req)
{
    return socket_of(req)->on_close.data;
}

void connection_begin(struct connection_set *set, h2o_socket_t *sock)
{
    unsigned open = atomic_fetch_add(set->count, 1) + 1;
    struct connection *c;

    set->size++;
    if (open > set->limits.connections + RESERVE) {
        h2o_socket_close(sock);
        leave(set);
        return;
    }
    c = h2o_mem_alloc(sizeof(*c));
    *c = (struct connection){
        .set = set,
        .over_limit = open > set->limits.connections,
        .linger_fd = -1,
        .since_us = clock_mono_us(),
    };
    sock->on_close.cb = on_closed;
    sock->on_close.data = c;
    h2o_accept(set->accept, sock);
}

void connection_linger(h2o_req_t *req)
{
    struct connection *c = connection_of(req);

    req->http1_is_persistent = 0;
    if (c->linger_fd < 0)
        c->linger_fd = fcntl(h2o_socket_get_fd(socket_of(req)), F_DUPFD_CLOEXEC, 0);
}

void connection_advance(h2o_req_t *req)
{
    connection_of(req)->since_us = clock_mono_us();
}

static void on_early_bytes(h2o_socket_t *sock, const char *err)
{
    (void)err;
    h2o_socket_read_stop(sock);
}

/* libh2o stops reading while a request is worked on, and would take the socket out of the loop's
 * set and put it back: two calls of the kernel for each request. Bytes that come early stay in the
 * buffer, which may move: from now on only what respond.c looks at is read of the request. */
void connection_await(h2o_req_t *req)
{
    req->input.method = h2o_strdup(&req->pool, req->input.method.base, req->input.method.len);
    h2o_socket_read_start(socket_of(req), on_early_bytes);
}

static enum phase phase_of(const h2o_req_t *req)
{
    if (req->pathconf != NULL)
        return req->timestamps.response_start_at.tv_sec != 0 ? PHASE_ANSWER : PHASE_WORK;
    if (req->timestamps.request_body_begin_at.tv_sec != 0)
        return PHASE_BODY;
    return req->timestamps.request_begin_at.tv_sec != 0 ? PHASE_HEADER : PHASE_IDLE;
}

static int64_t limit_us(const struct connection_limits *limits, enum phase phase)
{
    switch (phase) {
    case PHASE_IDLE:
        return (int64_t)limits->idle_s * 1000000;
    case PHASE_HEADER:
        return (int64_t)limits->header_s * 1000000;
    case PHASE_BODY:
    case PHASE_ANSWER:
        return (int64_t)limits->body_s * 1000000;
    case PHASE_WORK:
        break;
    }
    return INT64_MAX;
}

/* Past libh2o, which can only close: the peer may as well know why. */
static void send_timeout(int fd)
{
    struct answer answer = answer_to_problem(ANSWER_REQUEST_TIMEOUT);
    struct json_line body = {0};
    char response[512];
    int len;

    answer_write_refusal(&body, &answer, NULL);
    len = snprintf(response, sizeof(response),
                   "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%.*s",
                   answer.status, answer.phrase, body.len, (int)body.len,
                   body.base == NULL ? "" : body.base);
    if (len > 0 && (size_t)len < sizeof(response))
        send(fd, response, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    json_line_free(&body);
}

static bool has_input(int fd)
{
    int waiting = 0;

    return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

struct sweep {
    struct connection_set *set;
    int64_t now_us;
    bool draining;
};

/* libh2o closes a connection itself when it meets the end of a stream that was shut down here. */
static int examine(h2o_req_t *req, void *data)
{
    const struct sweep *sweep = data;
    struct connection *c = connection_of(req);
    int fd = h2o_socket_get_fd(socket_of(req));
    enum phase phase = phase_of(req);

    if (phase != c->phase || c->requests_seen != c->requests) {
        c->phase = phase;
        c->requests_seen = c->requests;
        c->since_us = sweep->now_us;
    }
    if (sweep->draining && phase == PHASE_IDLE && !has_input(fd) &&
        (c->requests > 0 || sweep->now_us - c->since_us > FRESH_US)) {
        shutdown(fd, SHUT_RDWR);
    } else if (sweep->now_us - c->since_us > limit_us(&sweep->set->limits, phase)) {
        if (phase == PHASE_HEADER || phase == PHASE_BODY)
            send_timeout(fd);
        shutdown(fd, SHUT_RDWR);
    }
    return 0;
}

static int cut(h2o_req_t *req, void *data)
{
    (void)data;
    shutdown(h2o_socket_get_fd(socket_of(req)), SHUT_RDWR);
    return 0;
}

static void for_each(struct connection_set *set, int (*visit)(h2o_req_t *, void *), void *data)
{
    h2o_context_t *ctx = set->accept->ctx;

    ctx->globalconf->http1.callbacks.foreach_request(ctx, visit, data);
}

static void sweep_lingering(struct connection_set *set, int64_t now_us)
{
    h2o_linklist_t *link = set->lingering.next;

    while (link != &set->lingering) {
        struct lingering *l = lingering_of(link);

        link = link->next;
        if (now_us >= l->until_us)
            stop_lingering(l);
    }
}

void connection_sweep(struct connection_set *set, bool draining)
{
    struct sweep sweep = {set, clock_mono_us(), draining};

    for_each(set, examine, &sweep);
    sweep_lingering(set, sweep.now_us);
}

void connection_set_cut(struct connection_set *set)
{
    for_each(set, cut, NULL);
    sweep_lingering(set, INT64_MAX);
}

/* The filter of protocol_error turns it into an answer of ours, and records it. */
static int on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct connection *c = connection_of(req);

    (void)handler;
    c->requests++;
    /* libh2o looks at this when it reads the headers, which may have been before. */
    if (req->conn->ctx->shutdown_requested)
        req->http1_is_persistent = 0;
    if (!c->over_limit)
        return -1;
    h2o_send_error_generic(req, 503, "Service Unavailable", "too many connections",
                           H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION);
    return 0;
}

void connection_register(h2o_pathconf_t *path)
{
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;
}

void connection_remote(h2o_req_t *req, struct network_host *host, char *text)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};

    req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&peer);
    address_write(&peer, text);
    if (!network_host_of(&peer, host))
        *host = (struct network_host){0};
}
