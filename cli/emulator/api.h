/* SPDX-License-Identifier: MIT
 *
 * api.h - one request to an emulated provider, and its answer. Knows no HTTP server.
 *
 * Ownership  The call is the server's until it is answered, exactly once, now or later.
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_API_H
#define CLI_EMULATOR_API_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

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

/* Whether path segments fit a pattern such as "/v1/webhooks/{}/test"; each {} is copied, decoded,
 * into the next of `parts`, which hold API_PART_SIZE bytes; a longer one does not fit. */
enum {
    API_PART_SIZE = 128
};
bool api_path_fits(const struct api_request *request, const char *pattern,
                   char parts[][API_PART_SIZE]);

#endif
