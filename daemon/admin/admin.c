/* SPDX-License-Identifier: MIT */
#include "daemon/admin/admin.h"

#include <errno.h>
#include <stdatomic.h>

#include <h2o.h>

#include "daemon/base/address.h"
#include "daemon/admin/backlog.h"
#include "daemon/base/clock.h"
#include "daemon/admin/command.h"
#include "daemon/http/errand.h"
#include "daemon/admin/events.h"
#include "daemon/log/exposition.h"
#include "daemon/log/feed.h"
#include "daemon/store/journal.h"
#include "daemon/base/json_line.h"
#include "daemon/http/listener.h"
#include "daemon/admin/listing.h"
#include "daemon/http/origin.h"
#include "daemon/http/passed.h"
#include "daemon/store/probe.h"
#include "daemon/admin/query.h"
#include "daemon/admin/readiness.h"
#include "daemon/http/reply.h"
#include "daemon/policy/rules.h"
#include "daemon/admin/scrape.h"
#include "daemon/admin/standing.h"
#include "daemon/store/storage.h"
#include "daemon/conf/token.h"

enum {
    BODY_MAX = 4096, /* of a request: it is not looked at */
    CONNECTIONS = 256,
    HEADER_S = 10,
    BODY_S = 30, /* also until a stream that nobody reads is cut */
    IDLE_S = 60,
    STOP_S = 2,
};

static const char text_type[] = "text/plain; charset=utf-8";

struct admin {
    struct admin_options options;
    struct token *token; /* NULL: none is asked for */
    struct rules_reader reader;
    struct listener *listener;
    struct listing *listing;
    struct backlog *backlog;
    atomic_bool stopping;
    int64_t start_us;
    /* the thread's own */
    struct events *events;
    struct errands *errands;
    struct command_tools tools;
    struct journal_task probe;
    struct errand *probing; /* NULL: nothing is */
    struct exposition page;
    struct json_line line;
};

struct handler {
    h2o_handler_t super;
    struct admin *admin;
};

/* ---- readiness */

/* On the journal's thread. */
static int write_probe(struct journal_task *task)
{
    struct admin *a = H2O_STRUCT_FROM_MEMBER(struct admin, probe, task);

    return probe_write(storage_store(a->options.storage));
}

static void on_probe_done(struct journal_task *task, enum journal_outcome outcome)
{
    struct admin *a = H2O_STRUCT_FROM_MEMBER(struct admin, probe, task);

    errand_done(a->probing, outcome == JOURNAL_DURABLE);
}

static void on_probe_finished(void *data, bool good)
{
    struct admin *a = data;

    (void)good; /* the journal knows, and is asked the next time */
    a->probing = NULL;
}

/* Who is not ready is sent no deliveries, so none would find out that the disk is well again. */
static void probe(struct admin *a)
{
    if (a->probing != NULL || (a->probing = errand_begin(a->errands, on_probe_finished, a)) == NULL)
        return;
    a->probe =
        (struct journal_task){.bytes = sizeof(a->probe), .run = write_probe, .done = on_probe_done};
    if (!journal_submit(storage_journal(a->options.storage), &a->probe)) {
        errand_cancel(a->probing);
        a->probing = NULL;
    }
}

/* Of one check after the other, in the form that other servers have made known. */
static size_t write_checks(const struct readiness *r, bool stopping, char *text, size_t size)
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

static void answer_ready(struct admin *a, h2o_req_t *req, const struct query *query)
{
    bool stopping = atomic_load(&a->stopping);
    struct readiness readiness;
    bool ready;
    char text[1024];
    size_t len;

    readiness_look(&readiness, storage_journal(a->options.storage),
                   store_path(listing_store(a->listing)), a->options.free_bytes_min);
    if (readiness.journal_failed)
        probe(a);
    ready = readiness.ready && !stopping;
    if (query->verbose || !ready)
        len = write_checks(&readiness, stopping, text, sizeof(text));
    else
        len = (size_t)snprintf(text, sizeof(text), "ready\n");
    reply_bytes(req, ready ? 200 : 503, text_type, text, len);
}

/* ---- the other answers */

static void answer_metrics(struct admin *a, h2o_req_t *req)
{
    const struct scrape scrape = {
        .version = a->options.version,
        .start_us = a->start_us,
        .metrics = a->options.metrics,
        .listener = a->options.listener,
        .entrances = a->options.entrances,
        .storage = a->options.storage,
        .forwarder = a->options.forwarder,
        .store = listing_store(a->listing),
        .standing = listing_standing(a->listing),
        .backlog = a->backlog,
    };

    a->page.len = 0;
    a->page.failed = false;
    scrape_write(&scrape, &a->page);
    if (a->page.failed)
        reply_error(req, 503, "no_memory", "the answer does not fit into the memory");
    else
        reply_bytes(req, 200, "text/plain; version=0.0.4; charset=utf-8", a->page.base,
                    a->page.len);
}

