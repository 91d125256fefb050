/* SPDX-License-Identifier: MIT */
#include "daemon/http/answer.h"

#include <stdio.h>

#include "daemon/base/json_line.h"

enum {
    RETRY_AFTER_S = 10
};

static const struct answer problems[] = {
    [ANSWER_NOT_FOUND] = {404, "Not Found", "not_found", "no source is configured at this path", 0},
    [ANSWER_METHOD_NOT_ALLOWED] = {405, "Method Not Allowed", "method_not_allowed",
                                   "deliveries are made by POST", 0},
    [ANSWER_ADDRESS_NOT_ALLOWED] = {403, "Forbidden", "address_not_allowed",
                                    "this source takes no deliveries from this address", 0},
    [ANSWER_TOO_MANY_REFUSALS] = {429, "Too Many Requests", "too_many_refusals",
                                  "too much from this address was refused: try again later",
                                  RETRY_AFTER_S},
    [ANSWER_RATE_LIMITED] = {429, "Too Many Requests", "rate_limited",
                             "this source takes no more for now: try again later", RETRY_AFTER_S},
    [ANSWER_BODY_TOO_LARGE] = {413, "Content Too Large", "body_too_large",
                               "the body is longer than is taken here", 0},
    [ANSWER_HEAD_TOO_LARGE] = {431, "Request Header Fields Too Large", "head_too_large",
                               "path and headers are longer than is taken here", 0},
    [ANSWER_BAD_REQUEST] = {400, "Bad Request", "bad_request", "this is not well-formed HTTP", 0},
    [ANSWER_TLS_REQUIRED] = {400, "Bad Request", "tls_required",
                             "TLS is spoken here: expected https", 0},
    [ANSWER_EXPECTATION_FAILED] = {417, "Expectation Failed", "expectation_failed",
                                   "the only expectation met is 100-continue", 0},
    [ANSWER_REQUEST_TIMEOUT] = {408, "Request Timeout", "request_timeout",
                                "the request did not arrive in time", 0},
    [ANSWER_TOO_MANY_CONNECTIONS] = {503, "Service Unavailable", "too_many_connections",
                                     "too many connections are open: try again later",
                                     RETRY_AFTER_S},
    [ANSWER_TOO_MANY_FROM_ADDRESS] = {429, "Too Many Requests", "too_many_from_address",
                                      "too many connections are open from this address: try again "
                                      "later",
                                      RETRY_AFTER_S},
    [ANSWER_UNAVAILABLE] = {503, "Service Unavailable", "unavailable",
                            "this is a fault of the receiver: try again later", RETRY_AFTER_S},
    [ANSWER_UPSTREAM_FAILED] = {502, "Bad Gateway", "upstream_failed",
                                "the application gave no answer; the delivery is stored", 0},
    [ANSWER_UPSTREAM_TIMEOUT] = {504, "Gateway Timeout", "upstream_timeout",
                                 "the application gave no answer in time; the delivery is stored",
                                 0},
};

struct answer answer_to_problem(enum answer_problem problem)
{
    return problems[problem];
}

struct answer answer_later(enum answer_problem problem, unsigned seconds)
{
    struct answer answer = problems[problem];

    answer.retry_after_s = (int)seconds;
    return answer;
}

enum answer_problem answer_problem_of_status(int status)
{
    switch (status) {
    case 413:
        return ANSWER_BODY_TOO_LARGE;
    case 417:
        return ANSWER_EXPECTATION_FAILED;
    case 429:
        return ANSWER_TOO_MANY_FROM_ADDRESS;
    case 503:
        return ANSWER_TOO_MANY_CONNECTIONS;
    default:
        return status < 500 ? ANSWER_BAD_REQUEST : ANSWER_UNAVAILABLE;
    }
}

struct answer answer_to_code(int code)
{
    struct answer answer = {
        400, "Bad Request", hookline_code_name(code), hookline_code_text(code), 0,
    };

    switch (code) {
    case HOOKLINE_VERIFIED:
        answer.status = 200;
        answer.phrase = "OK";
        break;
    case HOOKLINE_MISSING_HEADER:
    case HOOKLINE_MISMATCH:
    case HOOKLINE_TOO_OLD:
    case HOOKLINE_TOO_NEW:
        answer.status = 401;
        answer.phrase = "Unauthorized";
        break;
    default:
        if (code <= HOOKLINE_BAD_CALL)
            answer = problems[ANSWER_UNAVAILABLE];
        break;
    }
    return answer;
}

void answer_write_refusal(struct json_line *line, const struct answer *answer, const char *receipt)
{
    json_line_begin(line);
    json_line_open(line, "error");
    json_line_string(line, "code", answer->code);
    json_line_string(line, "message", answer->message);
    json_line_close(line);
    if (receipt != NULL)
        json_line_string(line, "receipt", receipt);
    json_line_end(line);
}

void answer_write_accepted(struct json_line *line, bool duplicate, const char *source,
                           hookline_bytes id, const char *type, const char *receipt)
{
    json_line_begin(line);
    json_line_string(line, "status", duplicate ? "duplicate" : "accepted");
    json_line_string(line, "source", source);
    json_line_text(line, "id", id.len == 0 ? NULL : id.base, id.len);
    json_line_string(line, "type", type);
    json_line_string(line, "receipt", receipt);
    json_line_end(line);
}

size_t answer_write_response(char *text, size_t size, const struct answer *answer)
{
    struct json_line body = {0};
    int len;

    answer_write_refusal(&body, answer, NULL);
    len = snprintf(text, size,
                   "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%.*s",
                   answer->status, answer->phrase, body.len, (int)body.len,
                   body.base == NULL ? "" : body.base);
    json_line_free(&body);
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}
