/* SPDX-License-Identifier: MIT */
#include "daemon/http/http1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <h2o.h>

#include "daemon/http/request_reader.h"
#include "daemon/http/response.h"

enum {
    HTTP1_FREE_BYTES = 2 * H2O_SOCKET_INITIAL_INPUT_BUFFER_SIZE, /* of input, not in `bodies` */
    HTTP1_EARLY_MAX = 64 << 10, /* bytes read ahead while a request is in progress */
    HTTP1_REST_MAX = 64 << 10,  /* bytes of a body discarded to keep the connection */
    HTTP1_BUFFERS_MAX = 16,     /* of one write */
};

struct http1 {
    h2o_conn_t super;
    const struct http1_config *config;
    h2o_socket_t *sock;
    enum http1_phase phase;
    unsigned requests;
    struct request_scan scan;
    struct chunk_reader chunks;
    size_t head_len, body_len; /* of the current request, at the front of sock->input */
    size_t content_length;     /* 0: chunked */
    size_t rest;               /* bytes of the body to discard after the response */
    size_t charged;            /* bytes of sock->input counted in `bodies` */
    bool is_head;              /* the method is HEAD */
    bool has_unread;           /* the response ends the connection before the request is read */
    bool is_stream;            /* the response has no end of its own */
    bool input_ended;          /* the peer sends no more */
    bool is_ending;            /* this response is the last */
    bool sent_head;
    h2o_ostream_t out;
    h2o_req_t req; /* last, because its constructor skips the memory pool at its end */
};

/* ---- connection */

static struct http1 *http1_of_socket(const h2o_socket_t *sock)
{
    return sock->data;
}

static socklen_t http1_get_sockname(h2o_conn_t *conn, struct sockaddr *address)
{
    return h2o_socket_getsockname(((struct http1 *)conn)->sock, address);
}

static socklen_t http1_get_peername(h2o_conn_t *conn, struct sockaddr *address)
{
    return h2o_socket_getpeername(((struct http1 *)conn)->sock, address);
}

static h2o_socket_t *http1_get_socket(h2o_conn_t *conn)
{
    return ((struct http1 *)conn)->sock;
}

static const h2o_conn_callbacks_t http1_callbacks = {
    .get_sockname = http1_get_sockname,
    .get_peername = http1_get_peername,
    .get_socket = http1_get_socket,
};

/* Counts the memory of the input beyond its first buffer. Returns false if all connections
 * together exceed the budget. */
static bool http1_charge(struct http1 *h)
{
    const h2o_buffer_t *input = h->sock->input;
    size_t bytes =
        input->bytes == NULL || input->capacity <= HTTP1_FREE_BYTES ? 0 : input->capacity;
    size_t before = h->charged, sum;

    if (bytes == before)
        return true;
    h->charged = bytes;
    sum = atomic_fetch_add_explicit(h->config->bodies, bytes - before, memory_order_relaxed);
    return bytes < before || sum + (bytes - before) <= h->config->bodies_max;
}

static void http1_consume(struct http1 *h, size_t bytes)
{
    h2o_buffer_consume(&h->sock->input, bytes);
    http1_charge(h);
}

static void http1_on_send(h2o_ostream_t *out, h2o_req_t *req, h2o_iovec_t *bufs, size_t count,
                          h2o_send_state_t state);

static void http1_init_request(struct http1 *h)
{
    h2o_init_request(&h->req, &h->super, NULL);
    h->out = (h2o_ostream_t){.do_send = http1_on_send};
    h->req._ostr_top = &h->out;
    h->req.input.scheme = h->sock->ssl != NULL ? &H2O_URL_SCHEME_HTTPS : &H2O_URL_SCHEME_HTTP;
    h->scan = (struct request_scan){0};
    h->head_len = h->body_len = h->content_length = 0;
    h->is_head = h->is_stream = h->sent_head = false;
}

struct http1 *http1_new(const struct http1_config *config, h2o_socket_t *sock)
{
    struct timeval connected_at = *h2o_get_timestamp(config->accept->ctx, NULL, NULL);
    struct http1 *h = (struct http1 *)h2o_create_connection(
        sizeof(*h), config->accept->ctx, config->accept->hosts, connected_at, &http1_callbacks);

