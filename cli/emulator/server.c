/* SPDX-License-Identifier: MIT */
#include "cli/emulator/server.h"

#include <errno.h>
#include <sys/socket.h>

#include <h2o.h>

#include "cli/emulator/api.h"
#include "daemon/base/net.h"
#include "daemon/http/connection.h"
#include "daemon/http/json_reply.h"
#include "daemon/http/listener.h"
#include "daemon/http/loop_call.h"

enum {
    CONNECTIONS = 1000,
    HEAD_BYTES = 64 << 10,
    BODIES_BYTES = 64 << 20,
    HEADER_S = 10,
    BODY_S = 30,
    IDLE_S = 60,
    STOP_S = 2,
};

struct api_server {
    struct api_server_options options;
    struct listener *listener;
    struct loop_calls *loop_calls; /* owned by the loop, like the members below */
    bool stopped;
};

struct api_server_handler {
    h2o_handler_t super;
    struct api_server *server;
};

/* Copies of the request, which may be gone before the answer. */
struct api_server_call {
    struct api_call api;
    struct request_ticket ticket;
    bool *answered; /* for the function that began the call; NULL: the answer comes later */
    h2o_mem_pool_t pool;
};

/* ---- answers */

static void api_server_add_header(h2o_req_t *req, const struct api_header *header)
{
    size_t len = strlen(header->name);
    h2o_iovec_t original = h2o_strdup(&req->pool, header->name, len);
    h2o_iovec_t name = h2o_strdup(&req->pool, header->name, len);
    h2o_iovec_t value = h2o_strdup(&req->pool, header->value, SIZE_MAX);

    h2o_strtolower(name.base, name.len);
    h2o_add_header_by_str(&req->pool, &req->res.headers, name.base, name.len, 1, original.base,
                          value.base, value.len);
}

static void api_server_send(h2o_req_t *req, const char *id, const struct api_answer *answer)
{
    const struct api_header request_id = {"X-Request-Id", id};
    bool bodiless = answer->type == NULL;

    json_reply_prepare(req, answer->status, bodiless ? "application/json" : answer->type);
    if (bodiless)
        h2o_delete_header(&req->res.headers, 0);
    api_server_add_header(req, &request_id);
    if (answer->more.name != NULL)
        api_server_add_header(req, &answer->more);
    req->res.content_length = answer->status == 204 ? SIZE_MAX : answer->len;
    h2o_send_inline(req, bodiless || answer->len == 0 ? "" : answer->body, answer->len);
}

/* connect() to AF_UNSPEC resets a TCP connection. libh2o then fails to write and closes it. */
static void api_server_reset(h2o_req_t *req, const char *id)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int fd = h2o_socket_get_fd(req->conn->callbacks->get_socket(req->conn));

    if (connect(fd, &nobody, sizeof(nobody)) != 0)
        shutdown(fd, SHUT_RDWR);
    req->http1_is_persistent = 0;
    api_server_send(req, id, &(struct api_answer){.status = 503});
}

static void api_server_on_answer(struct api_call *api, const struct api_answer *answer)
{
    struct api_server_call *call = H2O_STRUCT_FROM_MEMBER(struct api_server_call, api, api);
    h2o_req_t *req = request_ticket_take(&call->ticket);

    if (req != NULL && answer->reset)
        api_server_reset(req, api->id);
    else if (req != NULL)
        api_server_send(req, api->id, answer);
    if (call->answered != NULL)
        *call->answered = true;
    h2o_mem_clear_pool(&call->pool);
    free(call);
}

/* ---- requests */

static const char *api_server_copy(struct api_server_call *call, h2o_iovec_t text)
{
    return h2o_strdup(&call->pool, text.base, text.len).base;
}

/* Trims trailing blanks, which libh2o keeps. */
static const char *api_server_copy_value(struct api_server_call *call, h2o_iovec_t value)
{
    while (value.len > 0 && (value.base[value.len - 1] == ' ' || value.base[value.len - 1] == '\t'))
        value.len--;
    return api_server_copy(call, value);
}

static void api_server_copy_headers(struct api_server_call *call, const h2o_req_t *req)
{
    struct api_header *to = h2o_mem_alloc_pool(&call->pool, (req->headers.size + 2) * sizeof(*to));

    call->api.headers = to;
    *to++ = (struct api_header){"host", api_server_copy(call, req->authority)};
    for (size_t i = 0; i < req->headers.size; i++)
        *to++ = (struct api_header){api_server_copy(call, *req->headers.entries[i].name),
                                    api_server_copy_value(call, req->headers.entries[i].value)};
    *to = (struct api_header){NULL, NULL};
}

