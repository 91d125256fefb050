/* SPDX-License-Identifier: MIT
 *
 * api.h - which of a provider's operations a request asks for, and with which key.
 *
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_API_H
#define CLI_EMULATOR_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* ---- one request to an emulated provider, and its answer. Knows no HTTP server.
 *
 * Ownership  The call is the server's until it is answered, exactly once, now or later.
 * Threads    The loop's. */

struct api_call;

struct api_request {
    const char *method, *path, *query; /* the query without its "?", "" if there is none */
    const char *body;                  /* NUL-terminated, which `len` does not count */
    size_t len;
};

const struct api_request *api_request(const struct api_call *call);

/* The value of the first header of that name, in any case; NULL if there is none. */
const char *api_header(const struct api_call *call, const char *name);

/* Answers; `json` is deleted, NULL stands for an answer without a body. The call is gone then. */
void api_answer(struct api_call *call, int status, cJSON *json);

/* Likewise, with one header more. */
void api_answer_with(struct api_call *call, int status, cJSON *json, const char *name,
                     const char *value);

/* Adds the time, microseconds since 1970, as RFC 3339 text. */
void api_json_time(cJSON *object, const char *name, int64_t us);

/* Whether path segments fit a pattern such as "/v1/webhooks/{}/test"; each {} is copied, decoded,
 * into the next of `parts`, which hold API_PART_SIZE bytes; a longer one does not fit. */
enum {
    API_PART_SIZE = 128
};
bool api_path_fits(const struct api_request *request, const char *pattern,
                   char parts[][API_PART_SIZE]);

/* ---- a call as the server sees it, and answers that no provider documents.
 *
 * Ownership  The server makes it, and releases it when it was answered.
 * Threads    The loop's. */

struct api_header {
    const char *name, *value;
};

struct api_answer {
    int status;
    const char *type; /* Content-Type; NULL if there is no body */
    const char *body;
    size_t len;
    struct api_header more; /* one header more, or NULLs */
    bool reset;             /* nothing of all that: the connection is reset */
};

struct api_call {
    struct api_request request;
    const struct api_header *headers; /* a NULL name ends them; "host" is always among them */
    /* The server's. Takes what it needs of the answer; the call is gone then. */
    void (*answer)(struct api_call *call, const struct api_answer *answer);
};

void api_answer_bytes(struct api_call *call, int status, const char *type, const char *bytes,
                      size_t len);
void api_reset(struct api_call *call);

struct emulator;
struct key;

enum {
    API_PARTS_MAX = 4,
    API_METHODS_SIZE = 64,
};

/* A request on its way to its answer. */
struct api_context {
    struct emulator *emulator;
    struct api_call *call;
    const struct key *key;
    char parts[API_PARTS_MAX][API_PART_SIZE]; /* what stands for each {} of the pattern */
};

/* An operation. One without a pattern ends the table. */
struct api_route {
    const char *method, *pattern;
    unsigned right; /* what the key has to be good for; the provider's own numbers */
    void (*answer)(struct api_context *ctx);
};

/* Fills in the parts. NULL if there is no such operation: then `methods` is "GET, POST" if the path
 * exists with those, and else "". */
const struct api_route *api_route_find(const struct api_route *routes, struct api_context *ctx,
                                       char methods[API_METHODS_SIZE]);

/* The operations of a provider, and how it refuses what is none of them. */
struct api_route_table {
    const char *root; /* the path that all of its operations are below */
    const struct api_route *list;
    bool (*admit)(struct api_context *ctx, unsigned right); /* false: it has been refused */
    void (*refuse_method)(struct api_call *call, const char *methods);
    void (*refuse_path)(struct api_call *call);
};

/* Answers the call, or has its operation do so; false if it is not below the root. */
bool api_route_table_serve(const struct api_route_table *routes, struct emulator *emulator,
                           struct api_call *call);

/* Whether it is the path or one below it. */
bool api_path_is_below(const struct api_request *request, const char *path);

/* What follows "Bearer" in the header Authorization; NULL if there is no such thing. */
const char *api_bearer_token(const struct api_call *call);

/* The parameter of the query, decoded; "" if there is none. False, and "", if it is longer than
 * `size` - 1 bytes or no text. The first one counts. */
bool api_query_parameter(const struct api_request *request, const char *name, char *value,
                         size_t size);

#endif
