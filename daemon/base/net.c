/* SPDX-License-Identifier: MIT */
#include "daemon/base/net.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

static bool host_check_is_port(const char *text)
{
    return text[0] == '\0' ||
           (text[0] == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

bool host_check_is_local(const char *host, size_t len)
{
    static const char v6[] = "[::1]", name[] = "localhost";
    char copy[64];
    struct in_addr v4;
    size_t end;

    if (len == 0 || len >= sizeof(copy) || memchr(host, '\0', len) != NULL)
        return false;
    memcpy(copy, host, len);
    copy[len] = '\0';
    if (strncmp(copy, v6, sizeof(v6) - 1) == 0)
        return host_check_is_port(copy + sizeof(v6) - 1);
    end = strcspn(copy, ":");
    if (!host_check_is_port(copy + end))
        return false;
    copy[end] = '\0';
    return strcasecmp(copy, name) == 0 ||
           (inet_pton(AF_INET, copy, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET);
}

bool host_check_is_same_origin(const char *origin, size_t origin_len, const char *host, size_t len)
{
    static const char scheme[] = "http://";
    const size_t scheme_len = sizeof(scheme) - 1;

    return origin_len == scheme_len + len && strncasecmp(origin, scheme, scheme_len) == 0 &&
           strncasecmp(origin + scheme_len, host, len) == 0;
}

/* ---- socket addresses */

static const char address_unix_prefix[] = "unix:";

/* Splits the text in place. IPv6 needs brackets, because otherwise the colon before the port is
 * ambiguous. */
static bool address_split_port(char *text, char **address, char **port, int *family)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL || colon == text)
        return false;
    *colon = '\0';
    *port = colon + 1;
    *address = text;
    *family = AF_INET;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *address = text + 1;
        *family = AF_INET6;
    }
    return **port != '\0' && strspn(*port, "0123456789") == strlen(*port) && strlen(*port) <= 5 &&
           strtoul(*port, NULL, 10) <= 65535;
}

/* Rejects "*" and "1.2", which getaddrinfo() reads as the loopback address and as 1.0.0.2. */
static bool address_host_is_whole(const char *host, int family)
{
    struct in_addr ignored;

    return family == AF_INET6 ? host[0] != '*' : inet_pton(AF_INET, host, &ignored) == 1;
}

static bool address_read_unix(const char *path, struct sockaddr_storage *address, socklen_t *len)
{
    struct sockaddr_un *local = (struct sockaddr_un *)address;

    if (path[0] == '\0' || strlen(path) >= sizeof(local->sun_path))
        return false;
    *address = (struct sockaddr_storage){0};
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, strlen(path));
    *len = sizeof(*local);
    return true;
}

bool address_read(const char *text, struct sockaddr_storage *address, socklen_t *len)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
    };
    char copy[256], *host, *port;
    struct addrinfo *info;

    if (strncmp(text, address_unix_prefix, sizeof(address_unix_prefix) - 1) == 0)
        return address_read_unix(text + sizeof(address_unix_prefix) - 1, address, len);
    if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
        return false;
    if (!address_split_port(copy, &host, &port, &hints.ai_family) ||
        !address_host_is_whole(host, hints.ai_family) ||
        getaddrinfo(host, port, &hints, &info) != 0)
        return false;
    memcpy(address, info->ai_addr, info->ai_addrlen);
    *len = info->ai_addrlen;
    freeaddrinfo(info);
    return true;
}

void address_write(const struct sockaddr_storage *address, char *text)
{
    char host[INET6_ADDRSTRLEN];

    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

        snprintf(text, ADDRESS_TEXT_SIZE, "%s:%u",
                 inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)), ntohs(v4->sin_port));
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        const unsigned char *bytes = v6->sin6_addr.s6_addr;
        bool is_v4 = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

        snprintf(text, ADDRESS_TEXT_SIZE, is_v4 ? "%s:%u" : "[%s]:%u",
                 is_v4 ? inet_ntop(AF_INET, bytes + 12, host, sizeof(host))
                       : inet_ntop(AF_INET6, bytes, host, sizeof(host)),
                 ntohs(v6->sin6_port));
    } else if (address->ss_family == AF_UNIX &&
               ((const struct sockaddr_un *)address)->sun_path[0] != '\0') {
        const struct sockaddr_un *local = (const struct sockaddr_un *)address;

        snprintf(text, ADDRESS_TEXT_SIZE, "%s%.*s", address_unix_prefix,
                 (int)sizeof(local->sun_path), local->sun_path);
    } else {
        snprintf(text, ADDRESS_TEXT_SIZE, "unknown");
    }
}