static void answer_failure(struct admin *a, h2o_req_t *req, int code, const struct query *query)
{
    char why[STORE_WHY_SIZE], names[128], message[256];

    if (code == SQLITE_NOTFOUND && query->seq > 0) {
        reply_error(req, 404, "not_found", "no delivery of this seq is in the store");
    } else if (code == SQLITE_NOTFOUND) {
        listing_destinations(a->listing, names, sizeof(names));
        snprintf(message, sizeof(message), "no destination %.64s is known; there are: %s",
                 query->destination, names[0] == '\0' ? "none" : names);
        reply_error(req, 404, "no_destination", message);
    } else {
        store_why(listing_store(a->listing), code, why);
        reply_error(req, 503, "unavailable", why);
    }
}

static void answer_list(struct admin *a, h2o_req_t *req, const struct query *query)
{
    int code = query->seq > 0 ? listing_write_one(a->listing, query->seq, &a->line)
                              : listing_write(a->listing, query, &a->line);

    if (code == SQLITE_OK)
        reply_json(req, &a->line);
    else
        answer_failure(a, req, code, query);
}

/* Somebody else wrote it: no browser is to show it, or to run it. */
static void answer_body(struct admin *a, h2o_req_t *req, const struct query *query)
{
    char *body = NULL;
    size_t len = 0;
    int code = listing_body(a->listing, query->seq, &body, &len);

    if (code == SQLITE_OK)
        reply_attachment(req, body, len);
    else
        answer_failure(a, req, code, query);
    free(body);
}