    memset((char *)h + sizeof(h->super), 0, offsetof(struct http1, req) - sizeof(h->super));
    h->config = config;
    h->sock = sock;
    sock->data = h;
    http1_init_request(h);
    return h;
}

static void http1_close(struct http1 *h, bool unread)
{
    h2o_dispose_request(&h->req);
    atomic_fetch_sub_explicit(h->config->bodies, h->charged, memory_order_relaxed);
    h->config->closing(h->sock, unread);
    h2o_socket_close(h->sock);
    free(h);
}

enum http1_phase http1_phase(const struct http1 *h)
{
    return h->phase;
}

bool http1_is_busy(const struct http1 *h)
{
    return h->phase == HTTP1_WORK || h->is_stream;
}

unsigned http1_requests(const struct http1 *h)
{
    return h->requests;
}

static bool http1_is_answering(const struct http1 *h)
{
    return h->phase == HTTP1_WORK || h->phase == HTTP1_RESPONSE;
}

void http1_end(struct http1 *h)
{
    h->input_ended = true;
    if (!http1_is_answering(h) || h->is_stream)
        http1_close(h, false);
}

/* ---- requests for the handlers */

/* Returns a text that outlives the input, because the response depends on the method. */
static h2o_iovec_t http1_copy_method(struct http1 *h, const char *method, size_t len)
{
    if (len == 4 && memcmp(method, "POST", 4) == 0)
        return (h2o_iovec_t){H2O_STRLIT("POST")};
    if (len == 3 && memcmp(method, "GET", 3) == 0)
        return (h2o_iovec_t){H2O_STRLIT("GET")};
    return h2o_strdup(&h->req.pool, method, len);
}

/* Host, framing, Expect and Upgrade are not for the handlers. */
static void http1_set_headers(struct http1 *h, char *base, const struct request_head *head)
{
    h2o_mem_pool_t *pool = &h->req.pool;

    h2o_vector_reserve(pool, &h->req.headers, head->count);
    for (size_t i = 0; i < head->count; i++) {
        const struct request_field *field = &head->fields[i];
        char *name = base + field->name.at, *value = base + field->value.at;
        const h2o_token_t *token;

        h2o_strtolower(name, field->name.len);
        token = h2o_lookup_token(name, field->name.len);
        if (token == NULL)
            h2o_add_header_by_str(pool, &h->req.headers, name, field->name.len, 0, NULL, value,
                                  field->value.len);
        else if (!token->is_init_header_special)
            h2o_add_header(pool, &h->req.headers, token, NULL, value, field->value.len);
    }
}

static void http1_set_line(struct http1 *h, char *base, const struct request_head *head)
{
    h2o_iovec_t path = {base + head->target.at, head->target.len};

    h->req.input.method = http1_copy_method(h, base + head->method.at, head->method.len);
    h->is_head = h2o_memis(h->req.input.method.base, h->req.input.method.len, H2O_STRLIT("HEAD"));
    if (path.len == 0 || path.base[0] == '?')
        path = h2o_concat(&h->req.pool, h2o_iovec_init("/", 1), path);
    h->req.input.path = path;
}

static void http1_set_request(struct http1 *h, char *base, const struct request_head *head)
{
    http1_set_line(h, base, head);
    if (head->host.len > 0)
        h->req.input.authority = (h2o_iovec_t){base + head->host.at, head->host.len};
    h->req.version = 0x100 | (int)head->minor;
    h->req.http1_is_persistent = head->is_persistent;
    http1_set_headers(h, base, head);
}

/* ---- refusals */

static void http1_bind_request(h2o_req_t *req)
{
    h2o_hostconf_t *host = req->conn->hosts[0];
    h2o_iovec_t path = req->input.path;
    const char *query = path.len == 0 ? NULL : memchr(path.base, '?', path.len);

    req->scheme = req->input.scheme;
    req->method = req->input.method;
    req->authority = req->input.authority;
    req->path = path;
    req->query_at = query == NULL ? SIZE_MAX : (size_t)(query - path.base);
    h2o_req_bind_conf(req, host, &host->fallback_path);
}

/* Reads no further, and frees what was read. */
static void http1_refuse(struct http1 *h, enum response_problem problem)
{
    h2o_socket_read_stop(h->sock);
    h->phase = HTTP1_WORK;
    h->is_ending = h->has_unread = true;
    if (h->req.version == 0)
        h->req.version = 0x101;
    http1_bind_request(&h->req);
    h->config->refuse(h->config->data, &h->req, problem);
    http1_consume(h, h->sock->input->size);
    h->head_len = h->body_len = 0;
}

