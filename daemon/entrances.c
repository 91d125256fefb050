/* SPDX-License-Identifier: MIT */
#include "entrances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "entrance.h"
#include "proxies.h"
#include "tls.h"

struct entrances {
    struct proxies *proxies;
    size_t count;
    struct entrance of[];
};

static bool open_tls(struct entrances *e, size_t n, const struct config *config, const char *file,
                     void (*warn)(const char *text), char *why)
{
    const struct config_tls *wanted = config->listen[n].tls;
    char place[64], problem[CONFIG_WHY_SIZE];
    const char *key = "";
    size_t len;

    if (wanted == NULL)
        return true;
    e->of[n].tls = tls_open(wanted, warn, &key, problem, sizeof(problem));
    if (e->of[n].tls != NULL)
        return true;
    snprintf(place, sizeof(place), "listen/%zu/tls/%s", n, key);
    len = config_locate(file, place, why, CONFIG_WHY_SIZE);
    snprintf(why + len, CONFIG_WHY_SIZE - len, "%s: %s", config->listen[n].address, problem);
    return false;
}

struct entrances *entrances_open(const struct config *config, const char *file,
                                 void (*warn)(const char *text), char *why)
{
    struct entrances *e = calloc(1, sizeof(*e) + config->listen_count * sizeof(e->of[0]));

    if (e != NULL)
        e->proxies = proxies_new(config->trusted_proxies, config->trusted_proxies_count);
    if (e == NULL || e->proxies == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        entrances_free(&e);
        return NULL;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        e->count++;
        if (!open_tls(e, i, config, file, warn, why)) {
            entrances_free(&e);
            return NULL;
        }
        if (config->listen[i].proxy_protocol)
            e->of[i].proxies = e->proxies;
    }
    return e;
}

void entrances_free(struct entrances **entrances)
{
    struct entrances *e = *entrances;

    for (size_t i = 0; e != NULL && i < e->count; i++)
        tls_free(&e->of[i].tls);
    if (e != NULL)
        proxies_free(&e->proxies);
    free(e);
    *entrances = NULL;
}

const struct entrance *entrances_at(const struct entrances *e, size_t n)
{
    return &e->of[n];
}

const struct proxies *entrances_proxies(const struct entrances *e)
{
    return e->proxies;
}

bool entrances_renew(struct entrances *e, struct entrances **newer)
{
    struct entrances *n = *newer;
    bool same = e->count == n->count && proxies_same(e->proxies, n->proxies);

    for (size_t i = 0; i < e->count && i < n->count; i++) {
        same = same && (e->of[i].tls == NULL) == (n->of[i].tls == NULL) &&
               (e->of[i].proxies == NULL) == (n->of[i].proxies == NULL);
        if (e->of[i].tls != NULL && n->of[i].tls != NULL)
            tls_renew(e->of[i].tls, &n->of[i].tls);
    }
    entrances_free(newer);
    return same;
}

int64_t entrances_end_s(const struct entrances *e, size_t n)
{
    return e->of[n].tls == NULL ? -1 : tls_end_s(e->of[n].tls);
}
