/* SPDX-License-Identifier: MIT
 *
 * client.h - HTTP requests to others, many at a time, each with its deadline. The only module of
 * the daemon that knows libcurl.
 *
 * A redirect is an answer and not followed: what was signed for one place goes to no other. The
 * environment's proxies are not used, so a URL is the place it names. TLS is verified, always.
 *
 * Ownership  client_calls_new() makes a set, client_calls_free() ends it and what is under way in it. What
 *            a request points to is the caller's, until its result.
 * Threads    Every function on the set's own thread, but for client_calls_wake().
 */
#ifndef DAEMON_HTTP_CLIENT_H
#define DAEMON_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_call;
struct client_calls;

enum {
    CLIENT_BODY_MAX = 1 << 20, /* bytes of an answer's body that are read */
    CLIENT_HEAD_MAX = 1 << 16, /* and of its headers */
    CLIENT_WHY_SIZE = 256
};

struct client_target {
    const char *url;
    const char *ca_file;     /* NULL: the system's */
    const char *unix_socket; /* a path to connect to in place of the URL's host; NULL: that host */
    unsigned timeout_s;      /* from the start to the last byte of the answer; 0: none */
};

struct client_request {
    const struct client_target *target;
    const char *method;         /* NULL: POST */
    const char *const *headers; /* "Name: value", "Name;" for an empty value; NULL is the end */
    const char *body;
    size_t len;
    bool keep_answer; /* else it is read and dropped */
    /* Of the data given to client_call_start(). Either may be NULL. */
    bool (*hear)(void *data, const char *bytes, size_t len); /* of an answer without an end, as it
                                                                comes; false: no more of it */
    void (*tune)(void *data, void *easy); /* sets on libcurl's handle what nobody else needs */
};

enum client_outcome {
    CLIENT_ANSWERED, /* all of the answer was read, or as much of it as is ever read */
    CLIENT_FAILED,   /* there is no answer, or only a part of one */
    CLIENT_TIMEOUT,
};

struct client_result {
    enum client_outcome outcome;
    int status;        /* 0 if none came */
    bool cut;          /* the answer's body is longer than CLIENT_BODY_MAX */
    const char *error; /* for people; NULL if answered */
    const char *retry_after, *date, *content_type; /* NULL if there is none */
    const char *answer;                            /* if it was to be kept */
    size_t len;
};

/* NULL if the URL can be used; else what is wrong with it. */
const char *client_url_problem(const char *url);

/* NULL without memory. */
struct client_calls *client_calls_new(void);
void client_calls_free(struct client_calls **set);

/* Calls `done` from client_calls_poll() or client_call_cancel(); what the result points to is gone when it
 * returns. NULL if nothing could be started: then it is not called. */
struct client_call *client_call_start(struct client_calls *set,
                                      const struct client_request *request,
                                      void (*done)(void *data, const struct client_result *result),
                                      void *data);

/* Ends it now, as failed. */
void client_call_cancel(struct client_call *call);

/* Goes on with what is under way and returns when something has ended, at client_calls_wake(), and after
 * `wait_ms` at the latest. */
void client_calls_poll(struct client_calls *set, int wait_ms);

/* On any thread. */
void client_calls_wake(struct client_calls *set);

#endif