static enum response_problem http1_problem(enum request_fault fault)
{
    switch (fault) {
    case REQUEST_HEAD_TOO_LARGE:
        return RESPONSE_HEAD_TOO_LARGE;
    case REQUEST_UNKNOWN_EXPECTATION:
        return RESPONSE_EXPECTATION_FAILED;
    case REQUEST_MALFORMED:
    case REQUEST_NO_FAULT:
        break;
    }
    return RESPONSE_BAD_REQUEST;
}

void http1_time_out(struct http1 *h)
{
    if (h2o_socket_is_writing(h->sock)) /* 100 Continue */
        http1_close(h, false);
    else
        http1_refuse(h, RESPONSE_REQUEST_TIMEOUT);
}

/* ---- bodies */

static void http1_read(struct http1 *h);

static void http1_process(struct http1 *h)
{
    h->phase = HTTP1_WORK;
    h->req.entity = (h2o_iovec_t){h->sock->input->bytes + h->head_len, h->body_len};
    h2o_process_request(&h->req);
}

/* Decodes the new bytes of a chunked body. Returns true at its end; a refused request has another
 * phase then. */
static bool http1_decode(struct http1 *h)
{
    h2o_buffer_t *input = h->sock->input;
    size_t at = h->head_len + h->body_len, len = input->size - at, data_len, taken;
    enum request_fault fault =
        chunk_reader_decode(&h->chunks, input->bytes + at, len, &data_len, &taken);

    memmove(input->bytes + at + data_len, input->bytes + at + taken, len - taken);
    input->size -= taken - data_len;
    h->body_len += data_len;
    if (fault != REQUEST_NO_FAULT)
        http1_refuse(h, http1_problem(fault));
    else if (h->body_len > h->config->body_max ||
             h->chunks.left > h->config->body_max - h->body_len)
        http1_refuse(h, RESPONSE_BODY_TOO_LARGE);
    return h->chunks.state == CHUNK_DONE;
}

/* Returns true if the whole body is there. */
static bool http1_has_body(struct http1 *h)
{
    if (h->content_length == 0)
        return http1_decode(h);
    if (h->sock->input->size - h->head_len < h->content_length)
        return false;
    h->body_len = h->content_length;
    return true;
}

static void http1_read_body(struct http1 *h)
{
    bool is_complete = http1_has_body(h);

    if (h->phase == HTTP1_BODY && is_complete)
        http1_process(h);
}

/* ---- a body that has not arrived with its head */

static void http1_on_continue_sent(h2o_socket_t *sock, const char *err);
static void http1_on_read(h2o_socket_t *sock, const char *err);

static void http1_send_continue(struct http1 *h)
{
    h2o_iovec_t line = {H2O_STRLIT("HTTP/1.1 100 Continue\r\n\r\n")};

    h2o_socket_read_stop(h->sock);
    h2o_socket_write(h->sock, &line, 1, http1_on_continue_sent);
}

static void http1_on_continue_sent(h2o_socket_t *sock, const char *err)
{
    struct http1 *h = http1_of_socket(sock);

    if (err != NULL) {
        http1_close(h, false);
    } else if (h->phase == HTTP1_BODY) {
        h2o_socket_read_start(sock, http1_on_read);
        http1_read(h);
    }
}

/* Answers without the body, if the head suffices. A short body is discarded afterwards; any other
 * ends the connection. */
static bool http1_skip_body(struct http1 *h, const struct request_head *head)
{
    bool was_ending = h->is_ending;
    size_t decoded = h->body_len;

    h->phase = HTTP1_WORK;
    h->body_len = h->sock->input->size - h->head_len;
    h->has_unread =
        head->is_chunked || head->expects_continue || h->content_length > HTTP1_REST_MAX;
    h->rest = h->has_unread ? 0 : h->content_length - h->body_len;
    h->is_ending = was_ending || h->has_unread;
    http1_bind_request(&h->req);
    if (h->config->answer_head(h->config->data, &h->req))
        return true;
    h->body_len = decoded;
    h->rest = 0;
    h->has_unread = false;
    h->is_ending = was_ending;
    return false;
}

