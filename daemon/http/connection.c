/* SPDX-License-Identifier: MIT */
#include "daemon/http/connection.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>
#include <h2o/http1.h>

#include "daemon/base/clock.h"
#include "daemon/base/limit.h"
#include "daemon/http/response.h"
#include "daemon/http/tls.h"

/* Reads the headers last to first, because the nearest proxy added the last one. */
static void client_addr_follow_proxies(const h2o_req_t *req, const struct proxies *proxies,
                                       struct network_host *host)
{
    for (size_t i = req->headers.size; i > 0; i--) {
        const h2o_header_t *header = &req->headers.entries[i - 1];

        if (header->name == &H2O_TOKEN_X_FORWARDED_FOR->buf &&
            !proxies_resolve_forwarded(proxies, header->value.base, header->value.len, host))
            return;
    }
}

/* Sets *sender. X-Forwarded-For counts only from `proxies`; NULL: from no proxy. */
static void client_addr_find(h2o_req_t *req, const struct proxies *proxies,
                             struct client_addr *sender)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    bool trusted;

    sender->host = (struct network_host){.family = 0};
    req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&peer);
    trusted = proxies != NULL && proxies_trust(proxies, &peer);
    if (trusted)
        client_addr_follow_proxies(req, proxies, &sender->host);
    if (sender->host.family != 0) {
        network_host_write(&sender->host, sender->text);
    } else {
        network_host_of(&peer, &sender->host);
        address_write(&peer, sender->text);
    }
    sender->is_proxy = trusted && proxies_trust_host(proxies, &sender->host);
}

bool client_addr_is_known(const struct client_addr *sender)
{
    return sender->host.family != 0 && !sender->is_proxy;
}

/* ---- deadlines */

enum {
    CLOSING_S = 2
};

void deadline_enter(struct deadline *d, enum deadline_phase phase, unsigned request, int64_t now_us)
{
    if (phase != d->phase || request != d->request)
        *d = (struct deadline){phase, request, now_us};
}

static int64_t deadline_limit_s(const struct deadline_limits *limits, enum deadline_phase phase)
{
    switch (phase) {
    case DEADLINE_IDLE:
        return limits->idle_s;
    case DEADLINE_HANDSHAKE:
    case DEADLINE_HEAD:
        return limits->header_s;
    case DEADLINE_BODY:
    case DEADLINE_RESPONSE:
        return limits->body_s;
    case DEADLINE_CLOSING:
        return CLOSING_S;
    case DEADLINE_WORK:
        break;
    }
    return INT64_MAX / 1000000;
}

bool deadline_is_over(const struct deadline *d, const struct deadline_limits *limits,
                      int64_t now_us)
{
    return now_us - d->since_us > deadline_limit_s(limits, d->phase) * 1000000;
}

/* ---- lingering sockets */

enum {
    LINGER_S = 2
};

/* Half-closed sockets after an early answer. Each is read and discarded until the peer closes, for
 * LINGER_S at most: closing a socket with unread input sends a reset, and the peer's kernel would
 * discard the answer. */
struct lingering {
    h2o_loop_t *loop;
    void (*gone)(void *data);
    h2o_linklist_t all;
};

struct lingering_socket {
    h2o_linklist_t link;
    struct lingering *lingering;
    h2o_socket_t *sock;
    void *data;
    int64_t until_us;
};

/* `gone` gets the `data` of each socket that ends. */
static struct lingering *lingering_new(h2o_loop_t *loop, void (*gone)(void *data))
{
    struct lingering *lingering = h2o_mem_alloc(sizeof(*lingering));

    *lingering = (struct lingering){.loop = loop, .gone = gone};
    h2o_linklist_init_anchor(&lingering->all);
    return lingering;
}

static void lingering_free(struct lingering **lingering)
{
    free(*lingering);
    *lingering = NULL;
}

static void lingering_end(struct lingering_socket *l)
{
    h2o_linklist_unlink(&l->link);
    h2o_socket_close(l->sock);
    l->lingering->gone(l->data);
    free(l);
}

static void lingering_on_late_bytes(h2o_socket_t *sock, const char *err)
{
    h2o_buffer_consume(&sock->input, sock->input->size);
    if (err != NULL)
        lingering_end(sock->data);
}

