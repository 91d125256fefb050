/* SPDX-License-Identifier: MIT
 *
 * api_call.h - a call as the server sees it, and answers that no provider documents.
 *
 * Ownership  The server makes it, and releases it when it was answered.
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_API_CALL_H
#define CLI_EMULATOR_API_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/emulator/api.h"

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

#endif
