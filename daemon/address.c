/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Splits in place. The family follows from the brackets: without them nobody knows which colon of
 * an IPv6 address is the port's. */
static bool split(char *text, char **address, char **port, int *family)
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
    return **port != '\0' && strlen(*port) <= 5 && strspn(*port, "0123456789") == strlen(*port) &&
           strtoul(*port, NULL, 10) <= 65535;
}

struct addrinfo *address_read(const char *text)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    char *address, *port, copy[256];
    struct addrinfo *info;

    if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy) ||
        !split(copy, &address, &port, &hints.ai_family) ||
        getaddrinfo(address, port, &hints, &info) != 0)
        return NULL;
    return info;
}
