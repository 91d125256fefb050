/* SPDX-License-Identifier: MIT */
#include "daemon/admin/admin.h"

#include <errno.h>
#include <stdatomic.h>

#include <h2o.h>

#include "daemon/admin/events.h"
#include "daemon/admin/list.h"
#include "daemon/admin/metrics_page.h"
#include "daemon/admin/query.h"
#include "daemon/admin/replay.h"
#include "daemon/admin/status.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/net.h"
#include "daemon/conf/secret.h"
#include "daemon/http/json_reply.h"
#include "daemon/http/listen_fds.h"
#include "daemon/http/listener.h"
#include "daemon/http/loop_call.h"
#include "daemon/log/feed.h"
#include "daemon/log/prometheus.h"
#include "daemon/policy/policy.h"
#include "daemon/store/store.h"
#include "daemon/store/writer.h"

enum {
    HEAD_BYTES = 64 << 10,
    BODY_BYTES = 4096, /* ignored */
    BODIES_BYTES = 16 << 20,
    CONNECTIONS = 256,
    HEADER_S = 10,
    BODY_S = 30, /* also the limit for a stalled event stream */
    IDLE_S = 60,
    STOP_S = 2,
};

static const char admin_text_type[] = "text/plain; charset=utf-8";

struct admin {
    struct admin_options options;
    struct token *token; /* NULL: no token required */
    struct policy_ref policy_ref;
    struct listener *listener;
    struct delivery_list *list;
    struct lag *lag;
    atomic_bool stopping;
    int64_t start_us;
    /* the serving thread only */
    struct events *events;
    struct loop_calls *loop_calls;
    struct replay_tools tools;
    struct store_probe probe;
    struct prometheus page;
    struct json_writer line;
};

struct admin_handler {
    h2o_handler_t super;
    struct admin *admin;
};

/* ---- readiness */

/* Writes one line per check, in the format of Kubernetes' /readyz?verbose. */
static size_t admin_write_checks(const struct readiness *r, bool stopping, char *text, size_t size)
{
    int len = 0;

    for (int i = 0; i < READINESS_CHECKS; i++)
        len += snprintf(text + len, size - (size_t)len, "[%c]%s %s%s%s\n",
                        r->checks[i].good ? '+' : '-', r->checks[i].name,
                        r->checks[i].good ? "ok" : "failed",
                        r->checks[i].detail[0] == '\0' ? "" : ": ", r->checks[i].detail);
    if (stopping)
        len += snprintf(text + len, size - (size_t)len, "[-]stopping\n");
    len += snprintf(text + len, size - (size_t)len, "%s\n",
                    r->ready && !stopping ? "ready" : "not ready");
    return (size_t)len;
}

/* A probe knows no token, so without it the answer has no details. */
static void admin_answer_ready(struct admin *a, h2o_req_t *req, const struct query *query,
                               bool details)
{
    bool stopping = atomic_load(&a->stopping);
    struct readiness readiness;
    bool ready;
    char text[1024];
    size_t len;

    readiness_check(&readiness, store_writer(a->options.store), a->options.forwarder,
                    list_store(a->list), a->options.free_bytes_min);
    /* Only test writes detect a recovery, because a server that is not ready gets no deliveries. */
    if (readiness.writer_failed)
        store_probe_repeat(&a->probe, store_writer(a->options.store));
    ready = readiness.ready && !stopping;
    if (details && (query->verbose || !ready))
        len = admin_write_checks(&readiness, stopping, text, sizeof(text));
    else
        len = (size_t)snprintf(text, sizeof(text), "%s\n", ready ? "ready" : "not ready");
    json_reply_bytes(req, ready ? 200 : 503, admin_text_type, text, len);
}

/* ---- responses */

static void admin_answer_metrics(struct admin *a, h2o_req_t *req)
{
    const struct metrics_page page = {
        .version = a->options.version,
        .start_us = a->start_us,
        .metrics = a->options.metrics,
        .listener = a->options.listener,
        .listener_configs = a->options.listener_configs,
        .store = a->options.store,
        .forwarder = a->options.forwarder,
        .db = list_store(a->list),
        .status = list_status(a->list),
        .lag = a->lag,
    };

    buffer_truncate(&a->page.text, 0);
    metrics_page_write(&page, &a->page);
    if (a->page.text.failure != BUFFER_NO_FAILURE)
        json_reply_error(req, 503, "no_memory", "out of memory for the metrics page");
    else
        json_reply_bytes(req, 200, "text/plain; version=0.0.4; charset=utf-8", a->page.text.base,
                         a->page.text.len);
}

