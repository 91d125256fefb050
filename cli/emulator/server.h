/* SPDX-License-Identifier: MIT
 *
 * server.h - the HTTP server of the emulator: one loop on a thread of its own. Part of the HTTP
 * seam: only server.c knows libh2o.
 *
 * Ownership  server_open() makes it, server_close() ends it.
 * Threads    What is called back is called on the loop; the functions are for another thread.
 */
#ifndef CLI_EMULATOR_SERVER_H
#define CLI_EMULATOR_SERVER_H

struct api_call;
struct errands;
struct server;

enum {
    SERVER_BODY_MAX = 1 << 20, /* bytes of a request's body; more is 413 */
    SERVER_WHY_SIZE = 256,
};

struct server_options {
    const char *address; /* as address.h reads it */
    void *data;
    void (*start)(void *data, struct errands *errands); /* before any call */
    void (*handle)(void *data, struct api_call *call);
    /* There will be no further calls, and nobody waits for long any more: answer those that wait,
     * and end the errands. */
    void (*stop)(void *data);
};

/* Listens when it returns. NULL, and in `why` what is wrong. */
struct server *server_open(const struct server_options *options, char why[SERVER_WHY_SIZE]);

/* ADDRESS:PORT as it is bound; `text` has ADDRESS_TEXT_SIZE bytes. */
void server_address(const struct server *server, char *text);

void server_close(struct server **server);

#endif
