/* SPDX-License-Identifier: MIT
 *
 * bare_h2o - minimal receiver on libh2o: it answers as hooklined does, but neither stores nor logs.
 * With a scheme and a secret it also verifies and parses as hooklined does. Status 204 makes it an
 * upstream.
 *
 * Prints its port; GET /count returns the number of answered requests.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <h2o.h>
#include <hookline.h>

static hookline_verifier *verifier; /* NULL: no verification */
static int status;
static atomic_ulong answered;
static h2o_globalconf_t config;

struct loop {
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    int fd;
};

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

static void answer(h2o_req_t *req, int code, const char *text, size_t len)
{
    req->res.status = code;
    req->res.content_length = len;
    req->res.reason = code == 204 ? "No Content" : code == 200 ? "OK" : "Unauthorized";
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json"));
    h2o_send_inline(req, text, len);
}

static void answer_event(h2o_req_t *req, hookline_bytes id, const char *type)
{
    char text[256];
    int len = snprintf(text, sizeof(text),
                       "{\"status\":\"stored\",\"source\":\"foil\",\"id\":\"%.*s\",\"type\":\"%s\","
                       "\"receipt\":\"0123456789abcdef\"}\n",
                       (int)id.len, id.base, type);

    answer(req, 200, text, (size_t)len);
}

static void answer_verified(h2o_req_t *req)
{
    hookline_request view = {.find_header = find_header,
                             .headers = &req->headers,
                             .body = {req->entity.base, req->entity.len}};
    hookline_result r = hookline_verify(verifier, &view, time(NULL));
    hookline_event *event = NULL;

    if (hookline_accepted(r) && hookline_event_read(&event, verifier, &r) == 0)
        answer_event(req, r.id, event->type);
    else
        answer(req, 401, "", 0);
    hookline_event_free(&event);
}

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    static const char id[] = "wevt_0123456789abcdef0123456789abcdef";
    char text[32];

    (void)self;
    if (h2o_memis(req->path.base, req->path.len, H2O_STRLIT("/count"))) {
        answer(req, 200, text, (size_t)snprintf(text, sizeof(text), "%lu\n", answered));
        return 0;
    }
    atomic_fetch_add_explicit(&answered, 1, memory_order_relaxed);
    if (verifier != NULL)
        answer_verified(req);
    else if (status == 204)
        answer(req, 204, "", 0);
    else
        answer_event(req, (hookline_bytes){id, sizeof(id) - 1}, "gate.session.approved");
    return 0;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    struct loop *loop = listener->data;
    h2o_socket_t *sock;

    while (error == NULL && (sock = h2o_evloop_socket_accept(listener)) != NULL)
        h2o_accept(&loop->accept, sock);
}

static void *serve(void *data)
{
    struct loop *loop = data;
    h2o_socket_t *listener;

    h2o_context_init(&loop->context, h2o_evloop_create(), &config);
    loop->accept = (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = config.hosts};
    listener = h2o_evloop_socket_create(loop->context.loop, loop->fd, H2O_SOCKET_FLAG_DONT_READ);
    listener->data = loop;
    h2o_socket_read_start(listener, on_accept);
    while (h2o_evloop_run(loop->context.loop, INT32_MAX) == 0)
        ;
    return NULL;
}

static int listen_anywhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -1;
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void configure(void)
{
    h2o_hostconf_t *host;

    h2o_config_init(&config);
    config.server_name = h2o_iovec_init(NULL, 0);
    config.http1.upgrade_to_http2 = 0;
    config.http1.req_timeout = 600000;
    host = h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_request;
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    int fd;

    if (threads == 0 || (argc != 3 && argc != 5)) {
        fputs("Usage: bare_h2o THREADS STATUS [SCHEME SECRET]\n", stderr);
        return 2;
    }
    status = (int)strtoul(argv[2], NULL, 10);
    if (argc == 5 && hookline_verifier_new(&verifier, argv[3], argv[4]) < 0)
        return fputs("bare_h2o: wrong scheme or secret\n", stderr), 1;
    raise_descriptors();
    configure();
    if ((fd = listen_anywhere()) < 0)
        return perror("bare_h2o"), 1;
    for (unsigned i = 0; i < threads; i++) {
        struct loop *loop = calloc(1, sizeof(*loop));
        pthread_t thread;

        /* Each loop closes its own descriptor. */
        if (loop == NULL || (loop->fd = dup(fd)) < 0 ||
            pthread_create(&thread, NULL, serve, loop) != 0)
            return perror("bare_h2o"), 1;
    }
    pause();
    return 1;
}