/* Takes over `fd` and closes it after LINGER_S at most. */
static void lingering_add(struct lingering *lingering, int fd, void *data)
{
    struct lingering_socket *l = h2o_mem_alloc(sizeof(*l));

    shutdown(fd, SHUT_WR);
    *l = (struct lingering_socket){
        .lingering = lingering,
        .sock = h2o_evloop_socket_create(lingering->loop, fd, 0),
        .data = data,
        .until_us = clock_mono_us() + LINGER_S * 1000000,
    };
    l->sock->data = l;
    h2o_linklist_insert(&lingering->all, &l->link);
    h2o_socket_read_start(l->sock, lingering_on_late_bytes);
}

/* Ends overdue sockets, with INT64_MAX all of them. Call about once a second. */
static void lingering_sweep(struct lingering *lingering, int64_t now_us)
{
    h2o_linklist_t *link = lingering->all.next;

    while (link != &lingering->all) {
        struct lingering_socket *l = H2O_STRUCT_FROM_MEMBER(struct lingering_socket, link, link);

        link = link->next;
        if (now_us >= l->until_us)
            lingering_end(l);
    }
}

/* ---- connections */

enum {
    CONNECTION_RESERVE = 128, /* beyond the limit: answered 503, not just closed */
    CONNECTION_RESERVE_OF_HOST = 8,
    CONNECTION_FRESH_US = 1000000,
    CONNECTION_QUIET_US = 500000,
    HTTP10_HEAD_MAX = 65536, /* bytes; libh2o refuses a longer head */
};

struct connection {
    h2o_linklist_t link, end_link; /* in `all` and `ending` */
    struct connection_set *set;
    h2o_socket_t *sock;
    bool over_limit;
    bool has_host; /* counted at `slot` */
    bool over_host_limit;
    bool ended; /* the limit that ended it is counted */
    struct conn_count_slot slot;
    int linger_fd;               /* duplicate that outlives libh2o's close, or -1 */
    unsigned requests;           /* received so far */
    h2o_socket_cb on_first_head; /* libh2o's reader, called until the first line is there */
    size_t answered;             /* sock->bytes_written after the last request */
    unsigned sweep_seen;
    /* Phase at the last sweep. Monotonic: libh2o's clock jumps when the wall clock is set. */
    struct deadline deadline;
};

struct connection_set {
    h2o_accept_ctx_t *accept;
    struct connection_limits limits;
    const struct proxies *proxies;
    struct connection_counts *counts;
    unsigned size, sweeps;
    h2o_linklist_t all;    /* without lingering ones */
    h2o_linklist_t ending; /* closed as soon as no request is in progress */
    struct lingering *lingering;
};

static void connection_count_out(struct connection_set *set)
{
    set->size--;
    atomic_fetch_sub(&set->counts->open, 1);
}

/* Runs after the socket is closed, so that a lingering connection still counts. */
static void connection_free(void *data)
{
    struct connection *c = data;

    if (c->has_host)
        conn_count_remove(c->set->counts->conn_count, &c->slot);
    connection_count_out(c->set);
    free(c);
}

/* Marks the connection for connection_turn(), which closes it with a TLS close_notify. */
static void connection_end_later(struct connection *c)
{
    if (!h2o_linklist_is_linked(&c->end_link))
        h2o_linklist_insert(&c->set->ending, &c->end_link);
}

static void connection_on_close_notify(void *socket)
{
    connection_end_later(((h2o_socket_t *)socket)->on_close.data);
}

struct connection_set *connection_set_new(h2o_accept_ctx_t *accept,
                                          const struct connection_limits *limits,
                                          const struct proxies *proxies,
                                          struct connection_counts *counts)
{
    struct connection_set *set = h2o_mem_alloc(sizeof(*set));

    *set = (struct connection_set){
        .accept = accept, .limits = *limits, .proxies = proxies, .counts = counts};
    h2o_linklist_init_anchor(&set->all);
    h2o_linklist_init_anchor(&set->ending);
    tls_on_close_notify(connection_on_close_notify);
    set->lingering = lingering_new(accept->ctx->loop, connection_free);
    return set;
}

void connection_set_limit(struct connection_set *set, const struct connection_limits *limits)
{
    set->limits = *limits;
}

