/* SPDX-License-Identifier: MIT */
#include "daemon/http/respond.h"

#include <stdio.h>

#include <h2o.h>

#include "daemon/base/json.h"

/* The address tells that a response is the application's: libh2o's own have other phrases. */
static const char response_upstream_phrase[] = "Relayed";

static void response_add_header(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, SIZE_MAX);

    h2o_add_header(&req->pool, &req->res.headers, name, NULL, copy.base, copy.len);
}

void response_prepare(h2o_req_t *req, const struct response *response)
{
    req->res.status = response->status;
    req->res.reason = response->phrase;
    req->res.headers = (h2o_headers_t){0};
    response_add_header(req, H2O_TOKEN_CONTENT_TYPE, "application/json");
    if (response->status == 405)
        response_add_header(req, H2O_TOKEN_ALLOW, "POST");
    if (response->retry_after_s > 0) {
        char seconds[16];

        snprintf(seconds, sizeof(seconds), "%d", response->retry_after_s);
        response_add_header(req, H2O_TOKEN_RETRY_AFTER, seconds);
    }
}

void response_send(h2o_req_t *req, const struct response *response, const struct json_writer *line)
{
    size_t len = line->failed ? 0 : line->len;

    response_prepare(req, response);
    req->res.content_length = len;
    h2o_send_inline(req, len == 0 ? "" : line->base, len);
}

void response_send_upstream(h2o_req_t *req, int status, const char *content_type, const char *body,
                            size_t len)
{
    req->res.status = status;
    req->res.reason = response_upstream_phrase;
    req->res.content_length = len;
    req->res.headers = (h2o_headers_t){0};
    if (content_type != NULL)
        response_add_header(req, H2O_TOKEN_CONTENT_TYPE, content_type);
    h2o_send_inline(req, len == 0 ? "" : body, len);
}

struct response_replacement {
    h2o_ostream_t super;
    h2o_iovec_t body;
};

static void response_send_replacement(h2o_ostream_t *stream, h2o_req_t *req, h2o_iovec_t *bufs,
                                      size_t count, h2o_send_state_t state)
{
    struct response_replacement *self = (struct response_replacement *)stream;

    (void)bufs;
    h2o_ostream_send_next(stream, req, &self->body, count == 0 ? 0 : 1, state);
}

h2o_ostream_t **response_replace_body(h2o_req_t *req, h2o_ostream_t **slot,
                                      const struct json_writer *line)
{
    struct response_replacement *stream =
        (struct response_replacement *)h2o_add_ostream(req, sizeof(*stream), slot);

    stream->super.do_send = response_send_replacement;
    stream->body = h2o_strdup(&req->pool, line->base, line->len);
    req->res.content_length = line->len;
    return &stream->super.next;
}

/* What libh2o sends by itself is plain text. */
bool response_is_ours(const h2o_req_t *req)
{
    ssize_t i = h2o_find_header(&req->res.headers, H2O_TOKEN_CONTENT_TYPE, -1);
    h2o_iovec_t type = i < 0 ? h2o_iovec_init(NULL, 0) : req->res.headers.entries[i].value;

    return req->res.reason == response_upstream_phrase ||
           h2o_memis(type.base, type.len, H2O_STRLIT("application/json"));
}