/* The input may move while the body arrives, so the head is copied. */
static void http1_await_body(struct http1 *h, const struct request_head *head)
{
    h->phase = HTTP1_BODY;
    h->req.headers.size = 0;
    http1_set_request(h, h2o_strdup(&h->req.pool, h->sock->input->bytes, h->head_len).base, head);
    if (head->expects_continue)
        http1_send_continue(h);
}

/* ---- heads */

static void http1_take_head(struct http1 *h, const struct request_head *head)
{
    bool has_body = head->is_chunked || head->content_length > 0, is_complete;
    enum response_problem problem;

    h->requests++;
    http1_set_request(h, h->sock->input->bytes, head);
    if (!h->config->admit(h->sock, &problem)) {
        http1_refuse(h, problem);
        return;
    }
    if (head->content_length > h->config->body_max) {
        http1_refuse(h, RESPONSE_BODY_TOO_LARGE);
        return;
    }
    h->content_length = (size_t)head->content_length;
    is_complete = !has_body || http1_has_body(h);
    if (h->phase != HTTP1_HEAD)
        return;
    if (is_complete && !(has_body && head->expects_continue))
        http1_process(h);
    else if (is_complete || !http1_skip_body(h, head))
        http1_await_body(h, head);
}

static void http1_read_head(struct http1 *h)
{
    const h2o_buffer_t *input = h->sock->input;
    struct request_head head;
    enum request_fault fault =
        request_head_scan(&h->scan, input->bytes, input->size, h->config->head_max, &h->head_len);

    if (fault == REQUEST_NO_FAULT && h->head_len == 0)
        return;
    if (fault == REQUEST_NO_FAULT)
        fault = request_head_read(&head, input->bytes, &h->scan);
    h->chunks = (struct chunk_reader){0};
    if (fault == REQUEST_NO_FAULT) {
        http1_take_head(h, &head);
        return;
    }
    if (request_line_read(&head, h->sock->input->bytes, &h->scan))
        http1_set_line(h, h->sock->input->bytes, &head);
    http1_refuse(h, http1_problem(fault));
}

/* ---- input */

static void http1_discard(struct http1 *h)
{
    size_t len = h->sock->input->size < h->rest ? h->sock->input->size : h->rest;

    http1_consume(h, len);
    h->rest -= len;
    if (h->rest == 0)
        h->phase = HTTP1_IDLE;
}

static void http1_read(struct http1 *h)
{
    if (h->phase == HTTP1_REST)
        http1_discard(h);
    /* An empty line alone is no request. */
    if (h->phase == HTTP1_IDLE && h->sock->input->size > 0 &&
        (h->sock->input->size > 2 || h->sock->input->bytes[0] != '\r'))
        h->phase = HTTP1_HEAD;
    if (h->phase == HTTP1_HEAD)
        http1_read_head(h);
    else if (h->phase == HTTP1_BODY)
        http1_read_body(h);
}

/* A client that only closed its sending half still reads its answers, except that of a stream. */
static void http1_on_input_end(struct http1 *h, const char *err)
{
    if (err != h2o_socket_error_closed) {
        http1_close(h, false);
        return;
    }
    h2o_socket_read_stop(h->sock);
    http1_end(h);
}

/* Keeps reading during a request: to stop and start again would cost two system calls. */
static void http1_on_read(h2o_socket_t *sock, const char *err)
{
    struct http1 *h = http1_of_socket(sock);
    bool fits;

    if (err != NULL) {
        http1_on_input_end(h, err);
        return;
    }
    h->config->active(sock);
    fits = http1_charge(h);
    if (http1_is_answering(h)) {
        if (!fits || sock->input->size - h->head_len - h->body_len > HTTP1_EARLY_MAX)
            h2o_socket_read_stop(sock);
    } else if (fits || h->phase == HTTP1_REST) {
        http1_read(h);
    } else {
        http1_refuse(h, RESPONSE_BODIES_FULL);
    }
}

void http1_start(struct http1 *h)
{
    h2o_socket_read_start(h->sock, http1_on_read);
    http1_read(h);
}

/* ---- responses */

