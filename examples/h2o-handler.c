/* SPDX-License-Identifier: MIT
 *
 * Receives webhooks of Foil with libh2o 2.2: `FOIL_SECRET=... h2o-handler PORT`.
 *
 *     cc h2o-handler.c -o h2o-handler $(pkg-config --cflags --libs libhookline libh2o-evloop)
 */
#include <hookline.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

/* Selects the event loop of libh2o-evloop; its pkg-config file lacks this definition. */
#define H2O_USE_LIBUV 0
#include <h2o.h>

struct webhook_handler {
    h2o_handler_t super;
    const hookline_verifier *verifier;
};

static h2o_accept_ctx_t accept_ctx;

/* h2o_find_header_by_str() compares case-sensitively, so this loop compares names itself. */
static size_t find_header(const void *headers, const char *name, hookline_bytes *value)
{
    const h2o_headers_t *all = headers;
    size_t len = strlen(name), found = 0;

    for (size_t i = 0; i < all->size; i++) {
        const h2o_header_t *header = &all->entries[i];

        if (header->name->len == len && strncasecmp(header->name->base, name, len) == 0 &&
            found++ == 0)
            *value = (hookline_bytes){header->value.base, header->value.len};
    }
    return found;
}

static int on_webhook(h2o_handler_t *self, h2o_req_t *req)
{
    const hookline_verifier *verifier = ((struct webhook_handler *)self)->verifier;
    hookline_request view = {.find_header = find_header,
                             .headers = &req->headers,
                             .body = {req->entity.base, req->entity.len}};
    hookline_result r = hookline_verify(verifier, &view, time(NULL));

    if (hookline_accepted(r)) { /* store r.payload and r.id here, before the answer */
        req->res.status = 200;
        req->res.reason = "OK";
    } else if (r.reason <= HOOKLINE_BAD_CALL) {
        /* An error of our own: 5xx makes the sender retry, a 4xx would lose the event. */
        req->res.status = 503;
        req->res.reason = "Service Unavailable";
    } else {
        req->res.status = 401;
        req->res.reason = "Unauthorized";
    }
    h2o_send_inline(req, hookline_code_name(r.reason), strlen(hookline_code_name(r.reason)));
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    h2o_socket_t *sock = error == NULL ? h2o_evloop_socket_accept(listener) : NULL;

    if (sock != NULL)
        h2o_accept(&accept_ctx, sock);
}

static int listen_on(struct sockaddr_in *at)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)at, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)at, &len) < 0)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    h2o_globalconf_t config;
    h2o_context_t context;
    h2o_handler_t *handler;
    hookline_verifier *verifier;
    int fd, code = hookline_verifier_new(&verifier, "foil", getenv("FOIL_SECRET"));

    if (code < 0)
        return fprintf(stderr, "FOIL_SECRET: %s\n", hookline_code_text(code)), 3;
    at.sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));
    if ((fd = listen_on(&at)) < 0)
        return perror("h2o-handler"), 3;

    h2o_config_init(&config);
    config.http1.upgrade_to_http2 = 0;        /* HTTP/2 in libh2o 2.2 has known vulnerabilities */
    config.max_request_entity_size = 1 << 20; /* default: 1 GiB */
    handler = h2o_create_handler(
        h2o_config_register_path(
            h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535), "/",
            0),
        sizeof(struct webhook_handler));
    handler->on_req = on_webhook;
    ((struct webhook_handler *)handler)->verifier = verifier;
    h2o_context_init(&context, h2o_evloop_create(), &config);
    accept_ctx = (h2o_accept_ctx_t){.ctx = &context, .hosts = config.hosts};
    h2o_socket_read_start(h2o_evloop_socket_create(context.loop, fd, H2O_SOCKET_FLAG_DONT_READ),
                          on_accept);
    printf("listening on 127.0.0.1:%u\n", ntohs(at.sin_port));
    fflush(stdout);
    while (h2o_evloop_run(context.loop, INT32_MAX) == 0)
        ;
    return 3;
}
