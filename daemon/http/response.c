/* SPDX-License-Identifier: MIT */
#include "daemon/http/response.h"

#include <stdio.h>
#include <time.h>

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"

enum {
    RESPONSE_RETRY_AFTER_S = 10
};

static const struct response response_problems[] = {
    [RESPONSE_NOT_FOUND] = {404, "Not Found", "not_found", "no source is configured at this path",
                            0},
    [RESPONSE_METHOD_NOT_ALLOWED] = {405, "Method Not Allowed", "method_not_allowed",
                                     "method must be POST", 0},
    [RESPONSE_ADDRESS_NOT_ALLOWED] = {403, "Forbidden", "address_not_allowed",
                                      "this source does not accept deliveries from this address",
                                      0},
    [RESPONSE_TOO_MANY_REFUSALS] = {429, "Too Many Requests", "too_many_refusals",
                                    "too many refused requests from this address: try again later",
                                    RESPONSE_RETRY_AFTER_S},
    [RESPONSE_RATE_LIMITED] = {429, "Too Many Requests", "rate_limited",
                               "rate limit of this source exceeded: try again later",
                               RESPONSE_RETRY_AFTER_S},
    [RESPONSE_BODY_TOO_LARGE] = {413, "Content Too Large", "body_too_large",
                                 "the body exceeds the size limit", 0},
    [RESPONSE_HEAD_TOO_LARGE] = {431, "Request Header Fields Too Large", "head_too_large",
                                 "path and headers exceed the size limit", 0},
    [RESPONSE_BODIES_FULL] = {503, "Service Unavailable", "bodies_full",
                              "too many request bodies at once: try again later",
                              RESPONSE_RETRY_AFTER_S},
    [RESPONSE_BAD_REQUEST] = {400, "Bad Request", "bad_request",
                              "the request is not well-formed HTTP", 0},
    [RESPONSE_TLS_REQUIRED] = {400, "Bad Request", "tls_required",
                               "this address requires TLS: use https", 0},
    [RESPONSE_EXPECTATION_FAILED] = {417, "Expectation Failed", "expectation_failed",
                                     "the only supported expectation is 100-continue", 0},
    [RESPONSE_REQUEST_TIMEOUT] = {408, "Request Timeout", "request_timeout",
                                  "the request did not arrive in time", 0},
    [RESPONSE_TOO_MANY_CONNECTIONS] = {503, "Service Unavailable", "too_many_connections",
                                       "too many open connections: try again later",
                                       RESPONSE_RETRY_AFTER_S},
    [RESPONSE_TOO_MANY_FROM_ADDRESS] =
        {429, "Too Many Requests", "too_many_from_address",
         "too many open connections from this address: try again later", RESPONSE_RETRY_AFTER_S},
    [RESPONSE_UNAVAILABLE] = {503, "Service Unavailable", "unavailable",
                              "internal error of the receiver: try again later",
                              RESPONSE_RETRY_AFTER_S},
    [RESPONSE_UPSTREAM_FAILED] = {502, "Bad Gateway", "upstream_failed",
                                  "the application did not answer; the delivery is stored", 0},
    [RESPONSE_UPSTREAM_TIMEOUT] = {504, "Gateway Timeout", "upstream_timeout",
                                   "the application did not answer in time; the delivery is stored",
                                   0},
};

struct response response_of_problem(enum response_problem problem)
{
    return response_problems[problem];
}

struct response response_retry_later(enum response_problem problem, unsigned seconds)
{
    struct response response = response_problems[problem];

    response.retry_after_s = (int)seconds;
    return response;
}

struct response response_of_code(int code)
{
    struct response response = {
        400, "Bad Request", hookline_code_name(code), hookline_code_text(code), 0,
    };

