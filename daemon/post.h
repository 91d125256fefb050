/* SPDX-License-Identifier: MIT
 *
 * post.h - HTTP POSTs, many at a time, each with its deadline. The only module that knows libcurl.
 *
 * A redirect is an answer and not followed: what was signed for one place goes to no other. The
 * environment's proxies are not used, so a URL is the place it names. TLS is verified, always.
 *
 * Ownership  post_set_new() makes a set, post_set_free() ends it and what is under way in it. What
 *            a request points to is the caller's, until its result.
 * Threads    Every function on the set's own thread, but for post_wake().
 */
#ifndef POST_H
#define POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct post;
struct post_set;

enum {
    POST_ANSWER_MAX = 1 << 20,      /* bytes of an answer's body that are read */
    POST_ANSWER_HEAD_MAX = 1 << 16, /* and of its headers */
    POST_WHY_SIZE = 256
};

struct post_target {
    const char *url;
    const char *ca_file; /* NULL: the system's */
    unsigned timeout_s;  /* from the start to the last byte of the answer */
};

struct post_request {
    const struct post_target *target;
    const char *const *headers; /* "Name: value", "Name;" for an empty value; NULL is the end */
    const char *body;
    size_t len;
    bool keep_answer; /* else it is read and dropped */
};

enum post_outcome {
    POST_ANSWERED, /* all of the answer was read, or as much of it as is ever read */
    POST_FAILED,   /* there is no answer, or only a part of one */
    POST_TIMEOUT,
};

struct post_result {
    enum post_outcome outcome;
    int status;        /* 0 if none came */
    bool cut;          /* the answer's body is longer than POST_ANSWER_MAX */
    const char *error; /* for people; NULL if answered */
    const char *retry_after, *date, *content_type; /* NULL if there is none */
    const char *answer;                            /* if it was to be kept */
    size_t len;
};

/* NULL if the URL can be used; else what is wrong with it. */
const char *post_url_problem(const char *url);

/* NULL without memory. */
struct post_set *post_set_new(void);
void post_set_free(struct post_set **set);

/* Calls `done` from post_poll() or post_cancel(); what the result points to is gone when it
 * returns. NULL if nothing could be started: then it is not called. */
struct post *post_start(struct post_set *set, const struct post_request *request,
                        void (*done)(void *data, const struct post_result *result), void *data);

/* Ends it now, as failed. */
void post_cancel(struct post *post);

/* Goes on with what is under way and returns when something has ended, at post_wake(), and after
 * `wait_ms` at the latest. */
void post_poll(struct post_set *set, int wait_ms);

/* On any thread. */
void post_wake(struct post_set *set);

#endif
