/* SPDX-License-Identifier: MIT */
#include "ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "address.h"
#include "config.h"
#include "exits.h"
#include "listener.h"
#include "notice.h"
#include "passed.h"
#include "receiver.h"

struct ingest {
    const struct receiver_options *options;
    struct receiver *receiver;
    struct listener *listener;
};

/* A connection takes one descriptor, and one more for the moment in which it begins to linger. */
static void raise_descriptors(unsigned *connections)
{
    const rlim_t others = 512;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && *connections + others > limit.rlim_cur) {
        *connections = limit.rlim_cur > 2 * others ? (unsigned)(limit.rlim_cur - others)
                                                   : (unsigned)(limit.rlim_cur / 2);
        notice_warning("connections limited to %u by RLIMIT_NOFILE", *connections);
    }
}

static void setup(void *data, struct st_h2o_pathconf_t *path)
{
    struct ingest *ingest = data;

    ingest->receiver = receiver_register(path, ingest->options);
}

static void turn(void *data, struct st_h2o_context_t *ctx)
{
    const struct ingest *ingest = data;

    receiver_turn(ingest->receiver, ctx);
}

struct ingest *ingest_open(const struct config *c, const struct receiver_options *options,
                           struct pulses *pulses)
{
    struct ingest *ingest = calloc(1, sizeof(*ingest));
    struct listener_options listener = {
        .threads = c->threads,
        .body_max = c->limits.body_bytes,
        .limits =
            {
                .connections = c->limits.connections,
                .header_s = c->limits.header_seconds,
                .body_s = c->limits.body_seconds,
                .idle_s = c->limits.idle_seconds,
            },
        .pulses = pulses,
        .name = "a loop",
        .data = ingest,
        .setup = setup,
        .turn = turn,
    };

    if (ingest == NULL)
        return NULL;
    ingest->options = options;
    raise_descriptors(&listener.limits.connections);
    ingest->listener = listener_new(&listener);
    if (ingest->listener == NULL)
        ingest_free(&ingest);
    return ingest;
}

static int open_sockets(struct ingest *ingest, const struct config *c,
                        const struct passed_sockets *passed)
{
    for (size_t i = 0; i < passed->count; i++) {
        if (!listener_adopt(ingest->listener, passed->fd[i])) {
            notice_error("cannot listen on a socket that was passed: %s", strerror(errno));
            return EXIT_FAILED;
        }
    }
    for (unsigned i = 0; i < c->listen_count; i++) {
        if (passed->count > 0 && (c->listen_by_default || passed_has(passed, c->listen[i].address)))
            continue;
        if (!listener_add(ingest->listener, c->listen[i].address)) {
            int error = errno;

            notice_error("cannot listen on %s: %s", c->listen[i].address, strerror(error));
            return exits_of_errno(error);
        }
    }
    return EXIT_SUCCESS;
}

int ingest_start(struct ingest *ingest, const struct config *c, const struct passed_sockets *passed)
{
    char text[ADDRESS_TEXT_SIZE];
    int code = open_sockets(ingest, c, passed);

    if (code != EXIT_SUCCESS)
        return code;
    if (!listener_start(ingest->listener)) {
        notice_error("%s", strerror(errno));
        return EXIT_FAILED;
    }
    for (size_t i = 0; listener_address(ingest->listener, i, text); i++)
        notice("listening on %s", text);
    return EXIT_SUCCESS;
}

void ingest_stop(struct ingest *ingest, unsigned seconds)
{
    unsigned cut = listener_stop(ingest->listener, seconds);

    if (cut > 0)
        notice_warning("%u connections cut", cut);
}

void ingest_free(struct ingest **ingest)
{
    if (*ingest != NULL)
        listener_free(&(*ingest)->listener);
    free(*ingest);
    *ingest = NULL;
}

const struct listener *ingest_listener(const struct ingest *ingest)
{
    return ingest->listener;
}