bool address_is_local(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    switch (address->ss_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    default:
        return false;
    }
}

/* ---- hosts and networks */

static const unsigned char network_mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

enum {
    NETWORK_MAPPED_BITS = 96
};

static unsigned network_family_bits(const struct network_host *host)
{
    return host->family == 4 ? 32 : 128;
}

static void network_host_set_v4(const void *bytes, struct network_host *host)
{
    *host = (struct network_host){.family = 4};
    memcpy(host->bytes, bytes, 4);
}

static void network_host_set_v6(const void *bytes, struct network_host *host)
{
    if (memcmp(bytes, network_mapped_prefix, sizeof(network_mapped_prefix)) == 0) {
        network_host_set_v4((const char *)bytes + sizeof(network_mapped_prefix), host);
        return;
    }
    *host = (struct network_host){.family = 6};
    memcpy(host->bytes, bytes, 16);
}

bool network_host_read(const char *text, size_t len, struct network_host *host)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char bytes[16];

    if (len == 0 || len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1)
        network_host_set_v4(bytes, host);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        network_host_set_v6(bytes, host);
    else
        return false;
    return true;
}

bool network_host_of(const struct sockaddr_storage *address, struct network_host *host)
{
    if (address->ss_family == AF_INET)
        network_host_set_v4(&((const struct sockaddr_in *)address)->sin_addr, host);
    else if (address->ss_family == AF_INET6)
        network_host_set_v6(&((const struct sockaddr_in6 *)address)->sin6_addr, host);
    else
        return false;
    return true;
}

void network_host_write(const struct network_host *host, char *text)
{
    if (inet_ntop(host->family == 4 ? AF_INET : AF_INET6, host->bytes, text, NETWORK_TEXT_SIZE) ==
        NULL)
        text[0] = '\0';
}

void network_host_mask(struct network_host *host, unsigned bits)
{
    for (unsigned i = 0; i < sizeof(host->bytes); i++) {
        unsigned left = bits > i * 8 ? bits - i * 8 : 0;

        if (left < 8)
            host->bytes[i] &= (unsigned char)(0xff00 >> left);
    }
}

static bool network_host_same(const struct network_host *a, const struct network_host *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Rejects signs and leading zeros. */
static bool network_read_bits(const char *text, unsigned *bits)
{
    size_t digits = strspn(text, "0123456789");

    *bits = 0;
    if (digits == 0 || digits > 3 || text[digits] != '\0' || (text[0] == '0' && digits > 1))
        return false;
    for (; *text != '\0'; text++)
        *bits = *bits * 10 + (unsigned)(*text - '0');
    return true;
}

bool network_read(const char *text, struct network *network, const char **expected)
{
    size_t len = strcspn(text, "/");
    bool as_v6 = memchr(text, ':', len) != NULL;
    struct network_host first;
    unsigned bits;

    *expected = "an address, or ADDRESS/BITS";
    if (!network_host_read(text, len, &network->first))
        return false;
    bits = network_family_bits(&network->first);
    if (text[len] == '/') {
        *expected = as_v6 ? "0 to 128 bits" : "0 to 32 bits";
        if (!network_read_bits(text + len + 1, &bits) || bits > (as_v6 ? 128u : 32u))
            return false;
        if (as_v6 && network->first.family == 4) {
            *expected = "96 to 128 bits for an IPv4-mapped address (::ffff:...)";
            if (bits < NETWORK_MAPPED_BITS)
                return false;
            bits -= NETWORK_MAPPED_BITS;
        }
    }
    network->bits = (unsigned char)bits;
    first = network->first;
    network_host_mask(&first, bits);
    *expected = "the network's first address, whose host bits are 0";
    return network_host_same(&first, &network->first);
}

bool network_contains(const struct network *network, const struct network_host *host)
{
    struct network_host first = *host;

    network_host_mask(&first, network->bits);
    return network_host_same(&first, &network->first);
}

bool networks_contain(const struct network *networks, size_t count, const struct network_host *host)
{
    for (size_t i = 0; i < count; i++)
        if (network_contains(&networks[i], host))
            return true;
    return false;
}

/* ---- trusted proxies */

struct proxies {
    bool local; /* trusts peers on Unix sockets */
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

/* Accepts "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" and "[2001:db8::1]:80",
 * because X-Forwarded-For has no standard and proxies send each of them. */
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
