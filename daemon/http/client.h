/* SPDX-License-Identifier: MIT
 *
 * client.h - HTTP client for many concurrent requests, each with a deadline. Only client.c uses
 * libcurl.
 *
 * Redirects are not followed, because a signed body must reach no other host. Proxy settings of the
 * environment are ignored. TLS certificates are always verified. A connection is used for 30
 * seconds and a DNS answer for 20, so that requests follow a changed address within a minute.
 *
 * Ownership  client_calls_new() creates a set; client_calls_free() drops open calls without
 *            calling `done`. The caller keeps everything a request points to until its result.
 * Threads    Every function on the set's own thread, except client_calls_wake().
 * Errors     NULL on ENOMEM; a failed call reports its error in struct client_result.
 */
#ifndef DAEMON_HTTP_CLIENT_H
#define DAEMON_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_call;
struct client_calls;

enum {
    CLIENT_BODY_MAX = 1 << 20, /* bytes read of an answer's body */
    CLIENT_HEAD_MAX = 1 << 16, /* bytes read of its headers */
    CLIENT_WHY_SIZE = 256
};

struct client_target {
    const char *url;
    const char *ca_file;     /* NULL: the system's CA store */
    const char *unix_socket; /* path to connect to instead of the URL's host; NULL: none */
    unsigned timeout_s;      /* from start to last byte of the answer; 0: no limit */
    const char *certificate; /* PEM files of the client certificate; NULL: none */
    const char *key;
};

struct client_request {
    const struct client_target *target;
    const char *url;            /* NULL: the target's */
    const char *method;         /* NULL: POST */
    const char *const *headers; /* "Name: value", or "Name;" for an empty value; NULL-terminated */
    const char *body;
    size_t len;
    bool keep_answer; /* false: read and discard the answer */
    /* Both get the `data` of client_call_start(); either may be NULL. */
    /* Receives a streamed answer piece by piece; returns false to end the call. */
    bool (*hear)(void *data, const char *bytes, size_t len);
    void (*tune)(void *data, void *easy); /* sets further options on libcurl's handle */
};

enum client_outcome {
    CLIENT_ANSWERED, /* the answer was read, up to CLIENT_BODY_MAX */
    CLIENT_FAILED,   /* no answer, or a truncated one */
    CLIENT_TIMEOUT,
};

struct client_result {
    enum client_outcome outcome;
    int status;                                    /* 0 without an answer */
    bool cut;                                      /* the body was longer than CLIENT_BODY_MAX */
    const char *error;                             /* sentence; NULL if answered */
    int system_error;                              /* errno of a failed connection, or 0 */
    const char *retry_after, *date, *content_type; /* NULL without that header */
    const char *content_encoding, *location;       /* likewise */
    const char *answer;                            /* the body, if keep_answer */
    size_t len;
};

/* Returns NULL if the URL is usable, else the problem. */
const char *client_url_problem(const char *url);

/* Returns NULL on ENOMEM. */
struct client_calls *client_calls_new(void);
void client_calls_free(struct client_calls **set);

/* Starts a request. client_calls_poll() or client_call_cancel() calls `done` once; the result is
 * valid until `done` returns. Returns NULL on ENOMEM; `done` is not called then. */
struct client_call *client_call_start(struct client_calls *set,
                                      const struct client_request *request,
                                      void (*done)(void *data, const struct client_result *result),
                                      void *data);

/* Ends the call at once with CLIENT_FAILED; calls `done`. */
void client_call_cancel(struct client_call *call);

/* Transfers data and calls `done` of finished calls. Returns after socket activity, after
 * client_calls_wake(), or after `wait_ms`. */
void client_calls_poll(struct client_calls *set, int wait_ms);

/* Makes client_calls_poll() return. Any thread. */
void client_calls_wake(struct client_calls *set);

#endif
