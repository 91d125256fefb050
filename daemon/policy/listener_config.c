/* SPDX-License-Identifier: MIT */
#include "daemon/policy/listener_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/net.h"
#include "daemon/conf/config.h"
#include "daemon/http/handshake.h"
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

static bool listener_config_open_tls(struct listener_configs *configs, size_t n,
                                     const struct config *config, void (*warn)(const char *text),
                                     char *why)
{
    const struct config_tls *wanted = config->listen[n].tls;
    char place[64], problem[CONFIG_WHY_SIZE];
    const char *key = "";
    size_t len;

    if (wanted == NULL)
        return true;
    configs->at[n].handshake.tls = tls_open(wanted, warn, &key, problem, sizeof(problem));
    if (configs->at[n].handshake.tls != NULL)
        return true;
    snprintf(place, sizeof(place), "listen/%zu/tls/%s", n, key);
    len = config_locate(config, place, why, CONFIG_WHY_SIZE);
    snprintf(why + len, CONFIG_WHY_SIZE - len, "%s: %s", config->listen[n].address, problem);
    return false;
}

struct listener_configs *listener_configs_open(const struct config *config,
                                               void (*warn)(const char *text), char *why)
{
    struct listener_configs *configs =
        calloc(1, sizeof(*configs) + config->listen_count * sizeof(configs->at[0]));

    if (configs != NULL)
        configs->proxies = proxies_new(config->trusted_proxies, config->trusted_proxies_count);
    if (configs == NULL || configs->proxies == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        listener_configs_free(&configs);
        return NULL;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        configs->count++;
        if ((configs->at[i].address = strdup(config->listen[i].address)) == NULL)
            snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        if (configs->at[i].address == NULL ||
            !listener_config_open_tls(configs, i, config, warn, why)) {
            listener_configs_free(&configs);
            return NULL;
        }
        if (config->listen[i].proxy_protocol)
            configs->at[i].handshake.proxies = configs->proxies;
    }
    return configs;
}

void listener_configs_free(struct listener_configs **listener_configs)
{
    struct listener_configs *configs = *listener_configs;

    for (size_t i = 0; configs != NULL && i < configs->count; i++) {
        tls_free(&configs->at[i].handshake.tls);
        free(configs->at[i].address);
    }
    if (configs != NULL)
        proxies_free(&configs->proxies);
    free(configs);
    *listener_configs = NULL;
}

const struct handshake_config *listener_configs_at(const struct listener_configs *configs, size_t n)
{
    return &configs->at[n].handshake;
}

const struct proxies *listener_configs_proxies(const struct listener_configs *configs)
{
    return configs->proxies;
}

/* Finds the listener with the same address, usually at the same index. */
static struct handshake_config *listener_config_find_same(struct listener_configs *configs,
                                                          const struct listener_config *place,
                                                          size_t n)
{
    if (n < configs->count && strcmp(configs->at[n].address, place->address) == 0)
        return &configs->at[n].handshake;
    for (size_t i = 0; i < configs->count; i++)
        if (strcmp(configs->at[i].address, place->address) == 0)
            return &configs->at[i].handshake;
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

bool listener_configs_renew(struct listener_configs *configs, struct listener_configs **newer)
{
    bool same = proxies_same(configs->proxies, (*newer)->proxies);

    for (size_t i = 0; i < configs->count; i++) {
        struct handshake_config *new = listener_config_find_same(*newer, &configs->at[i], i);

        if (new != NULL && !listener_config_renew_tls(&configs->at[i].handshake, new))
            same = false;
    }
    listener_configs_free(newer);
    return same;
}

bool listener_configs_certificate(const struct listener_configs *configs, size_t n,
                                  const char **address, int64_t *end_s)
{
    if (n >= configs->count)
        return false;
    *address = configs->at[n].address;
    *end_s = configs->at[n].handshake.tls == NULL ? -1 : tls_end_s(configs->at[n].handshake.tls);
    return true;
}
