/* SPDX-License-Identifier: MIT */
#include "daemon/http/connection.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/base/limit.h"
#include "daemon/http/http1.h"
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
    CONNECTION_KERNEL_S = 5,
};

struct connection {
    h2o_linklist_t link, end_link; /* in `all` and `ending` */
    struct connection_set *set;
    h2o_socket_t *sock;
    struct http1 *http1; /* NULL: in the handshake, or closing */
    bool over_limit;
    bool has_host; /* counted at `slot` */
    bool over_host_limit;
    bool is_cut; /* ended, but its socket is still open */
    struct conn_count_slot slot;
    int linger_fd; /* duplicate that outlives libh2o's close, or -1 */
    /* Phase at the last sweep. Monotonic: libh2o's clock jumps when the wall clock is set. */
    struct deadline deadline;
};

struct connection_set {
    struct http1_config http1;
    struct connection_options options;
    unsigned size;
    bool is_idle;          /* counted in idle_sets */
    h2o_linklist_t all;    /* longest idle first; without lingering ones */
    h2o_linklist_t ending; /* closed as soon as no request is in progress */
    struct lingering *lingering;
};

static struct connection *connection_of_link(h2o_linklist_t *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct connection, link, link);
}

static struct connection *connection_of_socket(const h2o_socket_t *sock)
{
    return sock->on_close.data;
}

static struct connection *connection_of_request(h2o_req_t *req)
{
    return connection_of_socket(req->conn->callbacks->get_socket(req->conn));
}

static void connection_count_out(struct connection_set *set)
{
    set->size--;
    atomic_fetch_sub(&set->options.counts->open, 1);
}

/* Runs after the socket is closed, so that a lingering connection still counts. */
static void connection_free(void *data)
{
    struct connection *c = data;

    if (c->has_host)
        conn_count_remove(c->set->options.counts->conn_count, &c->slot);
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
    connection_end_later(connection_of_socket(socket));
}

const char *connection_end_name(enum connection_end end)
{
    static const char *const names[CONNECTION_ENDS] = {
        [CONNECTION_TOO_MANY] = "too_many_connections",
        [CONNECTION_TOO_MANY_FROM_ADDRESS] = "too_many_from_address",
        [CONNECTION_MADE_ROOM] = "made_room",
        [CONNECTION_BAD_HEAD] = "bad_head",
        [CONNECTION_BODIES_FULL] = "bodies_full",
        [CONNECTION_SLOW_HEAD] = "slow_head",
        [CONNECTION_SLOW_BODY] = "slow_body",
        [CONNECTION_SLOW_READER] = "slow_reader",
        [CONNECTION_IDLE] = "idle",
    };

    return names[end];
}

static void connection_count_end(struct connection_set *set, enum connection_end end)
{
    atomic_fetch_add_explicit(&set->options.counts->ended[end], 1, memory_order_relaxed);
}

static void connection_on_closed(void *data)
{
    struct connection *c = data;

    h2o_linklist_unlink(&c->link);
    if (h2o_linklist_is_linked(&c->end_link))
        h2o_linklist_unlink(&c->end_link);
    if (c->linger_fd >= 0)
        lingering_add(c->set->lingering, c->linger_fd, c);
    else
        connection_free(c);
}

static void connection_keep_fd(struct connection *c)
{
    if (c->linger_fd < 0)
        c->linger_fd = fcntl(h2o_socket_get_fd(c->sock), F_DUPFD_CLOEXEC, 0);
}

/* ---- limits */

/* Counts the connection for its host. Closes it and returns false if the host is far over its
 * limit. A trusted proxy is not counted; its client is, once the PROXY header is read. */
static bool connection_count_host(struct connection *c)
{
    const struct connection_options *o = &c->set->options;
    unsigned max = o->limits.per_address == 0 ? UINT_MAX : o->limits.per_address, of_host;
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    struct network_host host;

    if (c->has_host)
        return true;
    h2o_socket_getpeername(c->sock, (struct sockaddr *)&peer);
    if (!network_host_of(&peer, &host) || (o->proxies != NULL && proxies_trust(o->proxies, &peer)))
        return true;
    c->has_host = true;
    of_host = conn_count_add(o->counts->conn_count, &host, &c->slot);
    c->over_host_limit = of_host > max;
    if (of_host <= max || of_host - max <= CONNECTION_RESERVE_OF_HOST)
        return true;
    connection_count_end(c->set, CONNECTION_TOO_MANY_FROM_ADDRESS);
    h2o_socket_close(c->sock);
    return false;
}

