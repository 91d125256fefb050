/* SPDX-License-Identifier: MIT
 *
 * route.h - which of a provider's operations a request asks for, and with which key.
 *
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_ROUTE_H
#define CLI_EMULATOR_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/emulator/api.h"

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
