/* SPDX-License-Identifier: MIT */
#include "daemon/http/answer.h"

#include <stdio.h>

#include "daemon/base/json.h"

enum {
    RESPONSE_RETRY_AFTER_S = 10
};

static const struct response response_problems[] = {
    [RESPONSE_NOT_FOUND] = {404, "Not Found", "not_found", "no source is configured at this path",
                            0},
    [RESPONSE_METHOD_NOT_ALLOWED] = {405, "Method Not Allowed", "method_not_allowed",
                                     "deliveries are made by POST", 0},
    [RESPONSE_ADDRESS_NOT_ALLOWED] = {403, "Forbidden", "address_not_allowed",
                                      "this source takes no deliveries from this address", 0},
    [RESPONSE_TOO_MANY_REFUSALS] = {429, "Too Many Requests", "too_many_refusals",
                                    "too much from this address was refused: try again later",
                                    RESPONSE_RETRY_AFTER_S},
    [RESPONSE_RATE_LIMITED] = {429, "Too Many Requests", "rate_limited",
                               "this source takes no more for now: try again later",
                               RESPONSE_RETRY_AFTER_S},
    [RESPONSE_BODY_TOO_LARGE] = {413, "Content Too Large", "body_too_large",
                                 "the body is longer than is taken here", 0},
    [RESPONSE_HEAD_TOO_LARGE] = {431, "Request Header Fields Too Large", "head_too_large",
                                 "path and headers are longer than is taken here", 0},
    [RESPONSE_BAD_REQUEST] = {400, "Bad Request", "bad_request", "this is not well-formed HTTP", 0},
    [RESPONSE_TLS_REQUIRED] = {400, "Bad Request", "tls_required",
                               "TLS is spoken here: expected https", 0},
    [RESPONSE_EXPECTATION_FAILED] = {417, "Expectation Failed", "expectation_failed",
                                     "the only expectation met is 100-continue", 0},
    [RESPONSE_REQUEST_TIMEOUT] = {408, "Request Timeout", "request_timeout",
                                  "the request did not arrive in time", 0},
    [RESPONSE_TOO_MANY_CONNECTIONS] = {503, "Service Unavailable", "too_many_connections",
                                       "too many connections are open: try again later",
                                       RESPONSE_RETRY_AFTER_S},
    [RESPONSE_TOO_MANY_FROM_ADDRESS] =
        {429, "Too Many Requests", "too_many_from_address",
         "too many connections are open from this address: try again "
         "later",
         RESPONSE_RETRY_AFTER_S},
    [RESPONSE_UNAVAILABLE] = {503, "Service Unavailable", "unavailable",
                              "this is a fault of the receiver: try again later",
                              RESPONSE_RETRY_AFTER_S},
    [RESPONSE_UPSTREAM_FAILED] = {502, "Bad Gateway", "upstream_failed",
                                  "the application gave no answer; the delivery is stored", 0},
    [RESPONSE_UPSTREAM_TIMEOUT] = {504, "Gateway Timeout", "upstream_timeout",
                                   "the application gave no answer in time; the delivery is stored",
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

enum response_problem response_problem_of_status(int status)
{
    switch (status) {
    case 413:
        return RESPONSE_BODY_TOO_LARGE;
    case 417:
        return RESPONSE_EXPECTATION_FAILED;
    case 429:
        return RESPONSE_TOO_MANY_FROM_ADDRESS;
    case 503:
        return RESPONSE_TOO_MANY_CONNECTIONS;
    default:
        return status < 500 ? RESPONSE_BAD_REQUEST : RESPONSE_UNAVAILABLE;
    }
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
    struct json_writer body = {0};
    int len;

    response_write_refusal(&body, response, NULL);
    len = snprintf(text, size,
                   "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%.*s",
                   response->status, response->phrase, body.len, (int)body.len,
                   body.base == NULL ? "" : body.base);
    json_free(&body);
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}