static void admin_answer_failure(struct admin *a, h2o_req_t *req, int code,
                                 const struct query *query)
{
    char why[DB_WHY_SIZE], names[128], message[256];

    if (code == SQLITE_NOTFOUND && query->seq > 0) {
        json_reply_error(req, 404, "not_found", "no delivery with this seq is in the store");
    } else if (code == SQLITE_NOTFOUND) {
        list_destinations(a->list, names, sizeof(names));
        snprintf(message, sizeof(message), "unknown destination %.64s; the store knows: %s",
                 query->destination, names[0] == '\0' ? "none" : names);
        json_reply_error(req, 404, "no_destination", message);
    } else {
        db_error_text(list_store(a->list), code, why);
        json_reply_error(req, 503, "unavailable", why);
    }
}

static void admin_answer_list(struct admin *a, h2o_req_t *req, const struct query *query)
{
    int code = query->seq > 0 ? list_write_one(a->list, query->seq, &a->line)
                              : list_write(a->list, query, &a->line);

    if (code == SQLITE_OK)
        json_reply_send(req, &a->line);
    else
        admin_answer_failure(a, req, code, query);
}

/* Sends the body as an attachment, so that no browser renders or runs foreign content. */
static void admin_answer_body(struct admin *a, h2o_req_t *req, const struct query *query)
{
    char *body = NULL;
    size_t len = 0;
    int code = list_body(a->list, query->seq, &body, &len);

    if (code == SQLITE_OK)
        json_reply_attachment(req, body, len);
    else
        admin_answer_failure(a, req, code, query);
    free(body);
}

static void admin_answer_events(struct admin *a, h2o_req_t *req, const struct query *query)
{
    char message[64];

    snprintf(message, sizeof(message), "%d streams are open already, or %d from this address",
             EVENTS_STREAMS_MAX, EVENTS_STREAMS_OF_ADDRESS);
    if (h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD")))
        json_reply_bytes(req, 200, "text/event-stream", "", 0);
    else if (!events_begin(a->events, req, query))
        json_reply_error(req, 503, "too_many_streams", message);
}

/* A Unix socket is protected by its file mode, so only TCP needs a token. */
static bool admin_is_over_tcp(h2o_req_t *req)
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};

    req->conn->callbacks->get_sockname(req->conn, (struct sockaddr *)&own);
    return own.ss_family != AF_UNIX;
}

/* Rejects duplicate Authorization headers, because parsers disagree on which one counts. */
static bool admin_has_token(const struct admin *a, h2o_req_t *req)
{
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_AUTHORIZATION, -1);
    h2o_iovec_t shown;

    if (at < 0 || h2o_find_header(&req->headers, H2O_TOKEN_AUTHORIZATION, at) >= 0)
        return false;
    shown = req->headers.entries[at].value;
    return token_matches(a->token, shown.base, shown.len);
}

static bool admin_lacks_token(const struct admin *a, h2o_req_t *req)
{
    return a->token != NULL && admin_is_over_tcp(req) && !admin_has_token(a, req);
}

static bool admin_is_foreign(h2o_req_t *req)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, H2O_STRLIT("origin"), -1);
    h2o_iovec_t origin;

    if (at < 0)
        return false;
    origin = req->headers.entries[at].value;
    return !host_check_is_same_origin(origin.base, origin.len, req->authority.base,
                                      req->authority.len);
}

/* Prevents DNS rebinding and cross-site requests by a browser on this machine. A browser knows no
 * token, and reaches a Unix socket that ssh -L forwards. */
static bool admin_is_browsed(const struct admin *a, h2o_req_t *req)
{
    return (a->token == NULL || !admin_is_over_tcp(req)) &&
           (!host_check_is_local(req->authority.base, req->authority.len) || admin_is_foreign(req));
}