void connection_set_free(struct connection_set **set)
{
    lingering_free(&(*set)->lingering);
    free(*set);
    *set = NULL;
}

unsigned connection_set_size(const struct connection_set *set)
{
    return set->size;
}

const char *connection_end_name(enum connection_end end)
{
    static const char *const names[CONNECTION_ENDS] = {
        [CONNECTION_TOO_MANY] = "too_many_connections",
        [CONNECTION_TOO_MANY_FROM_ADDRESS] = "too_many_from_address",
        [CONNECTION_BAD_HEAD] = "bad_head",
        [CONNECTION_SLOW_HEAD] = "slow_head",
        [CONNECTION_SLOW_BODY] = "slow_body",
        [CONNECTION_SLOW_READER] = "slow_reader",
        [CONNECTION_IDLE] = "idle",
    };

    return names[end];
}

static void connection_count_end(struct connection_set *set, enum connection_end end)
{
    atomic_fetch_add_explicit(&set->counts->ended[end], 1, memory_order_relaxed);
}

/* Returns true if libh2o refused a head that it could not parse. libh2o reports no error; the
 * only trace is written bytes that answer no request. */
static bool connection_had_bad_head(const struct connection *c)
{
    const size_t proceed = sizeof("HTTP/1.1 100 Continue\r\n\r\n") - 1;

    return !c->ended && c->linger_fd < 0 && c->deadline.phase != DEADLINE_HANDSHAKE &&
           c->sock->bytes_written > c->answered + proceed;
}

static void connection_on_closed(void *data)
{
    struct connection *c = data;

    if (connection_had_bad_head(c))
        connection_count_end(c->set, CONNECTION_BAD_HEAD);
    h2o_linklist_unlink(&c->link);
    if (h2o_linklist_is_linked(&c->end_link))
        h2o_linklist_unlink(&c->end_link);
    if (c->linger_fd >= 0)
        lingering_add(c->set->lingering, c->linger_fd, c);
    else
        connection_free(c);
}

static h2o_socket_t *connection_socket_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn);
}

static struct connection *connection_of_request(h2o_req_t *req)
{
    return connection_socket_of(req)->on_close.data;
}

static void connection_keep_fd(struct connection *c)
{
    if (c->linger_fd < 0)
        c->linger_fd = fcntl(h2o_socket_get_fd(c->sock), F_DUPFD_CLOEXEC, 0);
}

/* Counts the connection for its host. Closes it and returns false if the host is far over its
 * limit. A trusted proxy is not counted; its client is, once the PROXY header is read. */
static bool connection_count_host(struct connection *c)
{
    struct connection_set *set = c->set;
    unsigned max = set->limits.per_address == 0 ? UINT_MAX : set->limits.per_address, of_host;
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    struct network_host host;

    if (c->has_host)
        return true;
    h2o_socket_getpeername(c->sock, (struct sockaddr *)&peer);
    if (!network_host_of(&peer, &host) ||
        (set->proxies != NULL && proxies_trust(set->proxies, &peer)))
        return true;
    c->has_host = true;
    of_host = conn_count_add(set->counts->conn_count, &host, &c->slot);
    c->over_host_limit = of_host > max;
    if (of_host <= max || of_host - max <= CONNECTION_RESERVE_OF_HOST)
        return true;
    connection_count_end(set, CONNECTION_TOO_MANY_FROM_ADDRESS);
    h2o_socket_close(c->sock);
    return false;
}

/* ---- HTTP/1.0 */

/* Returns the length of the head with its empty line; 0 if it is not there yet. */
static size_t http10_head_length(const h2o_buffer_t *input)
{
    const char *end = memmem(input->bytes, input->size, "\r\n\r\n", 4);

    return end == NULL ? 0 : (size_t)(end + 4 - input->bytes);
}

static bool http10_is_version(const h2o_buffer_t *input)
{
    static const char end[] = " HTTP/1.0\r\n";
    const char *line_end = memchr(input->bytes, '\n', input->size);

    return line_end != NULL && input->size < HTTP10_HEAD_MAX &&
           (size_t)(line_end + 1 - input->bytes) >= sizeof(end) - 1 &&
           memcmp(line_end + 1 - (sizeof(end) - 1), end, sizeof(end) - 1) == 0;
}

