/* SPDX-License-Identifier: MIT
 *
 * server.h - the HTTP server of the emulator: one loop on a thread of its own. Part of the HTTP
 * seam: only server.c knows libh2o.
 *
 * Ownership  api_server_open() makes it, api_server_close() ends it.
 * Threads    What is called back is called on the loop; the functions are for another thread.
 */
#ifndef CLI_EMULATOR_SERVER_H
#define CLI_EMULATOR_SERVER_H

struct api_call;
struct loop_calls;
struct api_server;

enum {
    API_SERVER_BODY_MAX = 1 << 20, /* bytes of a request's body; more is 413 */
    API_SERVER_WHY_SIZE = 256,
};

struct api_server_options {
    const char *address; /* as address.h reads it */
    void *data;
    void (*start)(void *data, struct loop_calls *loop_calls); /* before any call */
    void (*handle)(void *data, struct api_call *call);
    /* There will be no further calls, and nobody waits for long any more: answer those that wait,
     * and end the errands. */
    void (*stop)(void *data);
};

/* Listens when it returns. NULL, and in `why` what is wrong. */
struct api_server *api_server_open(const struct api_server_options *options,
                                   char why[API_SERVER_WHY_SIZE]);

/* ADDRESS:PORT as it is bound; `text` has ADDRESS_TEXT_SIZE bytes. */
void api_server_address(const struct api_server *server, char *text);

void api_server_close(struct api_server **server);

#endif
