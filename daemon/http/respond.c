/* SPDX-License-Identifier: MIT */
#include "daemon/http/respond.h"

#include <stdio.h>

#include <h2o.h>

#include "daemon/base/json_line.h"

/* The address tells that a response is the application's: libh2o's own have other phrases. */
static const char relayed[] = "Relayed";

static void add_header(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, SIZE_MAX);

    h2o_add_header(&req->pool, &req->res.headers, name, NULL, copy.base, copy.len);
}

void respond_prepare(h2o_req_t *req, const struct answer *answer)
{
    req->res.status = answer->status;
    req->res.reason = answer->phrase;
    req->res.headers = (h2o_headers_t){0};
    add_header(req, H2O_TOKEN_CONTENT_TYPE, "application/json");
    if (answer->status == 405)
        add_header(req, H2O_TOKEN_ALLOW, "POST");
    if (answer->retry_after_s > 0) {
        char seconds[16];

        snprintf(seconds, sizeof(seconds), "%d", answer->retry_after_s);
        add_header(req, H2O_TOKEN_RETRY_AFTER, seconds);
    }
}

void respond(h2o_req_t *req, const struct answer *answer, const struct json_line *line)
{
    size_t len = line->failed ? 0 : line->len;

    respond_prepare(req, answer);
    req->res.content_length = len;
    h2o_send_inline(req, len == 0 ? "" : line->base, len);
}

void respond_relayed(h2o_req_t *req, int status, const char *content_type, const char *body,
                     size_t len)
{
    req->res.status = status;
    req->res.reason = relayed;
    req->res.content_length = len;
    req->res.headers = (h2o_headers_t){0};
    if (content_type != NULL)
        add_header(req, H2O_TOKEN_CONTENT_TYPE, content_type);
    h2o_send_inline(req, len == 0 ? "" : body, len);
}

struct replacement {
    h2o_ostream_t super;
    h2o_iovec_t body;
};

static void send_replacement(h2o_ostream_t *stream, h2o_req_t *req, h2o_iovec_t *bufs, size_t count,
                             h2o_send_state_t state)
{
    struct replacement *self = (struct replacement *)stream;

    (void)bufs;
    h2o_ostream_send_next(stream, req, &self->body, count == 0 ? 0 : 1, state);
}

h2o_ostream_t **respond_replace(h2o_req_t *req, h2o_ostream_t **slot, const struct json_line *line)
{
    struct replacement *stream = (struct replacement *)h2o_add_ostream(req, sizeof(*stream), slot);

    stream->super.do_send = send_replacement;
    stream->body = h2o_strdup(&req->pool, line->base, line->len);
    req->res.content_length = line->len;
    return &stream->super.next;
}

/* What libh2o sends by itself is plain text. */
bool respond_is_ours(const h2o_req_t *req)
{
    ssize_t i = h2o_find_header(&req->res.headers, H2O_TOKEN_CONTENT_TYPE, -1);
    h2o_iovec_t type = i < 0 ? h2o_iovec_init(NULL, 0) : req->res.headers.entries[i].value;

    return req->res.reason == relayed ||
           h2o_memis(type.base, type.len, H2O_STRLIT("application/json"));
}