static void admin_answer(struct admin *a, h2o_req_t *req, const struct query *query)
{
    switch (query->route) {
    case QUERY_LIVE:
        json_reply_bytes(req, 200, admin_text_type, "alive\n", 6);
        break;
    case QUERY_READY:
        admin_answer_ready(a, req, query, !admin_lacks_token(a, req) && !admin_is_browsed(a, req));
        break;
    case QUERY_METRICS:
        admin_answer_metrics(a, req);
        break;
    case QUERY_EVENTS:
        admin_answer_events(a, req, query);
        break;
    case QUERY_LIST:
    case QUERY_DELIVERY:
        admin_answer_list(a, req, query);
        break;
    case QUERY_BODY:
        admin_answer_body(a, req, query);
        break;
    case QUERY_REPLAY:
    case QUERY_REPLAY_MANY:
    case QUERY_DISCARD:
        replay_begin(&a->tools, req, query);
        break;
    case QUERY_NOTHING:
        break;
    }
}

/* ---- requests */

/* Takes over a changed token. Adding the first token or removing the token needs a restart. */
static void admin_refresh_policy(struct admin *a)
{
    if (policy_ref_refresh(&a->policy_ref) && a->token != NULL &&
        a->policy_ref.policy->token != NULL)
        token_replace(a->token, a->policy_ref.policy->token);
}

static void admin_refuse_browser(h2o_req_t *req)
{
    if (admin_is_foreign(req))
        json_reply_error(req, 403, "foreign_origin",
                         "Origin header: a request from another site is refused");
    else
        json_reply_error(req, 403, "foreign_host",
                         "Host header: expected localhost or an address of this machine");
}

/* A probe tells nothing, and names the machine as it likes. */
static bool admin_is_probe(enum query_route route)
{
    return route == QUERY_LIVE || route == QUERY_READY;
}