static void answer_events(struct admin *a, h2o_req_t *req, const struct query *query)
{
    if (h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD")))
        reply_bytes(req, 200, "text/event-stream", "", 0);
    else if (!events_begin(a->events, req, query))
        reply_error(req, 503, "too_many_streams", "64 are open already");
}

static void answer(struct admin *a, h2o_req_t *req, const struct query *query)
{
    switch (query->route) {
    case QUERY_LIVE:
        reply_bytes(req, 200, text_type, "alive\n", 6);
        break;
    case QUERY_READY:
        answer_ready(a, req, query);
        break;
    case QUERY_METRICS:
        answer_metrics(a, req);
        break;
    case QUERY_EVENTS:
        answer_events(a, req, query);
        break;
    case QUERY_LIST:
    case QUERY_DELIVERY:
        answer_list(a, req, query);
        break;
    case QUERY_BODY:
        answer_body(a, req, query);
        break;
    case QUERY_REPLAY:
    case QUERY_REPLAY_MANY:
    case QUERY_DISCARD:
        command_begin(&a->tools, req, query);
        break;
    case QUERY_NOTHING:
        break;
    }
}

/* ---- requests */

static bool is_foreign(h2o_req_t *req)
{
    ssize_t at = h2o_find_header_by_str(&req->headers, H2O_STRLIT("origin"), -1);
    h2o_iovec_t origin;

    if (at < 0)
        return false;
    origin = req->headers.entries[at].value;
    return !origin_is_same(origin.base, origin.len, req->authority.base, req->authority.len);
}

/* One that is taken out, or that is the first, waits for the restart, as the address does. */
static void look_at_rules(struct admin *a)
{
    if (rules_reader_look(&a->reader) && a->token != NULL && a->reader.rules->token != NULL)
        token_follow(a->token, a->reader.rules->token);
}

/* Who may use a Unix socket is a matter of its file. */
static bool is_over_tcp(h2o_req_t *req)
{
    struct sockaddr_storage own = {.ss_family = AF_UNSPEC};

    req->conn->callbacks->get_sockname(req->conn, (struct sockaddr *)&own);
    return own.ss_family != AF_UNIX;
}

/* Shown twice, it is not shown: two programs would read two of them. */
static bool has_token(const struct admin *a, h2o_req_t *req)
{
    ssize_t at = h2o_find_header(&req->headers, H2O_TOKEN_AUTHORIZATION, -1);
    h2o_iovec_t shown;

    if (at < 0 || h2o_find_header(&req->headers, H2O_TOKEN_AUTHORIZATION, at) >= 0)
        return false;
    shown = req->headers.entries[at].value;
    return token_is_right(a->token, shown.base, shown.len);
}

/* A browser on this machine reaches loopback addresses, and shows pages of others meanwhile. A Unix
 * socket it does not, and a token it does not know. */
static bool is_allowed(const struct admin *a, h2o_req_t *req, const char *method)
{
    if (a->token != NULL || !is_over_tcp(req))
        return true;
    if (!origin_is_local(req->authority.base, req->authority.len)) {
        reply_error(req, 403, "foreign_host",
                    "expected the Host header to be localhost or an address of this machine");
        return false;
    }
    if (strcmp(method, "POST") == 0 && is_foreign(req)) {
        reply_error(req, 403, "foreign_origin", "a page of another site may not ask for this");
        return false;
    }
    return true;
}

static bool has_method(h2o_req_t *req, const char *method)
{
    return h2o_memis(req->method.base, req->method.len, method, strlen(method)) ||
           (strcmp(method, "GET") == 0 &&
            h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD")));
}

static int on_request(h2o_handler_t *super, h2o_req_t *req)
{
    struct admin *a = ((struct handler *)super)->admin;
    char why[QUERY_WHY_SIZE];
    struct query query;
    bool good = query_read(&query, req->path.base, req->path.len, why);
    const char *method = query_method(query.route);

    look_at_rules(a);
    if (a->token != NULL && query.route != QUERY_LIVE && is_over_tcp(req) && !has_token(a, req))
        reply_unauthorized(req);
    else if (method == NULL)
        reply_error(req, 404, "not_found",
                    "expected /livez, /readyz, /metrics, /events, /deliveries or /replay");
    else if (!has_method(req, method))
        reply_not_allowed(req, method);
    else if (!good)
        reply_error(req, 400, "bad_request", why);
    else if (is_allowed(a, req, method))
        answer(a, req, &query);
    return 0;
}

/* ---- the loop */

static void start_on_loop(h2o_handler_t *super, h2o_context_t *ctx)
{
    struct admin *a = ((struct handler *)super)->admin;

    a->events = events_open(ctx, a->options.feed);
    a->errands = errands_open(ctx);
    a->tools = (struct command_tools){a->options.forwarder, a->listing, a->errands};
}

static void stop_on_loop(h2o_handler_t *super, h2o_context_t *ctx)
{
    struct admin *a = ((struct handler *)super)->admin;

    (void)ctx;
    errands_close(a->errands);
    events_close(a->events);
}

static void setup(void *data, h2o_pathconf_t *path)
{
    struct handler *handler;

    reply_register(path);
    handler = (struct handler *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = on_request;
    handler->super.on_context_init = start_on_loop;
    handler->super.on_context_dispose = stop_on_loop;
    handler->admin = data;
}

static void on_turn(void *data, h2o_context_t *ctx)
{
    struct admin *a = data;

    look_at_rules(a);
    standing_look(listing_standing(a->listing));
    if (ctx->shutdown_requested)
        events_end(a->events);
    else
        events_beat(a->events);
}

/* ---- from outside */

/* A Unix socket that was passed is in the place of the one that the configuration names: where the
 * supervisor makes it we may not. */
static bool is_replaced(const struct admin_options *o)
{
    struct sockaddr_storage address = {0};
    socklen_t len;

    if (o->address == NULL || passed_has(o->passed, o->address))
        return true;
    return o->passed->count > 0 && address_read(o->address, &address, &len) &&
           address.ss_family == AF_UNIX;
}

static bool open_sockets(struct admin *a)
{
    const struct passed_sockets *passed = a->options.passed;

    for (size_t i = 0; i < passed->count; i++)
        if (!listener_adopt(a->listener, passed->fd[i]))
            return false;
    return is_replaced(&a->options) || listener_add(a->listener, a->options.address);
}

static bool start_to_listen(struct admin *a)
{
    const struct listener_options options = {
        .threads = 1,
        .body_max = BODY_MAX,
        .limits = {.connections = CONNECTIONS,
                   .deadlines.header_s = HEADER_S,
                   .deadlines.body_s = BODY_S,
                   .deadlines.idle_s = IDLE_S},
        .pulses = a->options.pulses,
        .name = "the administrator's loop",
        .setup = setup,
        .turn = on_turn,
        .data = a,
    };

    errno = ENOMEM;
    return (a->listener = listener_new(&options)) != NULL && open_sockets(a) &&
           listener_start(a->listener);
}

struct admin *admin_open(const struct admin_options *options, char why[STORE_WHY_SIZE])
{
    struct admin *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        snprintf(why, STORE_WHY_SIZE, "out of memory");
        return NULL;
    }
    a->options = *options;
    a->start_us = clock_wall_us();
    errno = 0;
    rules_reader_open(&a->reader, options->board);
    if (a->reader.rules->token != NULL && (a->token = token_copy(a->reader.rules->token)) == NULL) {
        snprintf(why, STORE_WHY_SIZE, "out of memory");
        admin_close(&a);
        return NULL;
    }
    a->listing = listing_open(store_path(storage_store(options->storage)), options->board, why);
    if (a->listing != NULL)
        a->backlog = backlog_open(listing_store(a->listing), why);
    if (a->backlog == NULL) {
        admin_close(&a);
    } else if (!start_to_listen(a)) {
        snprintf(why, STORE_WHY_SIZE, "admin: cannot listen on %s: %s",
                 is_replaced(options) ? "the socket that was passed" : options->address,
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
    backlog_close(&a->backlog);
    listing_close(&a->listing);
    exposition_free(&a->page);
    json_line_free(&a->line);
    token_free(&a->token);
    rules_reader_close(&a->reader);
    free(a);
    *admin = NULL;
    errno = saved;
}
