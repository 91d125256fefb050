/* SPDX-License-Identifier: MIT */
#include "cli/emulator/public_url.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char public_url_https[] = "https://";

enum {
    HOST_SIZE = 256
};

struct public_url_block {
    uint32_t address;
    unsigned bits;
};

static bool public_url_v4_is_private(uint32_t address)
{
    static const struct public_url_block blocks[] = {
        {0x00000000, 8},  /* this network */
        {0x0a000000, 8},  /* private */
        {0x64400000, 10}, /* shared by customers of a provider */
        {0x7f000000, 8},  /* loopback */
        {0xa9fe0000, 16}, /* link-local */
        {0xac100000, 12}, /* private */
        {0xc0a80000, 16}, /* private */
        {0xe0000000, 3},  /* groups, and what is reserved */
    };

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if ((address ^ blocks[i].address) >> (32 - blocks[i].bits) == 0)
            return true;
    return false;
}

static uint32_t public_url_v4_number(const unsigned char bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool public_url_v6_is_private(const struct in6_addr *address)
{
    const unsigned char *bytes = address->s6_addr;

    if (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address))
        return public_url_v4_is_private(public_url_v4_number(bytes + 12));
    return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address) ||
           IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_SITELOCAL(address) ||
           IN6_IS_ADDR_MULTICAST(address) || (bytes[0] & 0xfe) == 0xfc;
}

static bool public_url_address_is_private(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        return public_url_v4_is_private(ntohl(v4.sin_addr.s_addr));
    }
    memcpy(&v6, address, sizeof(v6));
    return public_url_v6_is_private(&v6.sin6_addr);
}

/* The host that the URL names, without brackets; false if there is none that could be looked up. */
static bool public_url_host(const char *url, char host[HOST_SIZE])
{
    const char *begin = url + sizeof(public_url_https) - 1, *end = begin + strcspn(begin, "/?#\\");
    const char *at = memrchr(begin, '@', (size_t)(end - begin));
    const char *from = at != NULL ? at + 1 : begin;
    bool bracket = *from == '[';
    size_t len;

    from += bracket;
    len = strcspn(from, bracket ? "]" : ":/?#\\");
    if (len == 0 || len >= HOST_SIZE || from + len > end)
        return false;
    memcpy(host, from, len);
    host[len] = '\0';
    return true;
}

/* Whether the host is that name or one below it; a dot may end it. */
static bool public_url_host_is_below(const char *host, const char *name)
{
    size_t len = strlen(host), size = strlen(name);

    len -= len > 0 && host[len - 1] == '.';
    return len >= size && strncasecmp(host + len - size, name, size) == 0 &&
           (len == size || host[len - size - 1] == '.');
}

static enum public_url public_url_resolve(const char *host)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    enum public_url found = PUBLIC_URL_GOOD;
    struct addrinfo *list;

    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return PUBLIC_URL_UNRESOLVABLE;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
        if (public_url_address_is_private(a->ai_addr))
            found = PUBLIC_URL_PRIVATE_IP;
    freeaddrinfo(list);
    return found;
}

bool public_url_is_https(const char *url)
{
    return strncasecmp(url, public_url_https, sizeof(public_url_https) - 1) == 0;
}

enum public_url public_url_check(const char *url)
{
    char host[HOST_SIZE];

    if (!public_url_is_https(url))
        return PUBLIC_URL_NOT_HTTPS;
    /* The two names that no server has to be asked for (RFC 6761). */
    if (!public_url_host(url, host) || public_url_host_is_below(host, "invalid"))
        return PUBLIC_URL_UNRESOLVABLE;
    if (public_url_host_is_below(host, "localhost"))
        return PUBLIC_URL_PRIVATE_IP;
    return public_url_resolve(host);
}
