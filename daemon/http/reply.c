/* SPDX-License-Identifier: MIT */
#include "daemon/http/reply.h"

#include <h2o.h>

#include "daemon/http/answer.h"
#include "daemon/http/connection.h"
#include "daemon/base/json_line.h"
#include "daemon/http/respond.h"

static const char guard_name[] = "x-content-type-options";

static const char *phrase_of(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Error";
}

static void add(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_add_header(&req->pool, &req->res.headers, name, NULL, value, strlen(value));
}

void reply_prepare(h2o_req_t *req, int status, const char *type)
{
    req->res.status = status;
    req->res.reason = phrase_of(status);
    req->res.headers = (h2o_headers_t){0};
    add(req, H2O_TOKEN_CONTENT_TYPE, type);
    add(req, H2O_TOKEN_CACHE_CONTROL, "no-store");
    h2o_add_header_by_str(&req->pool, &req->res.headers, guard_name, sizeof(guard_name) - 1, 0,
                          NULL, H2O_STRLIT("nosniff"));
}

static void send_body(h2o_req_t *req, const char *base, size_t len)
{
    static h2o_generator_t nothing;

    req->res.content_length = len;
    if (h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"))) {
        h2o_start_response(req, &nothing);
        h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
    } else {
        h2o_send_inline(req, len == 0 ? "" : base, len);
    }
}

void reply_bytes(h2o_req_t *req, int status, const char *type, const char *base, size_t len)
{
    reply_prepare(req, status, type);
    send_body(req, base, len);
}

void reply_attachment(h2o_req_t *req, const char *base, size_t len)
{
    reply_prepare(req, 200, "application/octet-stream");
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("content-disposition"), 0, NULL,
                          H2O_STRLIT("attachment"));
    send_body(req, base, len);
}

void reply_json(h2o_req_t *req, const struct json_line *line)
{
    if (line->failed)
        reply_error(req, 503, "no_memory", "the answer does not fit into the memory");
    else
        reply_bytes(req, 200, "application/json", line->base, line->len);
}

static void write_error(struct json_line *line, int status, const char *code, const char *message)
{
    struct answer answer = {status, phrase_of(status), code, message, 0};

    answer_write_refusal(line, &answer, NULL);
}

static void send_error(h2o_req_t *req, const char *code, const char *message)
{
    struct json_line line = {0};

    write_error(&line, req->res.status, code, message);
    send_body(req, line.base, line.failed ? 0 : line.len);
    json_line_free(&line);
}

void reply_error(h2o_req_t *req, int status, const char *code, const char *message)
{
    reply_prepare(req, status, "application/json");
    send_error(req, code, message);
}

void reply_not_allowed(h2o_req_t *req, const char *allowed)
{
    char message[64];

    snprintf(message, sizeof(message), "expected %s", allowed);
    reply_prepare(req, 405, "application/json");
    add(req, H2O_TOKEN_ALLOW, allowed);
    send_error(req, "method_not_allowed", message);
}

void reply_unauthorized(h2o_req_t *req)
{
    reply_prepare(req, 401, "application/json");
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("www-authenticate"), 0, NULL,
                          H2O_STRLIT("Bearer"));
    send_error(req, "unauthorized", "expected the header Authorization: Bearer and the token");
}

/* ---- what libh2o says without asking us */

static void on_response(h2o_filter_t *filter, h2o_req_t *req, h2o_ostream_t **slot)
{
    (void)filter;
    if (h2o_find_header_by_str(&req->res.headers, guard_name, sizeof(guard_name) - 1, -1) < 0) {
        struct answer answer = answer_to_problem(answer_problem_of_status(req->res.status));
        struct json_line line = {0};

        answer_write_refusal(&line, &answer, NULL);
        reply_prepare(req, answer.status, "application/json");
        slot = respond_replace(req, slot, &line);
        json_line_free(&line);
        connection_linger(req);
    }
    h2o_setup_next_ostream(req, slot);
}

void reply_register(h2o_pathconf_t *path)
{
    h2o_create_filter(path, sizeof(h2o_filter_t))->on_setup_ostream = on_response;
}
