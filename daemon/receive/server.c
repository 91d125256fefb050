/* SPDX-License-Identifier: MIT */
#include "daemon/receive/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/base/message.h"
#include "daemon/base/net.h"
#include "daemon/base/process.h"
#include "daemon/conf/config.h"
#include "daemon/http/listen_fds.h"
#include "daemon/http/listener.h"
#include "daemon/policy/listener_config.h"
#include "daemon/receive/receiver.h"

struct receive_server {
    const struct receiver_options *options;
    struct receiver *receiver;
    struct listener_configs *listener_configs;
    struct listener *listener;
};

/* Raises the soft limit of descriptors and reduces *connections to fit. A connection takes one
 * descriptor, and briefly a second one when it begins to linger. */
static void receive_server_raise_fds(unsigned *connections)
{
    const rlim_t others = 512;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && *connections + others > limit.rlim_cur) {
        *connections = limit.rlim_cur > 2 * others ? (unsigned)(limit.rlim_cur - others)
                                                   : (unsigned)(limit.rlim_cur / 2);
        message_warning(
            "connections limited to %u by RLIMIT_NOFILE: raise LimitNOFILE= (ulimit -Hn)",
            *connections);
    }
}

static struct connection_limits receive_server_limits(const struct config_limits *c)
{
    struct connection_limits limits = {
        .connections = c->connections,
        .per_address = c->connections_per_address,
        .head_bytes = c->head_bytes,
        .body_bytes = c->body_bytes,
        .bodies_bytes = c->bodies_bytes,
        .deadlines.header_s = c->header_seconds,
        .deadlines.body_s = c->body_seconds,
        .deadlines.idle_s = c->idle_seconds,
    };

    receive_server_raise_fds(&limits.connections);
    return limits;
}

static void receive_server_setup(void *data, struct st_h2o_pathconf_t *path)
{
    struct receive_server *server = data;

    server->receiver = receiver_register(path, server->options);
}

static bool receive_server_answer_head(void *data, struct st_h2o_req_t *req)
{
    const struct receive_server *server = data;

    return receiver_answer_head(server->receiver, req);
}

static void receive_server_refuse(void *data, struct st_h2o_req_t *req,
                                  enum response_problem problem)
{
    const struct receive_server *server = data;

    receiver_answer_problem(server->receiver, req, problem);
}

static void receive_server_on_turn(void *data, struct st_h2o_context_t *ctx)
{
    const struct receive_server *server = data;

    receiver_turn(server->receiver, ctx);
}

static void receive_server_ignore_text(const char *text)
{
    (void)text;
}

/* Ignores warnings, because the check of the configuration has printed them. */
static bool receive_server_open_configs(struct receive_server *server, const struct config *c)
{
    char why[CONFIG_WHY_SIZE];

    server->listener_configs = listener_configs_open(c, receive_server_ignore_text, why);
    if (server->listener_configs == NULL)
        message_error("%s", why);
    return server->listener_configs != NULL;
}

struct receive_server *receive_server_open(const struct config *c,
                                           const struct receiver_options *options,
                                           struct heartbeats *heartbeats)
{
    struct receive_server *server = calloc(1, sizeof(*server));
    struct listener_options listener = {
        .threads = c->threads,
        .limits = receive_server_limits(&c->limits),
        .heartbeats = heartbeats,
        .name = "a loop",
        .data = server,
        .setup = receive_server_setup,
        .answer_head = receive_server_answer_head,
        .refuse = receive_server_refuse,
        .turn = receive_server_on_turn,
    };

    if (server == NULL) {
        message_error("%s", strerror(errno));
        return NULL;
    }
    server->options = options;
    if (receive_server_open_configs(server, c)) {
        listener.proxies = listener_configs_proxies(server->listener_configs);
        if ((server->listener = listener_new(&listener)) == NULL)
            message_error("%s", strerror(errno));
    }
    if (server->listener == NULL)
        receive_server_free(&server);
    return server;
}

/* Gives a passed socket the TLS and PROXY settings of the `listen` entry with its address. */
static void receive_server_set_handshake(struct receive_server *server, const struct config *c,
                                         int fd, size_t n)
{
    const struct listen_fds alone = {{fd}, 1};
    char text[ADDRESS_TEXT_SIZE];
    bool guarded = false;

    for (size_t i = 0; i < c->listen_count; i++) {
        guarded = guarded || c->listen[i].tls != NULL || c->listen[i].proxy_protocol;
        if (listen_fds_has(&alone, c->listen[i].address)) {
            listener_set_handshake(server->listener, n,
                                   listener_configs_at(server->listener_configs, i));
            return;
        }
    }
    if (guarded && listener_address(server->listener, n, text))
        message_warning("passed socket %s: no listen entry has this address: serving plain HTTP",
                        text);
}

static int receive_server_open_sockets(struct receive_server *server, const struct config *c,
                                       const struct listen_fds *passed)
{
    size_t n = 0;

    for (; n < passed->count; n++) {
        if (!listener_adopt(server->listener, passed->fd[n])) {
            message_error("cannot listen on a passed socket: %s", strerror(errno));
            return EXIT_FAILED;
        }
        receive_server_set_handshake(server, c, passed->fd[n], n);
    }
    for (unsigned i = 0; i < c->listen_count; i++) {
        if (passed->count > 0 &&
            (c->listen_by_default || listen_fds_has(passed, c->listen[i].address)))
            continue;
        if (!listener_add(server->listener, c->listen[i].address)) {
            int error = errno;

            message_error("cannot listen on %s: %s", c->listen[i].address, listener_problem(error));
            return process_exit_code(error);
        }
        listener_set_handshake(server->listener, n++,
                               listener_configs_at(server->listener_configs, i));
    }
    return EXIT_SUCCESS;
}

int receive_server_start(struct receive_server *server, const struct config *c,
                         const struct listen_fds *passed)
{
    char text[ADDRESS_TEXT_SIZE];
    int code = receive_server_open_sockets(server, c, passed);

    if (code != EXIT_SUCCESS)
        return code;
    if (!listener_start(server->listener)) {
        message_error("%s", strerror(errno));
        return EXIT_FAILED;
    }
    for (size_t i = 0; listener_address(server->listener, i, text); i++)
        message_print("listening on %s", text);
    return EXIT_SUCCESS;
}

void receive_server_limit(struct receive_server *server, const struct config_limits *c)
{
    const struct connection_limits limits = receive_server_limits(c);

    listener_limit(server->listener, &limits);
}

void receive_server_stop(struct receive_server *server, unsigned seconds)
{
    unsigned cut = listener_stop(server->listener, seconds);

    if (cut > 0)
        message_warning("cut %u open connection(s) at shutdown", cut);
}

void receive_server_free(struct receive_server **server)
{
    if (*server != NULL) {
        listener_free(&(*server)->listener);
        listener_configs_free(&(*server)->listener_configs);
    }
    free(*server);
    *server = NULL;
}

bool receive_server_renew(struct receive_server *server, struct listener_configs **newer)
{
    return listener_configs_renew(server->listener_configs, newer);
}

const struct listener_configs *receive_server_configs(const struct receive_server *server)
{
    return server->listener_configs;
}

const struct listener *receive_server_listener(const struct receive_server *server)
{
    return server->listener;
}
