/* SPDX-License-Identifier: MIT
 *
 * provider.h - the providers whose test API `hookline ping` triggers: where it is, which ids it
 * takes, how the key is shown to it. Pure.
 */
#ifndef CLI_PING_PROVIDER_H
#define CLI_PING_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

enum provider_kind {
    PROVIDER_FOIL,
    PROVIDER_SHODAI,
    PROVIDER_TRULAYER,
    PROVIDER_EMULATED, /* any source of `hookline emulate`, by the emulator's own API */
};

struct provider {
    enum provider_kind kind;
    const char *name;  /* as the user writes it */
    const char *title; /* as it calls itself */
    const char *base_url;
    const char *key_variable; /* of the environment, unless the user names another place; NULL: it
                                 asks for no key */
    const char *key_header;   /* what stands in front of the key */
    const char *scheme;       /* NULL: that of the source's name */
    bool at_once;             /* it answers after it has tried to deliver */
    bool remembers;           /* it can be asked for what became of a delivery */
};

/* NULL if there is none of that name. */
const struct provider *provider_find(const char *name);

/* Whom the user may name, for messages. */
#define PROVIDER_NAMES "foil, shodai, trulayer or emulated"

enum {
    PROVIDER_WHY_SIZE = 256,
    PROVIDER_URL_SIZE = 1024
};

/* `organization` is NULL if it was not given; of `emulated` the endpoint is the source's name.
 * False, and in `why` which of them is not as it should be: nothing is sent then. */
bool provider_check_ids(const struct provider *provider, const char *organization,
                        const char *endpoint, char why[PROVIDER_WHY_SIZE]);

/* A key goes into a header. NULL, or what is wrong with it. */
const char *provider_key_problem(const char *key);

/* NULL, or what is wrong with it. */
const char *provider_base_problem(const char *base_url);

/* The URL that is POSTed to, from ids that were checked. False if it does not fit. */
bool provider_test_url(const struct provider *provider, const char *base_url,
                       const char *organization, const char *endpoint, char url[PROVIDER_URL_SIZE]);

/* The URL that tells what became of an event, of a provider that remembers. */
bool provider_event_url(const struct provider *provider, const char *base_url,
                        const char *organization, const char *event_id,
                        char url[PROVIDER_URL_SIZE]);

#endif