static void api_server_copy_request(struct api_server_call *call, const h2o_req_t *req)
{
    bool has_query = req->query_at != SIZE_MAX;
    size_t path = has_query ? req->query_at : req->path.len;
    size_t query = has_query ? path + 1 : path;

    call->api.request = (struct api_request){
        .method = api_server_copy(call, req->method),
        .path = api_server_copy(call, h2o_iovec_init(req->path.base, path)),
        .query =
            api_server_copy(call, h2o_iovec_init(req->path.base + query, req->path.len - query)),
        .body = api_server_copy(call, req->entity),
        .len = req->entity.len,
    };
    api_server_copy_headers(call, req);
}

static void api_server_begin(struct api_server *server, h2o_req_t *req)
{
    struct api_server_call *call = h2o_mem_alloc(sizeof(*call));
    bool answered = false;

    *call =
        (struct api_server_call){.api = {.answer = api_server_on_answer}, .answered = &answered};
    request_ticket_open(&call->ticket, req);
    ids_make_hex(call->api.id, "req_");
    h2o_mem_init_pool(&call->pool);
    api_server_copy_request(call, req);
    server->options.handle(server->options.data, &call->api);
    if (answered)
        return;
    call->answered = NULL;
}

static int api_server_on_request(h2o_handler_t *super, h2o_req_t *req)
{
    struct api_server *server = ((struct api_server_handler *)super)->server;

    if (server->stopped)
        json_reply_error(req, 503, "stopping", "the emulator is stopping");
    else
        api_server_begin(server, req);
    return 0;
}

/* ---- the loop */

static void api_server_start_on_loop(h2o_handler_t *super, h2o_context_t *ctx)
{
    struct api_server *server = ((struct api_server_handler *)super)->server;

    server->loop_calls = loop_calls_open(ctx, NULL, NULL);
    server->options.start(server->options.data, server->loop_calls);
}

static void api_server_stop_on_loop(h2o_handler_t *super, h2o_context_t *ctx)
{
    (void)ctx;
    loop_calls_close(((struct api_server_handler *)super)->server->loop_calls);
}

/* The emulated APIs read every body. */
static bool api_server_answer_head(void *data, h2o_req_t *req)
{
    (void)data;
    (void)req;
    return false;
}

static void api_server_setup(void *data, h2o_pathconf_t *path)
{
    struct api_server_handler *handler;

    handler = (struct api_server_handler *)h2o_create_handler(path, sizeof(*handler));
    handler->super.on_req = api_server_on_request;
    handler->super.on_context_init = api_server_start_on_loop;
    handler->super.on_context_dispose = api_server_stop_on_loop;
    handler->server = data;
}

static void api_server_on_turn(void *data, h2o_context_t *ctx)
{
    struct api_server *server = data;

    if (!ctx->shutdown_requested || server->stopped)
        return;
    server->stopped = true;
    server->options.stop(server->options.data);
}

/* ---- open and close */

static bool api_server_listen(struct api_server *server)
{
    const struct listener_options options = {
        .threads = 1,
        .limits = {.connections = CONNECTIONS,
                   .head_bytes = HEAD_BYTES,
                   .body_bytes = API_SERVER_BODY_MAX,
                   .bodies_bytes = BODIES_BYTES,
                   .deadlines.header_s = HEADER_S,
                   .deadlines.body_s = BODY_S,
                   .deadlines.idle_s = IDLE_S},
        .setup = api_server_setup,
        .answer_head = api_server_answer_head,
        .refuse = json_reply_refuse,
        .turn = api_server_on_turn,
        .data = server,
    };

    errno = ENOMEM;
    return (server->listener = listener_new(&options)) != NULL &&
           listener_add(server->listener, server->options.address) &&
           listener_start(server->listener);
}

struct api_server *api_server_open(const struct api_server_options *options,
                                   char why[API_SERVER_WHY_SIZE])
{
    struct api_server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        snprintf(why, API_SERVER_WHY_SIZE, "out of memory");
        return NULL;
    }
    server->options = *options;
    if (!api_server_listen(server)) {
        snprintf(why, API_SERVER_WHY_SIZE, "cannot listen on %s: %s", options->address,
                 listener_problem(errno));
        api_server_close(&server);
    }
    return server;
}

void api_server_address(const struct api_server *server, char *text)
{
    if (!listener_address(server->listener, 0, text))
        snprintf(text, ADDRESS_TEXT_SIZE, "%s", server->options.address);
}

void api_server_close(struct api_server **server)
{
    if (*server != NULL && (*server)->listener != NULL) {
        listener_stop((*server)->listener, STOP_S);
        listener_free(&(*server)->listener);
    }
    free(*server);
    *server = NULL;
}
