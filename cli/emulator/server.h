/* SPDX-License-Identifier: MIT
 *
 * server.h - the emulator's HTTP server: one loop on its own thread. Only server.c includes libh2o.
 *
 * Ownership  api_server_open() makes it; api_server_close() ends it.
 * Threads    Callbacks run on the loop; call the functions on another thread.
 */
#ifndef CLI_EMULATOR_SERVER_H
#define CLI_EMULATOR_SERVER_H

struct api_call;
struct loop_calls;
struct api_server;

enum {
    API_SERVER_BODY_MAX = 1 << 20, /* bytes of a request body; larger: 413 */
    API_SERVER_WHY_SIZE = 256,
};

struct api_server_options {
    const char *address; /* in the syntax of daemon/base/net.h */
    void *data;
    void (*start)(void *data, struct loop_calls *loop_calls); /* before any call */
    void (*handle)(void *data, struct api_call *call);
    /* Called once, after the last call: must answer waiting calls and end all loop calls. */
    void (*stop)(void *data);
};

/* Starts listening. Returns NULL on failure, with the reason in `why`. */
struct api_server *api_server_open(const struct api_server_options *options,
                                   char why[API_SERVER_WHY_SIZE]);

/* Writes the bound ADDRESS:PORT; `text` has ADDRESS_TEXT_SIZE bytes. */
void api_server_address(const struct api_server *server, char *text);

void api_server_close(struct api_server **server);

#endif
