/* SPDX-License-Identifier: MIT */
#include "daemon/base/proxies.h"

#include <stdlib.h>
#include <string.h>

struct proxies {
    bool local; /* those of Unix sockets */
    size_t count;
    struct network networks[];
};

static bool proxies_text_is_unix(const char *text)
{
    return strcmp(text, "unix") == 0;
}

bool proxies_text_is_valid(const char *text, const char **expected)
{
    struct network network;

    return proxies_text_is_unix(text) || network_read(text, &network, expected);
}

bool proxies_cover_transport(char *const texts[], size_t count, bool through_unix)
{
    for (size_t i = 0; i < count; i++)
        if (proxies_text_is_unix(texts[i]) == through_unix)
            return true;
    return false;
}

struct proxies *proxies_new(char *const texts[], size_t count)
{
    struct proxies *p = calloc(1, sizeof(*p) + count * sizeof(p->networks[0]));
    const char *ignored;

    for (size_t i = 0; p != NULL && i < count; i++) {
        if (proxies_text_is_unix(texts[i]))
            p->local = true;
        else if (network_read(texts[i], &p->networks[p->count], &ignored))
            p->count++;
    }
    return p;
}

void proxies_free(struct proxies **proxies)
{
    free(*proxies);
    *proxies = NULL;
}

bool proxies_same(const struct proxies *a, const struct proxies *b)
{
    return a->local == b->local && a->count == b->count &&
           memcmp(a->networks, b->networks, a->count * sizeof(a->networks[0])) == 0;
}

bool proxies_trust_host(const struct proxies *p, const struct network_host *host)
{
    return networks_contain(p->networks, p->count, host);
}

bool proxies_trust(const struct proxies *p, const struct sockaddr_storage *peer)
{
    struct network_host host;

    if (network_host_of(peer, &host))
        return proxies_trust_host(p, &host);
    return p->local && peer->ss_family == AF_UNIX;
}

static bool proxies_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" and "[2001:db8::1]:80": nobody has
 * ever said which of them it is. */
static bool proxies_read_forwarded(const char *text, size_t len, struct network_host *host)
{
    const char *end;

    while (len > 0 && proxies_is_blank(text[0]))
        text++, len--;
    while (len > 0 && proxies_is_blank(text[len - 1]))
        len--;
    if (len > 0 && text[0] == '[') {
        end = memchr(text, ']', len);
        if (end == NULL || (end + 1 < text + len && end[1] != ':'))
            return false;
        len = (size_t)(end - text) - 1;
        return memchr(text + 1, ':', len) != NULL && network_host_read(text + 1, len, host);
    }
    if (network_host_read(text, len, host))
        return true;
    end = memchr(text, ':', len);
    return end != NULL && network_host_read(text, (size_t)(end - text), host);
}

bool proxies_resolve_forwarded(const struct proxies *p, const char *value, size_t len,
                               struct network_host *host)
{
    for (;;) {
        const char *comma = memrchr(value, ',', len);
        size_t start = comma == NULL ? 0 : (size_t)(comma - value) + 1;
        struct network_host next;

        if (!proxies_read_forwarded(value + start, len - start, &next))
            return false;
        *host = next;
        if (!proxies_trust_host(p, host))
            return false;
        if (comma == NULL)
            return true;
        len = start - 1;
    }
}