/* A cut connection is not counted again when its socket ends. */
static void connection_cut(struct connection *c, enum connection_end end)
{
    if (!c->is_cut)
        connection_count_end(c->set, end);
    c->is_cut = true;
    shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
}

static bool connection_is_waiting(const struct connection *c)
{
    return c->http1 == NULL ? c->deadline.phase == DEADLINE_HANDSHAKE : !http1_is_busy(c->http1);
}

static struct connection *connection_longest_silent(const struct connection_set *set)
{
    for (h2o_linklist_t *link = set->all.next; link != &set->all; link = link->next) {
        struct connection *c = connection_of_link(link);

        if (!c->is_cut && connection_is_waiting(c))
            return c;
    }
    return NULL;
}

/* Ends the connection whose peer has been silent longest, except those that wait for the daemon: one
 * of this loop, or else one of another. Returns false if there is none. */
static bool connection_make_room(struct connection_set *set)
{
    struct connection_counts *counts = set->options.counts;
    struct connection *silent = connection_longest_silent(set);

    if (silent != NULL)
        connection_cut(silent, CONNECTION_MADE_ROOM);
    else if (atomic_load(&counts->idle_sets) > set->is_idle)
        atomic_fetch_add(&counts->room_wanted, 1);
    else
        return false;
    return true;
}

static void connection_make_wanted_room(struct connection_set *set)
{
    atomic_uint *wanted = &set->options.counts->room_wanted;
    unsigned before = atomic_load_explicit(wanted, memory_order_relaxed);
    struct connection *silent = before == 0 ? NULL : connection_longest_silent(set);

    if (silent != NULL && atomic_compare_exchange_strong(wanted, &before, before - 1))
        connection_cut(silent, CONNECTION_MADE_ROOM);
}

static void connection_publish_idle(struct connection_set *set)
{
    bool is_idle = connection_longest_silent(set) != NULL;

    if (is_idle && !set->is_idle)
        atomic_fetch_add(&set->options.counts->idle_sets, 1);
    else if (!is_idle && set->is_idle)
        atomic_fetch_sub(&set->options.counts->idle_sets, 1);
    set->is_idle = is_idle;
}

/* ---- callbacks of HTTP */

static bool connection_admit(h2o_socket_t *sock, enum response_problem *problem)
{
    const struct connection *c = connection_of_socket(sock);

    *problem = c->over_limit ? RESPONSE_TOO_MANY_CONNECTIONS : RESPONSE_TOO_MANY_FROM_ADDRESS;
    return !c->over_limit && !c->over_host_limit;
}

static void connection_refuse(void *data, h2o_req_t *req, enum response_problem problem)
{
    struct connection_set *set = connection_of_request(req)->set;

    switch (problem) {
    case RESPONSE_TOO_MANY_CONNECTIONS:
        connection_count_end(set, CONNECTION_TOO_MANY);
        break;
    case RESPONSE_TOO_MANY_FROM_ADDRESS:
        connection_count_end(set, CONNECTION_TOO_MANY_FROM_ADDRESS);
        break;
    case RESPONSE_BODIES_FULL:
        connection_count_end(set, CONNECTION_BODIES_FULL);
        break;
    case RESPONSE_BAD_REQUEST:
    case RESPONSE_HEAD_TOO_LARGE:
        connection_count_end(set, CONNECTION_BAD_HEAD);
        break;
    default:
        break;
    }
    set->options.refuse(data, req, problem);
}

static void connection_on_active(h2o_socket_t *sock)
{
    struct connection *c = connection_of_socket(sock);

    h2o_linklist_unlink(&c->link);
    h2o_linklist_insert(&c->set->all, &c->link);
}

static void connection_on_closing(h2o_socket_t *sock, bool unread)
{
    struct connection *c = connection_of_socket(sock);

    c->http1 = NULL;
    deadline_enter(&c->deadline, DEADLINE_CLOSING, c->deadline.request, clock_mono_us());
    if (unread)
        connection_keep_fd(c);
}