static void http1_next_request(struct http1 *h)
{
    size_t used = h->head_len + h->body_len;

    h2o_dispose_request(&h->req);
    http1_consume(h, used);
    http1_init_request(h);
    h->phase = h->rest > 0 ? HTTP1_REST : HTTP1_IDLE;
    if (!h2o_socket_is_reading(h->sock) && !h->input_ended)
        h2o_socket_read_start(h->sock, http1_on_read);
    http1_read(h);
    if (h->input_ended && !http1_is_answering(h))
        http1_close(h, false);
}

static void http1_on_sent(h2o_socket_t *sock, const char *err)
{
    struct http1 *h = http1_of_socket(sock);

    if (err != NULL)
        http1_close(h, false);
    else if (h->is_ending || !h->req.http1_is_persistent)
        http1_close(h, h->has_unread || sock->input->size > h->head_len + h->body_len);
    else
        http1_next_request(h);
}

static void http1_on_part_sent(h2o_socket_t *sock, const char *err)
{
    struct http1 *h = http1_of_socket(sock);

    if (err != NULL)
        http1_close(h, false);
    else
        h2o_proceed_response(&h->req);
}

static size_t http1_head_size(const h2o_req_t *req)
{
    size_t size = sizeof("HTTP/1.1 000 \r\nDate: \r\nConnection: keep-alive\r\n\r\n") +
                  sizeof("Content-Length: \r\n" H2O_UINT64_LONGEST_STR) + strlen(req->res.reason) +
                  H2O_TIMESTR_RFC1123_LEN;

    for (size_t i = 0; i < req->res.headers.size; i++) {
        const h2o_header_t *header = &req->res.headers.entries[i];

        size += header->name->len + header->value.len + sizeof(": \r\n");
    }
    return size;
}

static char *http1_append(char *to, const char *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}

static h2o_iovec_t http1_write_head(struct http1 *h)
{
    h2o_req_t *req = &h->req;
    size_t size = http1_head_size(req);
    char *text = h2o_mem_alloc_pool(&req->pool, size), *to = text, *end = text + size;
    h2o_timestamp_t now;

    h2o_get_timestamp(h->super.ctx, &req->pool, &now);
    to += snprintf(to, size, "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: %s\r\n", req->res.status,
                   req->res.reason, now.str->rfc1123,
                   req->http1_is_persistent ? "keep-alive" : "close");
    if (req->res.content_length != SIZE_MAX)
        to += snprintf(to, (size_t)(end - to), "Content-Length: %zu\r\n", req->res.content_length);
    for (size_t i = 0; i < req->res.headers.size; i++) {
        const h2o_header_t *header = &req->res.headers.entries[i];

        to = http1_append(to, header->orig_name != NULL ? header->orig_name : header->name->base,
                          header->name->len);
        to = http1_append(to, ": ", 2);
        to = http1_append(to, header->value.base, header->value.len);
        to = http1_append(to, "\r\n", 2);
    }
    to = http1_append(to, "\r\n", 2);
    return (h2o_iovec_t){text, (size_t)(to - text)};
}

/* libh2o's output filters end here. */
static void http1_on_send(h2o_ostream_t *out, h2o_req_t *req, h2o_iovec_t *bufs, size_t count,
                          h2o_send_state_t state)
{
    struct http1 *h = H2O_STRUCT_FROM_MEMBER(struct http1, out, out);
    bool is_final = !h2o_send_state_is_in_progress(state);
    h2o_iovec_t all[HTTP1_BUFFERS_MAX];
    size_t n = 0;

    h->phase = HTTP1_RESPONSE;
    if (h->super.ctx->shutdown_requested || state == H2O_SEND_STATE_ERROR)
        h->is_ending = true;
    if (!h->sent_head) {
        if (h->is_ending)
            req->http1_is_persistent = 0;
        h->is_stream = !is_final && req->res.content_length == SIZE_MAX;
        all[n++] = http1_write_head(h);
        h->sent_head = true;
    }
    for (size_t i = 0; i < count && !h->is_head; i++) {
        if (n == HTTP1_BUFFERS_MAX)
            h2o_fatal("too many buffers in one write");
        all[n++] = bufs[i];
    }
    if (n > 0)
        h2o_socket_write(h->sock, all, n, is_final ? http1_on_sent : http1_on_part_sent);
    else if (is_final)
        http1_on_sent(h->sock, NULL);
    else
        http1_on_part_sent(h->sock, NULL);
}
