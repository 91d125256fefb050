/* SPDX-License-Identifier: MIT
 *
 * answer.h - what the sender is told. No HTTP library, and never a secret or a MAC.
 */
#ifndef DAEMON_HTTP_ANSWER_H
#define DAEMON_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <hookline.h>

struct json_line;

/* What is refused before, or besides, the signature. */
enum answer_problem {
    ANSWER_NOT_FOUND,
    ANSWER_METHOD_NOT_ALLOWED,
    ANSWER_ADDRESS_NOT_ALLOWED,
    ANSWER_BODY_TOO_LARGE,
    ANSWER_HEAD_TOO_LARGE,
    ANSWER_TOO_MANY_REFUSALS,
    ANSWER_RATE_LIMITED,
    ANSWER_BAD_REQUEST,
    ANSWER_TLS_REQUIRED,
    ANSWER_EXPECTATION_FAILED,
    ANSWER_REQUEST_TIMEOUT,
    ANSWER_TOO_MANY_CONNECTIONS,
    ANSWER_TOO_MANY_FROM_ADDRESS,
    ANSWER_UNAVAILABLE,
    ANSWER_UPSTREAM_FAILED,
    ANSWER_UPSTREAM_TIMEOUT,
};

struct answer {
    int status;
    const char *phrase;  /* of the status line */
    const char *code;    /* stable: the name of an enum hookline_code or of a problem */
    const char *message; /* for people */
    int retry_after_s;   /* 0 for none */
};

struct answer answer_to_code(int code); /* an enum hookline_code */
struct answer answer_to_problem(enum answer_problem problem);
struct answer answer_later(enum answer_problem problem, unsigned seconds); /* with Retry-After */
enum answer_problem answer_problem_of_status(int status);

/* Writes the JSON of a refusal, or of what was accepted. `receipt` is that of the line; NULL if
 * there is none. */
void answer_write_refusal(struct json_line *line, const struct answer *answer, const char *receipt);
void answer_write_accepted(struct json_line *line, bool duplicate, const char *source,
                           hookline_bytes id, const char *type, const char *receipt);

/* The bytes of a refusal past every HTTP library, which ends its connection. Returns their length,
 * or 0 if they do not fit. */
size_t answer_write_response(char *text, size_t size, const struct answer *answer);

#endif
