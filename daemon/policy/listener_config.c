/* SPDX-License-Identifier: MIT */
#include "daemon/policy/listener_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/config.h"
#include "daemon/http/handshake.h"
#include "daemon/base/net.h"
#include "daemon/http/tls.h"

struct listener_config {
    char *address;
    struct handshake_config handshake;
};

struct listener_configs {
    struct proxies *proxies;
    size_t count;
    struct listener_config at[];
};

static bool listener_config_open_tls(struct listener_configs *e, size_t n,
                                     const struct config *config, void (*warn)(const char *text),
                                     char *why)
{
    const struct config_tls *wanted = config->listen[n].tls;
    char place[64], problem[CONFIG_WHY_SIZE];
    const char *key = "";
    size_t len;

    if (wanted == NULL)
        return true;
    e->at[n].handshake.tls = tls_open(wanted, warn, &key, problem, sizeof(problem));
    if (e->at[n].handshake.tls != NULL)
        return true;
    snprintf(place, sizeof(place), "listen/%zu/tls/%s", n, key);
    len = config_locate(config, place, why, CONFIG_WHY_SIZE);
    snprintf(why + len, CONFIG_WHY_SIZE - len, "%s: %s", config->listen[n].address, problem);
    return false;
}

struct listener_configs *listener_configs_open(const struct config *config,
                                               void (*warn)(const char *text), char *why)
{
    struct listener_configs *e = calloc(1, sizeof(*e) + config->listen_count * sizeof(e->at[0]));

    if (e != NULL)
        e->proxies = proxies_new(config->trusted_proxies, config->trusted_proxies_count);
    if (e == NULL || e->proxies == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        listener_configs_free(&e);
        return NULL;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        e->count++;
        if ((e->at[i].address = strdup(config->listen[i].address)) == NULL)
            snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        if (e->at[i].address == NULL || !listener_config_open_tls(e, i, config, warn, why)) {
            listener_configs_free(&e);
            return NULL;
        }
        if (config->listen[i].proxy_protocol)
            e->at[i].handshake.proxies = e->proxies;
    }
    return e;
}

void listener_configs_free(struct listener_configs **listener_configs)
{
    struct listener_configs *e = *listener_configs;

    for (size_t i = 0; e != NULL && i < e->count; i++) {
        tls_free(&e->at[i].handshake.tls);
        free(e->at[i].address);
    }
    if (e != NULL)
        proxies_free(&e->proxies);
    free(e);
    *listener_configs = NULL;
}

const struct handshake_config *listener_configs_at(const struct listener_configs *e, size_t n)
{
    return &e->at[n].handshake;
}

const struct proxies *listener_configs_proxies(const struct listener_configs *e)
{
    return e->proxies;
}

/* The n-th of them, as long as that is the same address. */
static struct handshake_config *
listener_config_find_same(struct listener_configs *e, const struct listener_config *place, size_t n)
{
    if (n < e->count && strcmp(e->at[n].address, place->address) == 0)
        return &e->at[n].handshake;
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->at[i].address, place->address) == 0)
            return &e->at[i].handshake;
    return NULL;
}

static bool listener_config_renew_tls(struct handshake_config *old, struct handshake_config *new)
{
    bool same = (old->tls == NULL) == (new->tls == NULL) &&
                (old->proxies == NULL) == (new->proxies == NULL);

    if (old->tls != NULL && new->tls != NULL)
        tls_renew(old->tls, &new->tls);
    return same;
}

bool listener_configs_renew(struct listener_configs *e, struct listener_configs **newer)
{
    bool same = proxies_same(e->proxies, (*newer)->proxies);

    for (size_t i = 0; i < e->count; i++) {
        struct handshake_config *new = listener_config_find_same(*newer, &e->at[i], i);

        if (new != NULL && !listener_config_renew_tls(&e->at[i].handshake, new))
            same = false;
    }
    listener_configs_free(newer);
    return same;
}

bool listener_configs_certificate(const struct listener_configs *e, size_t n, const char **address,
                                  int64_t *end_s)
{
    if (n >= e->count)
        return false;
    *address = e->at[n].address;
    *end_s = e->at[n].handshake.tls == NULL ? -1 : tls_end_s(e->at[n].handshake.tls);
    return true;
}