    switch (code) {
    case HOOKLINE_VERIFIED:
        response.status = 200;
        response.phrase = "OK";
        break;
    case HOOKLINE_MISSING_HEADER:
    case HOOKLINE_MISMATCH:
    case HOOKLINE_TOO_OLD:
    case HOOKLINE_TOO_NEW:
        response.status = 401;
        response.phrase = "Unauthorized";
        break;
    default:
        if (code <= HOOKLINE_BAD_CALL)
            response = response_problems[RESPONSE_UNAVAILABLE];
        break;
    }
    return response;
}

void response_write_refusal(struct json_writer *line, const struct response *response,
                            const char *receipt)
{
    json_begin(line);
    json_open_object(line, "error");
    json_string(line, "code", response->code);
    json_string(line, "message", response->message);
    json_close_object(line);
    if (receipt != NULL)
        json_string(line, "receipt", receipt);
    json_end(line);
}

void response_write_accepted(struct json_writer *line, bool duplicate, const char *source,
                             hookline_bytes id, const char *type, const char *receipt)
{
    json_begin(line);
    json_string(line, "status", duplicate ? "duplicate" : "accepted");
    json_string(line, "source", source);
    json_text(line, "id", id.len == 0 ? NULL : id.base, id.len);
    json_string(line, "type", type);
    json_string(line, "receipt", receipt);
    json_end(line);
}

size_t response_write_raw(char *text, size_t size, const struct response *response)
{
    char date[H2O_TIMESTR_RFC1123_LEN + 1];
    struct json_writer body = {0};
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm utc;
    int len;

    h2o_time2str_rfc1123(date, gmtime_r(&now, &utc));
    response_write_refusal(&body, response, NULL);
    len = snprintf(text, size,
                   "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\n"
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                   response->status, response->phrase, date, body.text.len, (int)body.text.len,
                   body.text.base == NULL ? "" : body.text.base);
    json_free(&body);
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

/* ---- HTTP responses */

static void response_add_header(h2o_req_t *req, const h2o_token_t *name, const char *value)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, value, SIZE_MAX);

    h2o_add_header(&req->pool, &req->res.headers, name, NULL, copy.base, copy.len);
}

static void response_prepare(h2o_req_t *req, const struct response *response)
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
    size_t len = line->text.failure != BUFFER_NO_FAILURE ? 0 : line->text.len;

    response_prepare(req, response);
    req->res.content_length = len;
    h2o_send_inline(req, len == 0 ? "" : line->text.base, len);
}

void response_send_health(h2o_req_t *req, bool good)
{
    const char *text = good ? "ok\n" : "not ready\n";

    req->res.status = good ? 200 : 503;
    req->res.reason = good ? "OK" : "Service Unavailable";
    req->res.headers = (h2o_headers_t){0};
    req->res.content_length = strlen(text);
    response_add_header(req, H2O_TOKEN_CONTENT_TYPE, "text/plain; charset=utf-8");
    response_add_header(req, H2O_TOKEN_CACHE_CONTROL, "no-store");
    h2o_send_inline(req, text, strlen(text));
}

void response_send_options(h2o_req_t *req, const char *allowed)
{
    req->res.status = 204;
    req->res.reason = "No Content";
    req->res.headers = (h2o_headers_t){0};
    response_add_header(req, H2O_TOKEN_ALLOW, allowed);
    h2o_send_inline(req, "", 0);
}

void response_send_upstream(h2o_req_t *req, const struct response_upstream *upstream)
{
    req->res.status = upstream->status;
    req->res.reason = "Relayed";
    req->res.content_length = upstream->len;
    req->res.headers = (h2o_headers_t){0};
    if (upstream->content_type != NULL)
        response_add_header(req, H2O_TOKEN_CONTENT_TYPE, upstream->content_type);
    if (upstream->content_encoding != NULL)
        response_add_header(req, H2O_TOKEN_CONTENT_ENCODING, upstream->content_encoding);
    if (upstream->retry_after != NULL)
        response_add_header(req, H2O_TOKEN_RETRY_AFTER, upstream->retry_after);
    h2o_send_inline(req, upstream->len == 0 ? "" : upstream->body, upstream->len);
}