/* Renames Expect, which a server ignores in HTTP/1.0 (RFC 9110, section 10.1.1): libh2o would
 * answer 100 Continue. */
static void http10_hide_expect(h2o_buffer_t *input, size_t head)
{
    char *line = input->bytes, *end = input->bytes + head;

    while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        line++;
        if (end - line > 7 && strncasecmp(line, "expect:", 7) == 0)
            memcpy(line, "ignore", 6);
    }
}

/* Holds a request of HTTP/1.0 back until its head is there. */
static void http10_on_first_head(h2o_socket_t *sock, const char *err)
{
    struct connection *c = sock->on_close.data;
    h2o_socket_cb libh2o = c->on_first_head;

    if (err == NULL && http10_is_version(sock->input)) {
        size_t head = http10_head_length(sock->input);

        if (head == 0)
            return;
        http10_hide_expect(sock->input, head);
    }
    if (err != NULL || memchr(sock->input->bytes, '\n', sock->input->size) != NULL)
        sock->_cb.read = libh2o;
    libh2o(sock, err);
}

static void http10_accept(struct connection *c)
{
    h2o_accept_ctx_t *accept = c->set->accept;
    h2o_socket_t *sock = c->sock;
    bool is_silent = sock->input->size == 0;

    if (!is_silent && http10_is_version(sock->input))
        http10_hide_expect(sock->input, http10_head_length(sock->input));
    h2o_http1_accept(accept, sock, *h2o_get_timestamp(accept->ctx, NULL, NULL));
    if (!is_silent)
        return; /* the connection may have ended */
    c->on_first_head = sock->_cb.read;
    sock->_cb.read = http10_on_first_head;
}

/* ---- accepted connections */

static void connection_on_handshake(h2o_socket_t *sock, enum handshake_verdict verdict)
{
    struct connection *c = sock->on_close.data;

    if (verdict == HANDSHAKE_OK) {
        deadline_enter(&c->deadline, DEADLINE_IDLE, 0, clock_mono_us());
        http10_accept(c);
        return;
    }
    atomic_fetch_add(&c->set->counts->refused[verdict], 1);
    if (verdict == HANDSHAKE_NO_TLS || verdict == HANDSHAKE_TLS_FAILED)
        connection_keep_fd(c);
    h2o_socket_close(sock);
}

static bool connection_on_peer_known(h2o_socket_t *sock)
{
    return connection_count_host(sock->on_close.data);
}

void connection_begin(struct connection_set *set, h2o_socket_t *sock,
                      const struct handshake_config *handshake)
{
    unsigned open = atomic_fetch_add(&set->counts->open, 1) + 1;
    struct connection *c;

    set->size++;
    if (open > set->limits.connections + CONNECTION_RESERVE) {
        h2o_socket_close(sock);
        connection_count_end(set, CONNECTION_TOO_MANY);
        connection_count_out(set);
        return;
    }
    c = h2o_mem_alloc(sizeof(*c));
    *c = (struct connection){
        .set = set,
        .sock = sock,
        .over_limit = open > set->limits.connections,
        .linger_fd = -1,
        .deadline = {DEADLINE_HANDSHAKE, 0, clock_mono_us()},
    };
    sock->on_close.cb = connection_on_closed;
    sock->on_close.data = c;
    h2o_linklist_insert(&set->all, &c->link);
    if (!connection_count_host(c))
        return;
    if (handshake == NULL)
        connection_on_handshake(sock, HANDSHAKE_OK);
    else
        handshake_start(handshake, sock, connection_on_peer_known, connection_on_handshake);
}

void connection_linger(h2o_req_t *req)
{
    req->http1_is_persistent = 0;
    connection_keep_fd(connection_of_request(req));
}

void connection_note_progress(h2o_req_t *req)
{
    connection_of_request(req)->deadline.since_us = clock_mono_us();
}

static void connection_on_early_bytes(h2o_socket_t *sock, const char *err)
{
    (void)err;
    h2o_socket_read_stop(sock);
}

/* libh2o stops reading while a request is in progress, which removes the socket from the epoll
 * set and adds it again: two system calls a request. Reading on avoids both. Early bytes stay in
 * the input buffer, which may move, so the method, which the response still needs, is copied. */
