/* SPDX-License-Identifier: MIT */
#include "daemon/policy/entrances.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/config.h"
#include "daemon/http/entrance.h"
#include "daemon/base/proxies.h"
#include "daemon/http/tls.h"

struct place {
    char *address;
    struct entrance entrance;
};

struct entrances {
    struct proxies *proxies;
    size_t count;
    struct place at[];
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
    e->at[n].entrance.tls = tls_open(wanted, warn, &key, problem, sizeof(problem));
    if (e->at[n].entrance.tls != NULL)
        return true;
    snprintf(place, sizeof(place), "listen/%zu/tls/%s", n, key);
    len = config_locate(file, place, why, CONFIG_WHY_SIZE);
    snprintf(why + len, CONFIG_WHY_SIZE - len, "%s: %s", config->listen[n].address, problem);
    return false;
}

struct entrances *entrances_open(const struct config *config, const char *file,
                                 void (*warn)(const char *text), char *why)
{
    struct entrances *e = calloc(1, sizeof(*e) + config->listen_count * sizeof(e->at[0]));

    if (e != NULL)
        e->proxies = proxies_new(config->trusted_proxies, config->trusted_proxies_count);
    if (e == NULL || e->proxies == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        entrances_free(&e);
        return NULL;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        e->count++;
        if ((e->at[i].address = strdup(config->listen[i].address)) == NULL)
            snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        if (e->at[i].address == NULL || !open_tls(e, i, config, file, warn, why)) {
            entrances_free(&e);
            return NULL;
        }
        if (config->listen[i].proxy_protocol)
            e->at[i].entrance.proxies = e->proxies;
    }
    return e;
}

void entrances_free(struct entrances **entrances)
{
    struct entrances *e = *entrances;

    for (size_t i = 0; e != NULL && i < e->count; i++) {
        tls_free(&e->at[i].entrance.tls);
        free(e->at[i].address);
    }
    if (e != NULL)
        proxies_free(&e->proxies);
    free(e);
    *entrances = NULL;
}

const struct entrance *entrances_at(const struct entrances *e, size_t n)
{
    return &e->at[n].entrance;
}

const struct proxies *entrances_proxies(const struct entrances *e)
{
    return e->proxies;
}

/* The n-th of them, as long as that is the same address. */
static struct entrance *find_same(struct entrances *e, const struct place *place, size_t n)
{
    if (n < e->count && strcmp(e->at[n].address, place->address) == 0)
        return &e->at[n].entrance;
    for (size_t i = 0; i < e->count; i++)
        if (strcmp(e->at[i].address, place->address) == 0)
            return &e->at[i].entrance;
    return NULL;
}

static bool renew(struct entrance *old, struct entrance *new)
{
    bool same = (old->tls == NULL) == (new->tls == NULL) &&
                (old->proxies == NULL) == (new->proxies == NULL);

    if (old->tls != NULL && new->tls != NULL)
        tls_renew(old->tls, &new->tls);
    return same;
}

bool entrances_renew(struct entrances *e, struct entrances **newer)
{
    bool same = proxies_same(e->proxies, (*newer)->proxies);

    for (size_t i = 0; i < e->count; i++) {
        struct entrance *new = find_same(*newer, &e->at[i], i);

        if (new != NULL && !renew(&e->at[i].entrance, new))
            same = false;
    }
    entrances_free(newer);
    return same;
}

bool entrances_certificate(const struct entrances *e, size_t n, const char **address,
                           int64_t *end_s)
{
    if (n >= e->count)
        return false;
    *address = e->at[n].address;
    *end_s = e->at[n].entrance.tls == NULL ? -1 : tls_end_s(e->at[n].entrance.tls);
    return true;
}
