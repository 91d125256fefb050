/* SPDX-License-Identifier: MIT
 *
 * Receives webhooks of Foil with libmicrohttpd: `FOIL_SECRET=... microhttpd-server PORT`.
 *
 *     cc microhttpd-server.c -o microhttpd-server \
 *         $(pkg-config --cflags --libs libhookline libmicrohttpd)
 */
#include <hookline.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

enum {
    BODY_MAX = 1 << 20
};

struct body {
    size_t len; /* BODY_MAX + 1: too long */
    char bytes[BODY_MAX];
};

struct search {
    const char *name;
    hookline_bytes *value;
    size_t found;
};

static enum MHD_Result look_at(void *context, enum MHD_ValueKind kind, const char *name,
                               size_t name_len, const char *value, size_t len)
{
    struct search *search = context;

    (void)kind, (void)name_len;
    if (strcasecmp(name, search->name) == 0 && search->found++ == 0)
        *search->value = (hookline_bytes){value, len};
    return MHD_YES;
}

/* Visits all headers, because MHD_lookup_connection_value() would hide a duplicate. */
static size_t find_header(const void *connection, const char *name, hookline_bytes *value)
{
    struct search search = {name, value, 0};

    MHD_get_connection_values_n((struct MHD_Connection *)connection, MHD_HEADER_KIND, look_at,
                                &search);
    return search.found;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(connection, status, response);

    MHD_destroy_response(response);
    return queued;
}

/* Called once for the headers, once for each part of the body, and once at the end. */
static enum MHD_Result handle(void *verifier, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    struct body *body = *state;
    hookline_request req = {.find_header = find_header, .headers = connection};
    hookline_result r;

    (void)url, (void)version;
    if (body == NULL)
        return (*state = calloc(1, sizeof(*body))) == NULL ? MHD_NO : MHD_YES;
    if (*size > 0) {
        if (*size <= BODY_MAX - body->len && body->len <= BODY_MAX)
            memcpy(body->bytes + body->len, data, *size), body->len += *size;
        else
            body->len = BODY_MAX + 1;
        *size = 0;
        return MHD_YES;
    }
    if (strcmp(method, "POST") != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only POST\n");
    if (body->len > BODY_MAX)
        return answer(connection, 413, "more than 1 MiB\n");
    req.body = (hookline_bytes){body->bytes, body->len};
    r = hookline_verify(verifier, &req, time(NULL));
    if (hookline_accepted(r)) /* store r.payload and r.id here, before the answer */
        return answer(connection, MHD_HTTP_OK, hookline_code_name(r.reason));
    /* Answer 5xx to errors of our own, so that the sender retries; a 4xx would lose the event. */
    return answer(connection, r.reason <= HOOKLINE_BAD_CALL ? 503 : MHD_HTTP_UNAUTHORIZED,
                  hookline_code_name(r.reason));
}

static void forget_body(void *context, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode how)
{
    (void)context, (void)connection, (void)how;
    free(*state);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon;
    hookline_verifier *verifier;
    int code = hookline_verifier_new(&verifier, "foil", getenv("FOIL_SECRET"));

    if (code < 0)
        return fprintf(stderr, "FOIL_SECRET: %s\n", hookline_code_text(code)), 3;
    at.sin_port = htons((uint16_t)(argc > 1 ? strtoul(argv[1], NULL, 10) : 0));
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, verifier,
                              MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_TIMEOUT, 30U,
                              MHD_OPTION_NOTIFY_COMPLETED, forget_body, NULL, MHD_OPTION_END);
    if (daemon == NULL)
        return perror("microhttpd-server"), 3;
    printf("listening on 127.0.0.1:%u\n",
           MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    for (;;)
        pause();
}
