/* SPDX-License-Identifier: MIT */
#include "daemon/base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

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

bool network_host_same(const struct network_host *a, const struct network_host *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* As people write it: no sign, no leading zero. */
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
            *expected = "96 bits or more where ::ffff: stands before an address of IPv4";
            if (bits < NETWORK_MAPPED_BITS)
                return false;
            bits -= NETWORK_MAPPED_BITS;
        }
    }
    network->bits = (unsigned char)bits;
    first = network->first;
    network_host_mask(&first, bits);
    *expected = "the network's first address, all of whose other bits are 0";
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
