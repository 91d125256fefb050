/* SPDX-License-Identifier: MIT */
#include "cli/ping/provider.h"

#include <stdio.h>
#include <string.h>

enum {
    ID_MAX = 128
};

static const struct provider provider_table[] = {
    {PROVIDER_FOIL, "foil", "Foil", "https://api.usefoil.com", "FOIL_API_KEY",
     "Authorization: Bearer ", "foil", false, true},
    {PROVIDER_SHODAI, "shodai", "Shodai", "https://api.shodai.network", "SHODAI_API_KEY",
     "X-API-Key: ", "shodai", true, false},
    {PROVIDER_TRULAYER, "trulayer", "TruLayer", "https://api.trulayer.ai", "TRULAYER_API_KEY",
     "Authorization: Bearer ", "trulayer", true, false},
    {PROVIDER_EMULATED, "emulated", "the emulator", "http://127.0.0.1:4010", NULL, NULL, NULL, true,
     false},
};

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; i < sizeof(provider_table) / sizeof(provider_table[0]); i++)
        if (strcmp(provider_table[i].name, name) == 0)
            return &provider_table[i];
    return NULL;
}

/* ---- ids */

static bool provider_id_has_alphabet(const char *text, const char *characters, size_t len)
{
    return strlen(text) == len && strspn(text, characters) == len;
}

static bool provider_id_is_organization(const char *text)
{
    return strncmp(text, "org_", 4) == 0 &&
           provider_id_has_alphabet(text + 4, "0123456789abcdefghjkmnpqrstvwxyz", 26);
}

static bool provider_id_is_foil_endpoint(const char *text)
{
    return strncmp(text, "we_", 3) == 0 &&
           provider_id_has_alphabet(text + 3, "0123456789abcdef", 32);
}

static bool provider_id_is_uuid(const char *text)
{
    if (strlen(text) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return true;
}

/* What needs no escape in a path, and is no way out of it. */
static bool provider_id_is_segment(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= ID_MAX && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
           strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~") ==
               len;
}

static bool provider_fail(char why[PROVIDER_WHY_SIZE], const char *text)
{
    snprintf(why, PROVIDER_WHY_SIZE, "%s", text);
    return false;
}

bool provider_check_ids(const struct provider *p, const char *organization, const char *endpoint,
                        char why[PROVIDER_WHY_SIZE])
{
    if (p->kind == PROVIDER_FOIL) {
        if (organization == NULL)
            return provider_fail(why, "--organization: it is missing; expected an id such as "
                                      "org_f6m39y94nh6fs513q03skj929c");
        if (!provider_id_is_organization(organization))
            return provider_fail(why,
                                 "--organization: expected org_ and 26 letters and digits, without "
                                 "i, l, o and u");
    } else if (organization != NULL) {
        return provider_fail(why, "--organization: only foil has organizations");
    }
    if (endpoint == NULL && p->kind == PROVIDER_EMULATED)
        return provider_fail(why, "emulated: expected the name of a source behind it");
    if (endpoint == NULL)
        return provider_fail(
            why, "--endpoint: it is missing; expected the webhook's id at the provider");
    if (p->kind == PROVIDER_FOIL && !provider_id_is_foil_endpoint(endpoint))
        return provider_fail(why, "--endpoint: expected we_ and 32 digits of hex, in lower case");
    if (p->kind == PROVIDER_TRULAYER && !provider_id_is_uuid(endpoint))
        return provider_fail(why, "--endpoint: expected a UUID such as "
                                  "018f1234-5678-7abc-8def-0123456789ab");
    if (!provider_id_is_segment(endpoint))
        return provider_fail(why,
                             p->kind == PROVIDER_EMULATED
                                 ? "emulated: a source's name has letters, digits, - _ and . only"
                                 : "--endpoint: expected an id of letters, digits, - _ . and ~");
    return true;
}

const char *provider_key_problem(const char *key)
{
    if (key[0] == '\0')
        return "the key is empty";
    for (const char *c = key; *c != '\0'; c++)
        if (*c <= 0x20 || *c > 0x7e)
            return "the key holds a blank, a line end or another character that no key has";
    return NULL;
}

/* ---- URLs */

static bool provider_url_has_user(const char *base)
{
    const char *begin = strstr(base, "://");

    begin = begin == NULL ? base : begin + 3;
    return memchr(begin, '@', strcspn(begin, "/")) != NULL;
}

const char *provider_base_problem(const char *base)
{
    for (const char *c = base; *c != '\0'; c++)
        if (*c <= 0x20 || *c > 0x7e || *c == '?' || *c == '#')
            return "expected a URL such as http://127.0.0.1:4010, without blanks, ? and #";
    if (provider_url_has_user(base))
        return "user and password are not for here, see --key";
    return NULL;
}

static int provider_url_trimmed_len(const char *base)
{
    size_t len = strlen(base);

    while (len > 0 && base[len - 1] == '/')
        len--;
    return (int)len;
}

static bool provider_url_fits(int len)
{
    return len > 0 && len < PROVIDER_URL_SIZE;
}

bool provider_test_url(const struct provider *p, const char *base, const char *organization,
                       const char *endpoint, char url[PROVIDER_URL_SIZE])
{
    int len = provider_url_trimmed_len(base);

    switch (p->kind) {
    case PROVIDER_FOIL:
        return provider_url_fits(snprintf(url, PROVIDER_URL_SIZE,
                                          "%.*s/v1/organizations/%s/webhooks/endpoints/%s/test",
                                          len, base, organization, endpoint));
    case PROVIDER_SHODAI:
        return provider_url_fits(
            snprintf(url, PROVIDER_URL_SIZE, "%.*s/v0/webhooks/%s/test", len, base, endpoint));
    case PROVIDER_TRULAYER:
        return provider_url_fits(
            snprintf(url, PROVIDER_URL_SIZE, "%.*s/v1/webhooks/%s/test", len, base, endpoint));
    case PROVIDER_EMULATED:
        return provider_url_fits(
            snprintf(url, PROVIDER_URL_SIZE, "%.*s/emulator/sources/%s/test", len, base, endpoint));
    }
    return false;
}

bool provider_event_url(const struct provider *p, const char *base, const char *organization,
                        const char *event_id, char url[PROVIDER_URL_SIZE])
{
    return p->remembers && provider_id_is_segment(event_id) &&
           provider_url_fits(snprintf(url, PROVIDER_URL_SIZE, "%.*s/v1/organizations/%s/events/%s",
                                      provider_url_trimmed_len(base), base, organization,
                                      event_id));
}
