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
    ROUTE_PARTS = 4,
    ROUTE_METHODS_SIZE = 64,
};

/* A request on its way to its answer. */
struct visit {
    struct emulator *emulator;
    struct api_call *call;
    const struct key *key;
    char parts[ROUTE_PARTS][API_PART_SIZE]; /* what stands for each {} of the pattern */
};

/* An operation. One without a pattern ends the table. */
struct route {
    const char *method, *pattern;
    unsigned right; /* what the key has to be good for; the provider's own numbers */
    void (*answer)(struct visit *visit);
};

/* Fills in the parts. NULL if there is no such operation: then `methods` is "GET, POST" if the path
 * exists with those, and else "". */
const struct route *route_find(const struct route *routes, struct visit *visit,
                               char methods[ROUTE_METHODS_SIZE]);

/* The operations of a provider, and how it refuses what is none of them. */
struct routes {
    const char *root; /* the path that all of its operations are below */
    const struct route *list;
    bool (*admit)(struct visit *visit, unsigned right); /* false: it has been refused */
    void (*refuse_method)(struct api_call *call, const char *methods);
    void (*refuse_path)(struct api_call *call);
};

/* Answers the call, or has its operation do so; false if it is not below the root. */
bool routes_serve(const struct routes *routes, struct emulator *emulator, struct api_call *call);

/* Whether it is the path or one below it. */
bool route_is_below(const struct api_request *request, const char *path);

/* What follows "Bearer" in the header Authorization; NULL if there is no such thing. */
const char *route_bearer(const struct api_call *call);

/* The parameter of the query, decoded; "" if there is none. False, and "", if it is longer than
 * `size` - 1 bytes or no text. The first one counts. */
bool route_parameter(const struct api_request *request, const char *name, char *value, size_t size);

#endif
