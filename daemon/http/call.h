/* SPDX-License-Identifier: MIT
 *
 * call.h - HTTP requests to others, many at a time, each with its deadline. The only module of
 * the daemon that knows libcurl.
 *
 * A redirect is an answer and not followed: what was signed for one place goes to no other. The
 * environment's proxies are not used, so a URL is the place it names. TLS is verified, always.
 *
 * Ownership  call_set_new() makes a set, call_set_free() ends it and what is under way in it. What
 *            a request points to is the caller's, until its result.
 * Threads    Every function on the set's own thread, but for call_wake().
 */
#ifndef DAEMON_HTTP_CALL_H
#define DAEMON_HTTP_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct call_set;

enum {
    CALL_ANSWER_MAX = 1 << 20,      /* bytes of an answer's body that are read */
    CALL_ANSWER_HEAD_MAX = 1 << 16, /* and of its headers */
    CALL_WHY_SIZE = 256
};

struct call_target {
    const char *url;
    const char *ca_file;     /* NULL: the system's */
    const char *unix_socket; /* a path to connect to in place of the URL's host; NULL: that host */
    unsigned timeout_s;      /* from the start to the last byte of the answer; 0: none */
};

struct call_request {
    const struct call_target *target;
    const char *method;         /* NULL: POST */
    const char *const *headers; /* "Name: value", "Name;" for an empty value; NULL is the end */
    const char *body;
    size_t len;
    bool keep_answer; /* else it is read and dropped */
    /* Of the data given to call_start(). Either may be NULL. */
    bool (*hear)(void *data, const char *bytes, size_t len); /* of an answer without an end, as it
                                                                comes; false: no more of it */
    void (*tune)(void *data, void *easy); /* sets on libcurl's handle what nobody else needs */
};

enum call_outcome {
    CALL_ANSWERED, /* all of the answer was read, or as much of it as is ever read */
    CALL_FAILED,   /* there is no answer, or only a part of one */
    CALL_TIMEOUT,
};

struct call_result {
    enum call_outcome outcome;
    int status;        /* 0 if none came */
    bool cut;          /* the answer's body is longer than CALL_ANSWER_MAX */
    const char *error; /* for people; NULL if answered */
    const char *retry_after, *date, *content_type; /* NULL if there is none */
    const char *answer;                            /* if it was to be kept */
    size_t len;
};

/* NULL if the URL can be used; else what is wrong with it. */
const char *call_url_problem(const char *url);

/* NULL without memory. */
struct call_set *call_set_new(void);
void call_set_free(struct call_set **set);

/* Calls `done` from call_poll() or call_cancel(); what the result points to is gone when it
 * returns. NULL if nothing could be started: then it is not called. */
struct call *call_start(struct call_set *set, const struct call_request *request,
                        void (*done)(void *data, const struct call_result *result), void *data);

/* Ends it now, as failed. */
void call_cancel(struct call *call);

/* Goes on with what is under way and returns when something has ended, at call_wake(), and after
 * `wait_ms` at the latest. */
void call_poll(struct call_set *set, int wait_ms);

/* On any thread. */
void call_wake(struct call_set *set);

#endif
