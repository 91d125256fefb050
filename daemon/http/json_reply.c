/* SPDX-License-Identifier: MIT */
#include "daemon/http/json_reply.h"

#include <h2o.h>

#include "daemon/base/json.h"
#include "daemon/http/response.h"

static const char *json_reply_phrase(int status)
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

static void json_reply_add_header(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_add_header(&req->pool, &req->res.headers, name, NULL, value, strlen(value));
}

void json_reply_prepare(h2o_req_t *req, int status, const char *type)
{
    req->res.status = status;
    req->res.reason = json_reply_phrase(status);
    req->res.headers = (h2o_headers_t){0};
    json_reply_add_header(req, H2O_TOKEN_CONTENT_TYPE, type);
    json_reply_add_header(req, H2O_TOKEN_CACHE_CONTROL, "no-store");
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-content-type-options"), 0,
                          NULL, H2O_STRLIT("nosniff"));
}

static void json_reply_send_body(h2o_req_t *req, const char *base, size_t len)
{
    req->res.content_length = len;
    h2o_send_inline(req, len == 0 ? "" : base, len);
}

void json_reply_bytes(h2o_req_t *req, int status, const char *type, const char *base, size_t len)
{
    json_reply_prepare(req, status, type);
    json_reply_send_body(req, base, len);
}

void json_reply_attachment(h2o_req_t *req, const char *base, size_t len)
{
    json_reply_prepare(req, 200, "application/octet-stream");
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("content-disposition"), 0, NULL,
                          H2O_STRLIT("attachment"));
    json_reply_send_body(req, base, len);
}

void json_reply_send(h2o_req_t *req, const struct json_writer *line)
{
    if (line->text.failure != BUFFER_NO_FAILURE)
        json_reply_error(req, 503, "no_memory", "not enough memory for the answer");
    else
        json_reply_bytes(req, 200, "application/json", line->text.base, line->text.len);
}

static void json_reply_write_error(struct json_writer *line, int status, const char *code,
                                   const char *message)
{
    struct response response = {status, json_reply_phrase(status), code, message, 0};

    response_write_refusal(line, &response, NULL);
}

static void json_reply_send_error(h2o_req_t *req, const char *code, const char *message)
{
    struct json_writer line = {0};

    json_reply_write_error(&line, req->res.status, code, message);
    json_reply_send_body(req, line.text.base,
                         line.text.failure != BUFFER_NO_FAILURE ? 0 : line.text.len);
    json_free(&line);
}

void json_reply_error(h2o_req_t *req, int status, const char *code, const char *message)
{
    json_reply_prepare(req, status, "application/json");
    json_reply_send_error(req, code, message);
}

void json_reply_not_allowed(h2o_req_t *req, const char *allowed)
{
    char message[64];

    snprintf(message, sizeof(message), "method must be %s", allowed);
    json_reply_prepare(req, 405, "application/json");
    json_reply_add_header(req, H2O_TOKEN_ALLOW, allowed);
    json_reply_send_error(req, "method_not_allowed", message);
}

void json_reply_unauthorized(h2o_req_t *req)
{
    json_reply_prepare(req, 401, "application/json");
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("www-authenticate"), 0, NULL,
                          H2O_STRLIT("Bearer"));
    json_reply_send_error(req, "unauthorized", "expected the header Authorization: Bearer TOKEN");
}

void json_reply_refuse(void *data, h2o_req_t *req, enum response_problem problem)
{
    const struct response response = response_of_problem(problem);

    (void)data;
    json_reply_prepare(req, response.status, "application/json");
    req->res.reason = response.phrase;
    if (response.retry_after_s > 0) {
        char *seconds = h2o_mem_alloc_pool(&req->pool, 16);

        snprintf(seconds, 16, "%d", response.retry_after_s);
        json_reply_add_header(req, H2O_TOKEN_RETRY_AFTER, seconds);
    }
    json_reply_send_error(req, response.code, response.message);
}