static bool admin_has_method(h2o_req_t *req, const char *method)
{
    return h2o_memis(req->method.base, req->method.len, method, strlen(method)) ||
           (strcmp(method, "GET") == 0 &&
            h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD")));
}

static const char *admin_methods(const char *method)
{
    return strcmp(method, "GET") == 0 ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
}

/* No request needs its body. */
static bool admin_answer_head(void *data, h2o_req_t *req)
{
    struct admin *a = data;
    char why[QUERY_WHY_SIZE];
    struct query query;
    bool good = query_read(&query, req->path.base, req->path.len, why);
    const char *method = query_method(query.route);

    admin_refresh_policy(a);
    if (!admin_is_probe(query.route) && admin_lacks_token(a, req))
        json_reply_unauthorized(req);
    else if (method == NULL)
        json_reply_error(req, 404, "not_found",
                         "expected /livez, /readyz, /metrics, /events, /deliveries or /replay");
    else if (h2o_memis(req->method.base, req->method.len, H2O_STRLIT("OPTIONS")))
        response_send_options(req, admin_methods(method));
    else if (!admin_has_method(req, method))
        json_reply_not_allowed(req, method);
    else if (!good)
        json_reply_error(req, 400, "bad_request", why);
    else if (!admin_is_probe(query.route) && admin_is_browsed(a, req))
        admin_refuse_browser(req);
    else
        admin_answer(a, req, &query);
    return true;
}

/* Monitoring gets its answer also from an admin API without a free connection. */
static void admin_refuse(void *data, h2o_req_t *req, enum response_problem problem)
{
    enum query_route route = QUERY_NOTHING;
    char why[QUERY_WHY_SIZE];
    struct query query;

    if (problem == RESPONSE_TOO_MANY_CONNECTIONS &&
        query_read(&query, req->path.base, req->path.len, why))
        route = query.route;
    if (admin_is_probe(route) || route == QUERY_METRICS)
        admin_answer_head(data, req);
    else
        json_reply_refuse(data, req, problem);
}

static int admin_on_request(h2o_handler_t *super, h2o_req_t *req)
{
    admin_answer_head(((struct admin_handler *)super)->admin, req);
    return 0;
}

/* ---- the loop */

static void admin_start_on_loop(h2o_handler_t *super, h2o_context_t *ctx)
{
    struct admin *a = ((struct admin_handler *)super)->admin;

    a->events = events_open(ctx, a->options.feed);
    a->loop_calls = loop_calls_open(ctx, NULL, NULL);
    a->tools = (struct replay_tools){a->options.forwarder, a->list, a->loop_calls};
}

static void admin_stop_on_loop(h2o_handler_t *super, h2o_context_t *ctx)
{
    struct admin *a = ((struct admin_handler *)super)->admin;

    (void)ctx;
    loop_calls_close(a->loop_calls);
    events_close(a->events);
}

static void admin_setup(void *data, h2o_pathconf_t *path)
{
    struct admin_handler *handler;

    handler = (struct admin_handler *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = admin_on_request;
    handler->super.on_context_init = admin_start_on_loop;
    handler->super.on_context_dispose = admin_stop_on_loop;
    handler->admin = data;
}

static void admin_on_turn(void *data, h2o_context_t *ctx)
{
    struct admin *a = data;

    admin_refresh_policy(a);
    status_refresh_policy(list_status(a->list));
    if (ctx->shutdown_requested)
        events_end(a->events);
    else
        events_heartbeat(a->events);
}

/* ---- listening, opening and closing */

/* A passed socket replaces the configured Unix socket, because systemd made it in a directory where
 * the daemon may not write. */
static bool admin_is_replaced(const struct admin_options *o)
{
    struct sockaddr_storage address = {0};
    socklen_t len;

    if (o->address == NULL || listen_fds_has(o->passed, o->address))
        return true;
    return o->passed->count > 0 && address_read(o->address, &address, &len) &&
           address.ss_family == AF_UNIX;
}

static bool admin_open_sockets(struct admin *a)
{
    const struct listen_fds *passed = a->options.passed;

    for (size_t i = 0; i < passed->count; i++)
        if (!listener_adopt(a->listener, passed->fd[i]))
            return false;
    return admin_is_replaced(&a->options) || listener_add(a->listener, a->options.address);
}

static bool admin_listen(struct admin *a)
{
    const struct listener_options options = {
        .threads = 1,
        .limits = {.connections = CONNECTIONS,
                   .head_bytes = HEAD_BYTES,
                   .body_bytes = BODY_BYTES,
                   .bodies_bytes = BODIES_BYTES,
                   .deadlines.header_s = HEADER_S,
                   .deadlines.body_s = BODY_S,
                   .deadlines.idle_s = IDLE_S},
        .heartbeats = a->options.heartbeats,
        .name = "the admin loop",
        .setup = admin_setup,
        .answer_head = admin_answer_head,
        .refuse = admin_refuse,
        .turn = admin_on_turn,
        .data = a,
    };

    errno = ENOMEM;
    return (a->listener = listener_new(&options)) != NULL && admin_open_sockets(a) &&
           listener_start(a->listener);
}

struct admin *admin_open(const struct admin_options *options, char why[DB_WHY_SIZE])
{
    struct admin *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        snprintf(why, DB_WHY_SIZE, "out of memory");
        return NULL;
    }
    a->options = *options;
    store_probe_init(&a->probe, store_db(options->store));
    a->start_us = clock_wall_us();
    errno = 0;
    policy_ref_open(&a->policy_ref, options->policy_slot);
    if (a->policy_ref.policy->token != NULL &&
        (a->token = token_copy(a->policy_ref.policy->token)) == NULL) {
        snprintf(why, DB_WHY_SIZE, "out of memory");
        admin_close(&a);
        return NULL;
    }
    a->list = list_open(db_path(store_db(options->store)), options->policy_slot, why);
    if (a->list != NULL)
        a->lag = lag_open(list_store(a->list), why);
    if (a->lag == NULL) {
        admin_close(&a);
    } else if (!admin_listen(a)) {
        snprintf(why, DB_WHY_SIZE, "admin: cannot listen on %s: %s",
                 admin_is_replaced(options) ? "the passed socket" : options->address,
                 listener_problem(errno));
        admin_close(&a);
    }
    return a;
}

bool admin_address(const struct admin *a, size_t n, char *text)
{
    return listener_address(a->listener, n, text);
}

void admin_set_stopping(struct admin *a)
{
    atomic_store(&a->stopping, true);
}

void admin_close(struct admin **admin)
{
    struct admin *a = *admin;
    int saved = errno;

    if (a == NULL)
        return;
    if (a->listener != NULL)
        listener_stop(a->listener, STOP_S);
    listener_free(&a->listener);
    store_probe_destroy(&a->probe);
    lag_close(&a->lag);
    list_close(&a->list);
    prometheus_free(&a->page);
    json_free(&a->line);
    token_free(&a->token);
    policy_ref_close(&a->policy_ref);
    free(a);
    *admin = NULL;
    errno = saved;
}