/* ---- sets */

static void connection_set_obey(struct connection_set *set)
{
    set->http1.head_max = set->options.limits.head_bytes;
    set->http1.body_max = set->options.limits.body_bytes;
    set->http1.bodies_max = set->options.limits.bodies_bytes;
}

struct connection_set *connection_set_new(const struct connection_options *options)
{
    struct connection_set *set = h2o_mem_alloc(sizeof(*set));

    *set = (struct connection_set){
        .options = *options,
        .http1 =
            {
                .accept = options->accept,
                .bodies = &options->counts->bodies,
                .data = options->data,
                .answer_head = options->answer_head,
                .refuse = connection_refuse,
                .admit = connection_admit,
                .active = connection_on_active,
                .closing = connection_on_closing,
            },
    };
    connection_set_obey(set);
    h2o_linklist_init_anchor(&set->all);
    h2o_linklist_init_anchor(&set->ending);
    tls_on_close_notify(connection_on_close_notify);
    set->lingering = lingering_new(options->accept->ctx->loop, connection_free);
    return set;
}

void connection_set_limit(struct connection_set *set, const struct connection_limits *limits)
{
    set->options.limits = *limits;
    connection_set_obey(set);
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

/* ---- accepted connections */

/* Has the kernel end a connection whose peer acknowledges no answer: to the daemon the answer is
 * sent as soon as the kernel has it. Later than the sweep would, which counts what it ends. */
static void connection_limit_unread(const struct connection *c)
{
    unsigned ms = (c->set->options.limits.deadlines.body_s + CONNECTION_KERNEL_S) * 1000;

    setsockopt(h2o_socket_get_fd(c->sock), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

static void connection_on_handshake(h2o_socket_t *sock, enum handshake_verdict verdict)
{
    struct connection *c = connection_of_socket(sock);

    if (verdict == HANDSHAKE_OK) {
        deadline_enter(&c->deadline, DEADLINE_IDLE, 0, clock_mono_us());
        c->http1 = http1_new(&c->set->http1, sock);
        http1_start(c->http1);
        return;
    }
    atomic_fetch_add(&c->set->options.counts->refused[verdict], 1);
    if (verdict == HANDSHAKE_NO_TLS || verdict == HANDSHAKE_TLS_FAILED)
        connection_keep_fd(c);
    deadline_enter(&c->deadline, DEADLINE_CLOSING, 0, clock_mono_us());
    h2o_socket_close(sock);
}

static bool connection_on_peer_known(h2o_socket_t *sock)
{
    return connection_count_host(connection_of_socket(sock));
}

void connection_begin(struct connection_set *set, h2o_socket_t *sock,
                      const struct handshake_config *handshake)
{
    unsigned open = atomic_fetch_add(&set->options.counts->open, 1) + 1;
    struct connection *c;

    set->size++;
    if (open > set->options.limits.connections + CONNECTION_RESERVE) {
        h2o_socket_close(sock);
        connection_count_end(set, CONNECTION_TOO_MANY);
        connection_count_out(set);
        return;
    }
    c = h2o_mem_alloc(sizeof(*c));
    *c = (struct connection){
        .set = set,
        .sock = sock,
        .over_limit = open > set->options.limits.connections && !connection_make_room(set),
        .linger_fd = -1,
        .deadline = {DEADLINE_HANDSHAKE, 0, clock_mono_us()},
    };
    sock->on_close.cb = connection_on_closed;
    sock->on_close.data = c;
    h2o_linklist_insert(&set->all, &c->link);
    connection_limit_unread(c);
    if (!connection_count_host(c))
        return;
    if (handshake == NULL)
        connection_on_handshake(sock, HANDSHAKE_OK);
    else
        handshake_start(handshake, sock, connection_on_peer_known, connection_on_handshake);
}

void connection_note_progress(h2o_req_t *req)
{
    connection_of_request(req)->deadline.since_us = clock_mono_us();
}

void connection_client_addr(h2o_req_t *req, struct client_addr *sender)
{
    client_addr_find(req, connection_of_request(req)->set->options.proxies, sender);
}

/* ---- ends */

/* A connection in the handshake has no close_notify to send. */
static void connection_end(struct connection *c)
{
    if (c->http1 != NULL)
        http1_end(c->http1);
    else
        shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
}

void connection_turn(struct connection_set *set)
{
    connection_make_wanted_room(set);
    while (!h2o_linklist_is_empty(&set->ending)) {
        h2o_linklist_t *link = set->ending.next;

        h2o_linklist_unlink(link);
        connection_end(H2O_STRUCT_FROM_MEMBER(struct connection, end_link, link));
    }
}

static bool connection_has_input(const struct connection *c)
{
    int waiting = 0;

    return ioctl(h2o_socket_get_fd(c->sock), FIONREAD, &waiting) == 0 && waiting > 0;
}

/* A new connection may be about to send its first request, and a client that just got an answer may
 * have sent the next one: closing now would lose that request. Its answer will announce the end of
 * the connection. */
static bool connection_is_fresh(const struct connection *c, int64_t now_us)
{
    return now_us - c->deadline.since_us <=
           (c->deadline.request > 0 ? CONNECTION_QUIET_US : CONNECTION_FRESH_US);
}

static bool connection_is_silent(const struct connection *c, int64_t now_us)
{
    if (c->deadline.phase != DEADLINE_IDLE &&
        (c->deadline.phase != DEADLINE_HANDSHAKE || handshake_is_busy(c->sock)))
        return false;
    return !connection_has_input(c) && !connection_is_fresh(c, now_us);
}

static void connection_note_phase(struct connection *c, int64_t now_us)
{
    static const enum deadline_phase phases[] = {
        [HTTP1_IDLE] = DEADLINE_IDLE, [HTTP1_HEAD] = DEADLINE_HEAD,
        [HTTP1_BODY] = DEADLINE_BODY, [HTTP1_WORK] = DEADLINE_WORK,
        [HTTP1_REST] = DEADLINE_BODY, [HTTP1_RESPONSE] = DEADLINE_RESPONSE,
    };

    if (c->http1 != NULL)
        deadline_enter(&c->deadline, phases[http1_phase(c->http1)], http1_requests(c->http1),
                       now_us);
}

static enum connection_end connection_slow_end(const struct connection *c)
{
    switch (c->deadline.phase) {
    case DEADLINE_HANDSHAKE:
    case DEADLINE_HEAD:
        return CONNECTION_SLOW_HEAD;
    case DEADLINE_BODY:
        return CONNECTION_SLOW_BODY;
    case DEADLINE_IDLE:
        return CONNECTION_IDLE;
    case DEADLINE_WORK:
    case DEADLINE_RESPONSE:
    case DEADLINE_CLOSING:
        break;
    }
    return CONNECTION_SLOW_READER;
}

static void connection_end_slow(struct connection *c)
{
    enum connection_end end = connection_slow_end(c);

    if (c->http1 == NULL || c->deadline.phase == DEADLINE_RESPONSE) {
        connection_cut(c, end);
        return;
    }
    connection_count_end(c->set, end);
    if (c->deadline.phase == DEADLINE_IDLE || http1_phase(c->http1) == HTTP1_REST)
        http1_end(c->http1);
    else
        http1_time_out(c->http1);
}

void connection_sweep(struct connection_set *set, bool draining)
{
    int64_t now_us = clock_mono_us();
    h2o_linklist_t *link = set->all.next;

    while (link != &set->all) {
        struct connection *c = connection_of_link(link);

        link = link->next;
        connection_note_phase(c, now_us);
        if (deadline_is_over(&c->deadline, &set->options.limits.deadlines, now_us))
            connection_end_slow(c);
        else if (draining && connection_is_silent(c, now_us))
            connection_end(c);
    }
    connection_publish_idle(set);
    lingering_sweep(set->lingering, now_us);
}

void connection_set_cut(struct connection_set *set)
{
    for (h2o_linklist_t *link = set->all.next; link != &set->all; link = link->next)
        shutdown(h2o_socket_get_fd(connection_of_link(link)->sock), SHUT_RDWR);
    lingering_sweep(set->lingering, INT64_MAX);
}
