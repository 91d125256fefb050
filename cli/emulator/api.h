/* SPDX-License-Identifier: MIT
 *
 * api.h - a request to an emulated API, its route and its answer. Independent of the HTTP server.
 *
 * Threads    Loop.
 */
#ifndef CLI_EMULATOR_API_H
#define CLI_EMULATOR_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "daemon/base/ids.h"

/* ---- request
 *
 * Ownership  The server owns a call until it is answered, exactly once, now or later. */

struct api_call;

struct api_request {
    const char *method, *path, *query; /* query: without its "?"; "" if absent */
    const char *body;                  /* NUL-terminated; `len` excludes the NUL */
    size_t len;
};

const struct api_request *api_request(const struct api_call *call);

/* Returns the first header of that name, in any case; NULL if absent. */
const char *api_header(const struct api_call *call, const char *name);

/* Returns the request's unique id, "req_...", which the answer has as X-Request-Id. */
const char *api_request_id(const struct api_call *call);

/* Answers and ends the call. Deletes `json`; NULL means no body. */
void api_answer(struct api_call *call, int status, cJSON *json);

/* Likewise, with one more header. */
void api_answer_with(struct api_call *call, int status, cJSON *json, const char *name,
                     const char *value);

/* Adds the text; NULL as null. */
void api_json_text(cJSON *object, const char *name, const char *text);

/* Adds the time, microseconds since 1970, as RFC 3339 text. */
void api_json_time(cJSON *object, const char *name, int64_t us);

/* Matches the path against a pattern such as "/v1/webhooks/{}/test". Copies the decoded segment
 * at each {} into the next of `parts`; a segment of API_PART_SIZE bytes or more does not match. */
enum {
    API_PART_SIZE = 128
};
bool api_path_fits(const struct api_request *request, const char *pattern,
                   char parts[][API_PART_SIZE]);

/* ---- server side
 *
 * Ownership  The server makes the call, and frees it after the answer. */

struct api_header {
    const char *name, *value;
};

struct api_answer {
    int status;
    const char *type; /* Content-Type; NULL: no body */
    const char *body;
    size_t len;
    struct api_header more; /* or NULLs */
    bool reset;             /* reset the connection, send nothing */
};

struct api_call {
    struct api_request request;
    char id[IDS_SIZE];
    const struct api_header *headers; /* ends with a NULL name; includes "host" */
    /* Set by the server. Copies what it needs of the answer and ends the call. */
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

/* A routed request. */
struct api_context {
    struct emulator *emulator;
    struct api_call *call;
    const struct key *key;
    char parts[API_PARTS_MAX][API_PART_SIZE]; /* decoded segments at each {} of the pattern */
};

/* An operation. A NULL pattern ends the table. */
struct api_route {
    const char *method, *pattern;
    unsigned right; /* required of the key; numbered by each provider */
    void (*answer)(struct api_context *ctx);
};

/* Finds the operation and fills ctx->parts. Returns NULL if there is none; `methods` then lists
 * those of the path, as "GET, POST", or is "". */
const struct api_route *api_route_find(const struct api_route *routes, struct api_context *ctx,
                                       char methods[API_METHODS_SIZE]);

/* The operations of a provider and its error answers. */
struct api_route_table {
    const char *root; /* path prefix of all operations */
    const struct api_route *list;
    bool (*admit)(struct api_context *ctx, unsigned right); /* false: has answered with a refusal */
    void (*refuse_method)(struct api_call *call, const char *methods);
    void (*refuse_path)(struct api_call *call);
};

/* Routes the call to its operation. Returns false if the path is not below the root. */
bool api_route_table_serve(const struct api_route_table *routes, struct emulator *emulator,
                           struct api_call *call);

/* Returns true for the path itself and any path below it. */
bool api_path_is_below(const struct api_request *request, const char *path);

/* Returns the token of "Authorization: Bearer TOKEN"; NULL if absent. */
const char *api_bearer_token(const struct api_call *call);

/* Decodes the first query parameter of that name; "" if absent. Returns false, with "", if the
 * value exceeds `size` - 1 bytes or is not UTF-8. */
bool api_query_parameter(const struct api_request *request, const char *name, char *value,
                         size_t size);

#endif