void connection_defer(h2o_req_t *req)
{
    req->input.method = h2o_strdup(&req->pool, req->input.method.base, req->input.method.len);
    h2o_socket_read_start(connection_socket_of(req), connection_on_early_bytes);
}

/* Skips a connection with a request in progress: it has no read callback, or
 * connection_on_early_bytes(). */
void connection_turn(struct connection_set *set)
{
    h2o_linklist_t *link = set->ending.next;

    while (link != &set->ending) {
        struct connection *c = H2O_STRUCT_FROM_MEMBER(struct connection, end_link, link);
        h2o_socket_cb on_read = c->sock->_cb.read;

        link = link->next;
        if (on_read != NULL && on_read != connection_on_early_bytes)
            on_read(c->sock, h2o_socket_error_closed);
    }
}

static enum deadline_phase connection_phase_of(const h2o_req_t *req)
{
    if (req->pathconf != NULL)
        return req->timestamps.response_start_at.tv_sec != 0 ? DEADLINE_RESPONSE : DEADLINE_WORK;
    if (req->timestamps.request_body_begin_at.tv_sec != 0)
        return DEADLINE_BODY;
    return req->timestamps.request_begin_at.tv_sec != 0 ? DEADLINE_HEAD : DEADLINE_IDLE;
}

static void connection_on_written(h2o_socket_t *sock, const char *err)
{
    (void)sock;
    (void)err;
}

