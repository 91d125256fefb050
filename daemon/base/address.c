/* SPDX-License-Identifier: MIT */
#include "daemon/base/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const char address_unix_prefix[] = "unix:";

/* Splits in place. The family follows from the brackets: without them nobody knows which colon of
 * an IPv6 address is the port's. */
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

/* getaddrinfo() takes "*" for this machine alone, and "1.2" for 1.0.0.2. */
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
