/* SPDX-License-Identifier: MIT */
#include "daemon/receive/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/base/address.h"
#include "daemon/conf/config.h"
#include "daemon/policy/entrances.h"
#include "daemon/base/exits.h"
#include "daemon/http/listener.h"
#include "daemon/base/notice.h"
#include "daemon/http/passed.h"
#include "daemon/receive/receiver.h"

struct ingest {
    const struct receiver_options *options;
    struct receiver *receiver;
    struct entrances *entrances;
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

static struct connection_limits limits_of_connections(const struct config_limits *c)
{
    struct connection_limits limits = {
        .connections = c->connections,
        .per_address = c->connections_per_address,
        .deadlines.header_s = c->header_seconds,
        .deadlines.body_s = c->body_seconds,
        .deadlines.idle_s = c->idle_seconds,
    };

    raise_descriptors(&limits.connections);
    return limits;
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

static void say_nothing(const char *text)
{
    (void)text;
}

/* What there is to warn of was said when the configuration was checked. */
static bool open_entrances(struct ingest *ingest, const struct config *c)
{
    char why[CONFIG_WHY_SIZE];

    ingest->entrances = entrances_open(c, NULL, say_nothing, why);
    if (ingest->entrances == NULL)
        notice_error("%s", why);
    return ingest->entrances != NULL;
}

struct ingest *ingest_open(const struct config *c, const struct receiver_options *options,
                           struct pulses *pulses)
{
    struct ingest *ingest = calloc(1, sizeof(*ingest));
    struct listener_options listener = {
        .threads = c->threads,
        .body_max = c->limits.body_bytes,
        .limits = limits_of_connections(&c->limits),
        .pulses = pulses,
        .name = "a loop",
        .data = ingest,
        .setup = setup,
        .turn = turn,
    };

    if (ingest == NULL) {
        notice_error("%s", strerror(errno));
        return NULL;
    }
    ingest->options = options;
    if (open_entrances(ingest, c)) {
        listener.proxies = entrances_proxies(ingest->entrances);
        if ((ingest->listener = listener_new(&listener)) == NULL)
            notice_error("%s", strerror(errno));
    }
    if (ingest->listener == NULL)
        ingest_free(&ingest);
    return ingest;
}

/* What is asked of those who come to a socket that was passed stands at its address. */
static void furnish(struct ingest *ingest, const struct config *c, int fd, size_t n)
{
    const struct passed_sockets alone = {{fd}, 1};
    char text[ADDRESS_TEXT_SIZE];
    bool guarded = false;

    for (size_t i = 0; i < c->listen_count; i++) {
        guarded = guarded || c->listen[i].tls != NULL || c->listen[i].proxy_protocol;
        if (passed_has(&alone, c->listen[i].address)) {
            listener_set_entrance(ingest->listener, n, entrances_at(ingest->entrances, i));
            return;
        }
    }
    if (guarded && listener_address(ingest->listener, n, text))
        notice_warning("no address of the configuration is %s, which was passed: plain HTTP there",
                       text);
}

static int open_sockets(struct ingest *ingest, const struct config *c,
                        const struct passed_sockets *passed)
{
    size_t n = 0;

    for (; n < passed->count; n++) {
        if (!listener_adopt(ingest->listener, passed->fd[n])) {
            notice_error("cannot listen on a socket that was passed: %s", strerror(errno));
            return EXIT_FAILED;
        }
        furnish(ingest, c, passed->fd[n], n);
    }
    for (unsigned i = 0; i < c->listen_count; i++) {
        if (passed->count > 0 && (c->listen_by_default || passed_has(passed, c->listen[i].address)))
            continue;
        if (!listener_add(ingest->listener, c->listen[i].address)) {
            int error = errno;

            notice_error("cannot listen on %s: %s", c->listen[i].address, listener_problem(error));
            return exits_of_errno(error);
        }
        listener_set_entrance(ingest->listener, n++, entrances_at(ingest->entrances, i));
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

void ingest_limit(struct ingest *ingest, const struct config_limits *c)
{
    const struct connection_limits limits = limits_of_connections(c);

    listener_limit(ingest->listener, c->body_bytes, &limits);
}

void ingest_stop(struct ingest *ingest, unsigned seconds)
{
    unsigned cut = listener_stop(ingest->listener, seconds);

    if (cut > 0)
        notice_warning("%u connections cut", cut);
}

void ingest_free(struct ingest **ingest)
{
    if (*ingest != NULL) {
        listener_free(&(*ingest)->listener);
        entrances_free(&(*ingest)->entrances);
    }
    free(*ingest);
    *ingest = NULL;
}

bool ingest_renew(struct ingest *ingest, struct entrances **newer)
{
    return entrances_renew(ingest->entrances, newer);
}

const struct entrances *ingest_entrances(const struct ingest *ingest)
{
    return ingest->entrances;
}

const struct listener *ingest_listener(const struct ingest *ingest)
{
    return ingest->listener;
}