/* Sends the 408 past libh2o, which can only close. */
static void connection_send_timeout(h2o_socket_t *sock)
{
    struct response response = response_of_problem(RESPONSE_REQUEST_TIMEOUT);
    char raw[512];
    h2o_iovec_t bytes = {raw, response_write_raw(raw, sizeof(raw), &response)};

    if (sock->ssl == NULL)
        send(h2o_socket_get_fd(sock), bytes.base, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (!h2o_socket_is_writing(sock))
        h2o_socket_write(sock, &bytes, 1, connection_on_written);
}

static bool connection_has_input(int fd)
{
    int waiting = 0;

    return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

struct connection_sweep_state {
    struct connection_set *set;
    int64_t now_us;
    bool draining;
};

/* A new connection may be about to send its first request, and a client that just got an answer may
 * have sent the next one: closing now would lose that request. Its answer will announce the end of
 * the connection. */
static bool connection_is_fresh(const struct connection *c, int64_t now_us)
{
    return now_us - c->deadline.since_us <=
           (c->requests > 0 ? CONNECTION_QUIET_US : CONNECTION_FRESH_US);
}

static bool connection_is_overdue(const struct connection *c, int64_t now_us)
{
    return deadline_is_over(&c->deadline, &c->set->limits.deadlines, now_us);
}

static void connection_count_slow(struct connection *c)
{
    static const enum connection_end ends[DEADLINE_PHASES] = {
        [DEADLINE_HANDSHAKE] = CONNECTION_SLOW_HEAD, [DEADLINE_IDLE] = CONNECTION_IDLE,
        [DEADLINE_HEAD] = CONNECTION_SLOW_HEAD,      [DEADLINE_BODY] = CONNECTION_SLOW_BODY,
        [DEADLINE_WORK] = CONNECTION_SLOW_READER,    [DEADLINE_RESPONSE] = CONNECTION_SLOW_READER,
        [DEADLINE_CLOSING] = CONNECTION_SLOW_READER,
    };

    if (!c->ended)
        connection_count_end(c->set, ends[c->deadline.phase]);
    c->ended = true;
}

/* shutdown() suffices: libh2o reads the end of the stream and closes the connection. */
static int connection_sweep_request(h2o_req_t *req, void *data)
{
    const struct connection_sweep_state *sweep = data;
    struct connection *c = connection_of_request(req);
    int fd = h2o_socket_get_fd(c->sock);

    c->sweep_seen = sweep->set->sweeps;
    deadline_enter(&c->deadline, connection_phase_of(req), c->requests, sweep->now_us);
    if (sweep->draining && c->deadline.phase == DEADLINE_IDLE && !connection_has_input(fd) &&
        !connection_is_fresh(c, sweep->now_us)) {
        connection_end_later(c);
    } else if (connection_is_overdue(c, sweep->now_us)) {
        if (c->deadline.phase == DEADLINE_HEAD || c->deadline.phase == DEADLINE_BODY)
            connection_send_timeout(c->sock);
        connection_count_slow(c);
        if (c->deadline.phase == DEADLINE_IDLE)
            connection_end_later(c);
        else
            shutdown(fd, SHUT_RDWR);
    }
    return 0;
}

/* Returns true if an accepted connection has sent nothing for CONNECTION_FRESH_US. */
static bool connection_is_silent(const struct connection *c, int fd, int64_t now_us)
{
    return c->deadline.phase == DEADLINE_HANDSHAKE && !handshake_is_busy(c->sock) &&
           !connection_has_input(fd) && !connection_is_fresh(c, now_us);
}

/* Sweeps connections without a request in libh2o: still in the handshake, or already closing. */
static void connection_sweep_others(const struct connection_sweep_state *sweep)
{
    h2o_linklist_t *all = &sweep->set->all;

    for (h2o_linklist_t *link = all->next; link != all; link = link->next) {
        struct connection *c = H2O_STRUCT_FROM_MEMBER(struct connection, link, link);
        int fd = h2o_socket_get_fd(c->sock);

        if (c->sweep_seen == sweep->set->sweeps)
            continue;
        if (c->deadline.phase != DEADLINE_HANDSHAKE)
            deadline_enter(&c->deadline, DEADLINE_CLOSING, c->requests, sweep->now_us);
        if (connection_is_overdue(c, sweep->now_us))
            connection_count_slow(c);
        if (connection_is_overdue(c, sweep->now_us) ||
            (sweep->draining && connection_is_silent(c, fd, sweep->now_us)))
            shutdown(fd, SHUT_RDWR);
    }
}

void connection_sweep(struct connection_set *set, bool draining)
{
    struct connection_sweep_state sweep = {set, clock_mono_us(), draining};

    h2o_context_t *ctx = set->accept->ctx;

    set->sweeps++;
    ctx->globalconf->http1.callbacks.foreach_request(ctx, connection_sweep_request, &sweep);
    connection_sweep_others(&sweep);
    connection_turn(set);
    lingering_sweep(set->lingering, sweep.now_us);
}

void connection_set_cut(struct connection_set *set)
{
    h2o_linklist_t *all = &set->all;

    for (h2o_linklist_t *link = all->next; link != all; link = link->next)
        shutdown(h2o_socket_get_fd(H2O_STRUCT_FROM_MEMBER(struct connection, link, link)->sock),
                 SHUT_RDWR);
    lingering_sweep(set->lingering, INT64_MAX);
}

static void connection_on_request_over(void *data)
{
    struct connection *c = *(struct connection **)data;

    c->answered = c->sock->bytes_written;
}

/* The protocol_error filter (receiver.c) replaces the body with JSON and records the refusal. */
static int connection_on_request(h2o_handler_t *handler, h2o_req_t *req)
{
    struct connection *c = connection_of_request(req);

    (void)handler;
    c->requests++;
    *(struct connection **)h2o_mem_alloc_shared(&req->pool, sizeof(c), connection_on_request_over) =
        c;
    /* libh2o checks this when it parses the headers, possibly before the stop. */
    if (req->conn->ctx->shutdown_requested || req->version < 0x101)
        req->http1_is_persistent = 0;
    if (c->over_limit) {
        connection_count_end(c->set, CONNECTION_TOO_MANY);
        h2o_send_error_generic(req, 503, "Service Unavailable", "too many connections",
                               H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION);
    } else if (c->over_host_limit) {
        connection_count_end(c->set, CONNECTION_TOO_MANY_FROM_ADDRESS);
        h2o_send_error_generic(req, 429, "Too Many Requests", "too many connections",
                               H2O_SEND_ERROR_HTTP1_CLOSE_CONNECTION);
    } else {
        return -1;
    }
    return 0;
}

void connection_register(h2o_pathconf_t *path)
{
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = connection_on_request;
}

void connection_client_addr(h2o_req_t *req, struct client_addr *sender)
{
    client_addr_find(req, connection_of_request(req)->set->proxies, sender);
}
